"""Keys in the admin: the token is seen once, the hash never."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone as clock
from django.utils.translation import gettext

from apikeys.models import ApiKey
from tenants.models import Tenant, User
from tests.admin.conftest import Campground, sign_in
from tests.admin.crawling import crawl
from tests.factories import mint
from tests.till import Till, body_of, croissants_and_coffee

LIST = "/admin/apikeys/apikey/"
ADD = "/admin/apikeys/apikey/add/"
TOKEN = re.compile(r"ck_[A-Za-z0-9]{32}")


def generate(browser: Client, campground: Tenant, **changes: Any) -> Any:
    """Fill in the form, and click Generate."""
    form = {
        "tenant": campground.pk,
        "name": "Lightspeed shop till",
        "scopes": ["pos:read", "pos:write"],
        "budget": "1000",
    }
    return browser.post(ADD, {**form, **changes})


def token_on(response: Any) -> str:
    """The token that a page shows, in one place only."""
    (token,) = TOKEN.findall(response.content.decode())
    return str(token)


def revoke(browser: Client, *keys: ApiKey, confirmed: bool = True) -> Any:
    """Tick keys and choose the action; ``confirmed`` is the second page's button."""
    answer = {"confirmed": "yes"} if confirmed else {}
    return browser.post(LIST, {"action": "revoke_keys", "_selected_action": [key.pk for key in keys], **answer})


class TestNetworks:
    def test_are_asked_for_and_shown(self, browser: Client, here: Campground) -> None:
        generate(browser, here.tenant, networks="192.0.2.7 2001:db8::/48")

        key = ApiKey.objects.get(name="Lightspeed shop till")
        assert key.networks == ["192.0.2.7/32", "2001:db8::/48"]
        assert "192.0.2.7/32, 2001:db8::/48" in browser.get(f"{LIST}{key.pk}/change/").content.decode()

    def test_that_are_none_are_refused(self, browser: Client, here: Campground) -> None:
        assert set(errors_of(generate(browser, here.tenant, networks="kiosk.example"))) == {"networks"}
        assert not ApiKey.objects.filter(name="Lightspeed shop till").exists()


def errors_of(response: Any) -> dict[str, Any]:
    """What a form complains of."""
    return dict(response.context["adminform"].form.errors)


@pytest.fixture
def browser(here: Campground) -> Client:
    return sign_in(here.admin)


class TestMinting:
    def test_gives_a_token_that_works(self, browser: Client, seeblick: Tenant) -> None:
        till = Till(token_on(generate(browser, seeblick)))

        assert till.get("/ping/").status_code == 200
        assert till.post(croissants_and_coffee(external_ref="new-till-1")).status_code == 201

    def test_shows_address_and_scopes_beside_it(self, browser: Client, seeblick: Tenant) -> None:
        page = generate(browser, seeblick, scopes=["pos:read"])

        shown = page.content.decode()
        assert 'value="https://api.campone.example/api/v1/public/pos/transactions/"' in shown
        assert '<div class="readonly">pos:read</div>' in shown

    def test_gives_no_more_than_was_ticked(self, browser: Client, seeblick: Tenant) -> None:
        till = Till(token_on(generate(browser, seeblick, scopes=["pos:read"])))

        assert body_of(till.post(croissants_and_coffee()))["required_scope"] == "pos:write"

    def test_keeps_what_was_chosen(self, browser: Client, seeblick: Tenant) -> None:
        generate(browser, seeblick, budget="", expires_at="2031-07-01T18:00", name="  Zettle  ")

        key = ApiKey.objects.of(seeblick).latest("pk")
        assert (key.name, key.budget) == ("Zettle", None)
        assert key.expires_at == datetime(2031, 7, 1, 18, 0, tzinfo=ZoneInfo("Europe/Zurich"))
        assert key.created_at - clock.now() < timedelta(minutes=1)

    def test_may_not_be_kept_by_a_cache(self, browser: Client, seeblick: Tenant) -> None:
        assert "no-store" in generate(browser, seeblick).headers["Cache-Control"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"scopes": []}, "scopes"),
            ({"scopes": ["pos:read", "root"]}, "scopes"),
            ({"name": "  "}, "name"),
            ({"budget": "0"}, "budget"),
            ({"budget": "-5"}, "budget"),
            ({"expires_at": "2020-01-01T00:00"}, "expires_at"),
            ({"expires_at": "soon"}, "expires_at"),
            ({"tenant": ""}, "tenant"),
        ],
    )
    def test_refuses_what_makes_no_key(
        self, changes: dict[str, Any], field: str, browser: Client, seeblick: Tenant
    ) -> None:
        response = generate(browser, seeblick, **changes)

        assert field in errors_of(response)
        assert ApiKey.objects.of(seeblick).count() == 1
        assert TOKEN.search(response.content.decode()) is None

    def test_offers_one_button_as_the_token_needs_a_page(self, browser: Client, seeblick: Tenant) -> None:
        assert browser.get(ADD).content.decode().count('type="submit"') == 2  # Generate, and signing out

        token_on(generate(browser, seeblick, _addanother="1", _continue="1", _popup="1"))


