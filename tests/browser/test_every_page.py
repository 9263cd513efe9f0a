"""Every page that a link leads to, in both appearances: no violation found by axe, and a picture of it where asked for.

``SHOTS`` names a folder for the pictures, at a desk and on a phone; the README's are made so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from campone.demo.campgrounds import PLANS, SEEBLICK, open_campgrounds
from campone.demo.history import fill_days, park_a_conflict
from tenants.models import User
from tests.browser.conftest import PASSWORD, sign_in
from tests.browser.usable import beyond_the_edge, violations

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKED_AT = re.compile(r"^/(?!api/|admin|static/|errors)[^?#]*")
MOST = 60


@pytest.fixture
def chief(live_server: LiveServer) -> User:
    """The tenant_admin of a campground that has been selling for some days."""
    at = timezone.now()
    tenants = open_campgrounds(at=at)
    for plan in PLANS:
        fill_days(plan, tenants[plan.slug], days=3, at=at, seed=1)
    park_a_conflict(SEEBLICK, tenants[SEEBLICK.slug], at=at)
    user = User.objects.get(username=SEEBLICK.slug)
    user.set_password(PASSWORD)
    user.save()
    return user


def kind_of(path: str) -> str:
    """A path without what tells one row's page from the next: of each kind, one is looked at."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d{2}-\d{2}|\d{4}-W\d{2}|\b\d+\b", "…", path).rstrip("/")


def links_on(page: Page) -> Iterator[str]:
    """The paths of ours that a page leads to, files left out."""
    for address in page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))"):
        found = LOOKED_AT.match(address)
        if found and not re.search(r"\.(csv|xlsx|pdf|xml|json)$|/export", found[0]):
            yield found[0]


def all_pages(page: Page, live_server: LiveServer) -> dict[str, str]:
    """One path for each kind of page that can be reached by links from the start page."""
    found: dict[str, str] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop(0)
        if kind_of(path) in found or len(found) >= MOST:
            continue
        answer = page.goto(f"{live_server.url}{path}")
        assert answer
        assert answer.status == 200, path
        found[kind_of(path)] = path
        waiting += links_on(page)
    return found


def take_picture(page: Page, name: str) -> None:
    """At a desk and on a phone, where a folder is named for it."""
    if "SHOTS" not in os.environ:
        return
    for size, suffix in ((WIDE, "desk"), (NARROW, "phone")):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # the stubs want a class of theirs
        path = Path(os.environ["SHOTS"]) / f"{name}-{suffix}.png"
        page.screenshot(path=path, full_page=True)
        few = Image.open(path).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(path, optimize=True)  # a third of the bytes; no eye finds the difference
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]  # the same


def name_of(kind: str) -> str:
    return re.sub(r"[^a-z]+", "-", kind.lower().replace("…", "eins")).strip("-") or "uebersicht"


class TestEveryPage:
    @pytest.mark.timeout(600)
    def test_can_be_used_by_everyone(self, page: Page, live_server: LiveServer, chief: User) -> None:
        found: dict[str, list[Any]] = {"/anmelden": []}
        page.goto(f"{live_server.url}/anmelden")
        found["/anmelden"] = violations(page)
        take_picture(page, "anmelden")
        sign_in(page, live_server, chief)
        for kind, path in all_pages(page, live_server).items():
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.goto(f"{live_server.url}{path}")
                found[f"{path} {scheme}"] = violations(page)
                if scheme == "light":
                    take_picture(page, name_of(kind))

        assert {where: what for where, what in found.items() if what} == {}
        assert len(found) > 10

    @pytest.mark.timeout(600)
    def test_does_not_run_off_a_phones_screen(self, page: Page, live_server: LiveServer, chief: User) -> None:
        """In each language: French and Italian words are longer."""
        sign_in(page, live_server, chief)
        paths = all_pages(page, live_server)
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # the stubs want a class of theirs
        wide = {}
        for language, path in product(["de", "fr", "it"], paths.values()):
            page.context.add_cookies([{"name": "language", "value": language, "url": live_server.url}])
            page.goto(f"{live_server.url}{path}")
            assert page.get_attribute("html", "lang") == language
            if (beyond := beyond_the_edge(page)) > 0:
                wide[language, path] = beyond

        assert wide == {}
