"""Every page of the URL conf has a fence: nothing here lists the pages, so that none can be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tenants.models import Role, Tenant
from tests.factories import member

# Open to everybody, for a reason.
PUBLIC = {
    "sign-in": "the way in",
    "second-step": "the way in, for who has shown a password",
    "sign-out": "ends a session, whosever it is",
    "set_language": "a cookie of one's own",
    "choose-appearance": "a cookie of one's own",
    "choose-tenant": "sends strangers to sign in by itself",
    "errors": "what codes mean, for till makers",
    "error": "what a code means, for till makers",
}
ASKED = ["q", "from", "to", "day", "week", "month", "season", "page", "cursor", "after", "key", "status", "source"]
ASKED += ["method", "mark"]
NONSENSE = ["0", "00000000-0000-4000-8000-000000000000", "2026-02-30", "2026-04-29", "nonsense"]


def pages(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every pattern that leads to a page, with its whole path; the API and the admin have fences of their own."""
    for pattern in resolver.url_patterns:
        path = f"{prefix}{pattern.pattern}"
        if path.startswith(("api/", "^api/", "admin")):
            continue
        if isinstance(pattern, URLResolver):
            yield from pages(pattern, path)
        else:
            yield path, pattern


PAGES = {path: pattern for path, pattern in pages(get_resolver()) if pattern.name not in PUBLIC}


def address(path: str, value: str) -> str:
    """A path in which every part that varies has the same value."""
    fixed = path.replace("^", "").replace("/?\\Z", "").replace("\\Z", "").replace("\\", "")
    return "/" + re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)|<[^>]+>", value, fixed)


def varies(path: str) -> bool:
    return "<" in path


class TestEveryPage:
    def test_is_among_those_that_are_looked_at(self) -> None:
        assert "" in PAGES
        assert len(PAGES) > 3
        assert "admin:index" not in {pattern.name for pattern in PAGES.values()}
        assert admin.site.name == "admin"

    @pytest.mark.parametrize("path", PAGES)
    def test_says_for_whom_it_is_open(self, path: str) -> None:
        assert getattr(PAGES[path].callback, "is_fenced", False), PAGES[path].callback

    @pytest.mark.parametrize("path", PAGES)
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_shows_a_stranger_nothing(self, path: str, method: str, seeblick: Tenant) -> None:
        for value in NONSENSE:
            answer = getattr(Client(), method)(address(path, value))

            assert answer.status_code in {302, 404, 405}, address(path, value)
            if answer.status_code == 302:
                assert answer["Location"].startswith("/anmelden?next=")

    @pytest.mark.parametrize("path", [path for path in PAGES if varies(path)])
    def test_answers_what_is_not_there_with_404(self, path: str, seeblick: Tenant, waldrand: Tenant) -> None:
        browser = signed_in(seeblick, Role.TENANT_ADMIN, raise_request_exception=False)
        for value in ("0", "00000000-0000-4000-8000-000000000000", "2026-02-30", "nonsense"):
            assert browser.get(address(path, value)).status_code in {404, 405}, address(path, value)

    @pytest.mark.parametrize("path", [path for path in PAGES if not varies(path)])
    def test_opens_for_staff_or_says_that_it_is_for_admins(self, path: str, seeblick: Tenant, waldrand: Tenant) -> None:
        answer = signed_in(seeblick, Role.STAFF, raise_request_exception=False).get(address(path, ""))

        assert answer.status_code in {200, 403, 405}

    @pytest.mark.parametrize("path", [path for path in PAGES if not varies(path)])
    @pytest.mark.parametrize("words", ["%00", "%F0%28", "'", "-1", "9" * 400, "NaN", "2026-99-99"])
    def test_is_not_upset_by_nonsense_in_its_address(self, path: str, words: str, seeblick: Tenant) -> None:
        browser = signed_in(seeblick, Role.TENANT_ADMIN, raise_request_exception=False)

        answer = browser.get(address(path, "") + "?" + "&".join(f"{name}={words}" for name in ASKED))

        assert answer.status_code < 500


def signed_in(tenant: Tenant, role: Role, **options: Any) -> Any:
    """A browser in which somebody of the campground is signed in; ``options`` are the client's."""
    browser = Client(**options)
    browser.force_login(member(tenant, role))
    return browser