class TestTheToken:
    """… and the hash: after its one page, nowhere to be found."""

    def test_is_on_no_page_afterwards(self, here: Campground, superuser: User) -> None:
        browser = sign_in(superuser)
        token = token_on(generate(browser, here.tenant))
        Till(token).get("/ping/")
        encoded = ApiKey.objects.latest("pk").token_hash
        _, _, _, _, salt, digest = encoded.split("$")

        pages = crawl(browser)

        assert len(pages) > 60
        assert f"/admin/apikeys/apikey/{ApiKey.objects.latest('pk').pk}/history/" in pages
        assert [page for page in pages.values() if token[:11] in page]
        for secret in (token[11:], encoded, salt, digest, "argon2", here.token[11:]):
            assert not [address for address, page in pages.items() if secret in page]

    def test_is_not_in_what_the_server_keeps(self, browser: Client, seeblick: Tenant, caplog: Any) -> None:
        with caplog.at_level("DEBUG"):
            secret = token_on(generate(browser, seeblick))[11:]

        assert not [entry for entry in LogEntry.objects.values() if secret in str(entry)]
        assert not [session for session in Session.objects.all() if secret in str(session.get_decoded())]
        assert not [cookie for cookie in browser.cookies.values() if secret in str(cookie)]
        assert secret not in caplog.text

    def test_is_not_shown_by_a_get(self, browser: Client, seeblick: Tenant) -> None:
        secret = token_on(generate(browser, seeblick))[11:]

        for address in (ADD, LIST, "/admin/"):
            assert secret not in browser.get(address).content.decode()


class TestTheListOfKeys:
    @pytest.fixture
    def keys(self, seeblick: Tenant) -> dict[str, ApiKey]:
        past = datetime(2026, 5, 1, tzinfo=timezone.utc)
        keys = {
            "active": mint(seeblick, name="Active", expires_at=clock.now() + timedelta(days=1)).key,
            "expired": mint(seeblick, name="Expired", expires_at=past).key,
            "revoked": mint(seeblick, name="Revoked", expires_at=past).key,
        }
        keys["revoked"].revoke(at=past)
        return keys

    @pytest.mark.parametrize("state", ["active", "expired", "revoked"])
    def test_can_be_narrowed_to_a_state(self, state: str, keys: dict[str, ApiKey], superuser: User) -> None:
        listed = sign_in(superuser).get(LIST, {"state": state}).context["cl"].result_list

        assert [(key.pk, key.state) for key in listed] == [(keys[state].pk, state)]

    def test_finds_names_and_prefixes(self, keys: dict[str, ApiKey], superuser: User) -> None:
        for words in ("expir", keys["expired"].prefix):
            listed = sign_in(superuser).get(LIST, {"q": words}).context["cl"].result_list

            assert [key.pk for key in listed] == [keys["expired"].pk]

    def test_says_when_a_key_was_used_last(self, browser: Client, here: Campground) -> None:
        used = datetime(2026, 7, 1, 10, 30, tzinfo=timezone.utc)
        ApiKey.objects.filter(pk=here.rows[ApiKey].pk).update(last_used_at=used)

        assert "01.07.2026 12:30:00" in browser.get(LIST).content.decode()


class TestAKeyThatExists:
    def test_can_be_renamed_and_nothing_else(self, browser: Client, here: Campground) -> None:
        key = here.rows[ApiKey]
        before = ApiKey.objects.values().get(pk=key.pk)
        forged = {
            "name": "Kiosk am See",
            "scopes": ["pos:read"],
            "budget": "5",
            "prefix": "ck_forged00",
            "token_hash": "forged",
            "expires_at": "2031-01-01T00:00",
            "revoked_at_0": "2026-01-01",
            "revoked_at_1": "00:00",
        }

        browser.post(f"{LIST}{key.pk}/change/", forged)

        assert ApiKey.objects.values().get(pk=key.pk) == {**before, "name": "Kiosk am See"}

    def test_stays_revoked_when_it_is_renamed(self, browser: Client, here: Campground) -> None:
        key = here.rows[ApiKey]
        revoke(browser, key)

        browser.post(f"{LIST}{key.pk}/change/", {"name": "Kiosk", "revoked_at": ""})

        key.refresh_from_db()
        assert key.revoked_at is not None


class TestRevoking:
    def test_asks_first(self, browser: Client, here: Campground) -> None:
        response = revoke(browser, here.rows[ApiKey], confirmed=False)

        assert here.rows[ApiKey].prefix in response.content.decode()
        assert Till(here.token).get("/ping/").status_code == 200

    def test_bites_on_the_very_next_call(self, browser: Client, here: Campground) -> None:
        till = Till(here.token)
        assert till.get("/ping/").status_code == 200

        revoke(browser, here.rows[ApiKey])

        assert till.get("/ping/").status_code == 401

    def test_is_for_ever(self, browser: Client, here: Campground) -> None:
        revoke(browser, here.rows[ApiKey])
        first = ApiKey.objects.get(pk=here.rows[ApiKey].pk).revoked_at

        revoke(browser, here.rows[ApiKey])

        assert ApiKey.objects.get(pk=here.rows[ApiKey].pk).revoked_at == first
        assert LogEntry.objects.filter(object_id=str(here.rows[ApiKey].pk)).count() == 1

    def test_is_remembered_with_the_name_of_who_did_it(self, browser: Client, here: Campground) -> None:
        revoke(browser, here.rows[ApiKey])

        entry = LogEntry.objects.get(object_id=str(here.rows[ApiKey].pk))
        assert (entry.user, entry.get_change_message()) == (here.admin, gettext("Revoked."))

    def test_leaves_the_neighbours_alone(self, browser: Client, neighbour: Campground) -> None:
        revoke(browser, neighbour.rows[ApiKey])

        assert Till(neighbour.token).get("/ping/").status_code == 200

    def test_is_not_for_staff(self, here: Campground) -> None:
        revoke(sign_in(here.staff), here.rows[ApiKey])

        assert Till(here.token).get("/ping/").status_code == 200
        assert "revoke_keys" not in sign_in(here.staff).get(LIST).content.decode()

    def test_reaches_all_keys_of_a_list(self, browser: Client, here: Campground, neighbour: Campground) -> None:
        mint(here.tenant, name="Zettle")
        asked = {"action": "revoke_keys", "_selected_action": [here.rows[ApiKey].pk], "select_across": "1"}

        page = browser.post(LIST, asked)

        assert {key.name for key, _ in page.context["keys"]} == {"Zettle", "seeblick Kiosk"}
