"""A key on the campground's own pages: replaced with its token shown once, and changed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apikeys.minting import Minted
from apikeys.models import ApiKey
from apikeys.replacing import replace_key
from tenants.models import Role, Tenant
from tenants.trail_models import Trace
from tests.factories import mint
from tests.pos_bridge.browsing import CARD, CONNECT, KEYS, LOG, MOST_QUERIES, TOKEN, at_work, form_id, shown, values
from tests.till import Till, body_of, croissants_and_coffee

DAY = timedelta(days=1)
WANTED = {"name": "Kiosk", "expires_at": "", "budget": "400", "networks": "192.0.2.7"}


@pytest.fixture
def chief(seeblick: Tenant, waldrand: Tenant) -> Client:
    return at_work(seeblick)


def replacing(key: ApiKey) -> str:
    return f"{KEYS}/{key.pk}/ersetzen"


def changing(key: ApiKey) -> str:
    return f"{KEYS}/{key.pk}/aendern"


def replace(browser: Client, key: ApiKey, **told: Any) -> Any:
    """Open the form, and send it."""
    return browser.post(replacing(key), {"form_id": form_id(browser, replacing(key)), **told})


def end_of(minted: Minted) -> datetime:
    """When a key ends that has an end."""
    ends = ApiKey.objects.get(pk=minted.key.pk).expires_at
    assert ends is not None
    return ends


def token_on(response: Any) -> str:
    (token,) = TOKEN.findall(shown(response))
    return str(token)


class TestReplacing:
    def test_gives_a_token_that_works_beside_the_old_one_until_it_is_used(self, chief: Client, key: Minted) -> None:
        new = Till(token_on(replace(chief, key.key)))
        old = Till(key.token)
        assert old.post(croissants_and_coffee(external_ref="T-1")).status_code == 201
        assert timezone.now() + 6 * DAY < end_of(key) < timezone.now() + 8 * DAY

        assert new.post(croissants_and_coffee(external_ref="T-1")).status_code == 200
        assert old.post(croissants_and_coffee(external_ref="T-2")).status_code == 201

        assert end_of(key) < timezone.now() + 2 * DAY

    def test_says_until_when_the_old_one_goes_on(self, chief: Client, key: Minted) -> None:
        page = shown(replace(chief, key.key))

        ends = end_of(key).astimezone(key.key.tenant.zone_info)
        assert ends.strftime("%d.%m.%Y") in page
        assert ends.strftime("%H:%M") in page
        assert 'id="overlap"' in page

    def test_ends_one_that_has_leaked_at_once(self, chief: Client, key: Minted) -> None:
        new = Till(token_on(replace(chief, key.key, leaked="on")))

        assert [till.get("/ping/").status_code for till in (new, Till(key.token))] == [200, 401]

    def test_keeps_what_the_old_one_had_and_gives_it_the_end_that_was_typed(self, seeblick: Tenant) -> None:
        seeblick.zone = "America/Santiago"
        seeblick.save()
        old = mint(seeblick, budget=17, networks=["192.0.2.0/24"]).key

        replace(at_work(seeblick), old, expires_at="2031-07-01T18:00")

        new = ApiKey.objects.get(replaces=old)
        assert (new.name, new.budget, new.networks) == (old.name, 17, ["192.0.2.0/24"])
        assert new.expires_at == datetime(2031, 7, 1, 18, 0, tzinfo=ZoneInfo("America/Santiago"))

    def test_proposes_the_life_that_the_old_one_had(self, chief: Client, seeblick: Tenant) -> None:
        created = timezone.now() - 360 * DAY
        old = mint(seeblick, at=created, expires_at=created + 365 * DAY).key

        page = shown(chief.get(replacing(old)))

        expected = (timezone.now() + 365 * DAY).astimezone(seeblick.zone_info).strftime("%Y-%m-%d")
        assert re.search(rf'name="expires_at" value="{expected}T', page)

    @pytest.mark.parametrize(
        ("told", "field"),
        [
            ({"expires_at": "2020-01-01T00:00"}, "expires_at"),
            ({"expires_at": "9999-12-31T23:59"}, "expires_at"),
            ({"expires_at": "soon"}, "expires_at"),
            ({"form_id": "nonsense"}, "form_id"),
        ],
    )
    def test_refuses_what_makes_no_key(self, chief: Client, key: Minted, told: dict[str, str], field: str) -> None:
        response = replace(chief, key.key, **told)

        assert set(response.context["form"].errors) == {field}
        assert ApiKey.objects.count() == 1

    def test_sent_twice_mints_one_key_and_shows_nobody_its_token(self, chief: Client, key: Minted) -> None:
        number = form_id(chief, replacing(key.key))
        token = token_on(chief.post(replacing(key.key), {"form_id": number}))

        again = chief.post(replacing(key.key), {"form_id": number}, follow=True)

        assert again.redirect_chain == [(KEYS, 302)]
        assert TOKEN.search(shown(again)) is None
        assert ApiKey.objects.count() == 2
        assert all(token not in str(session.get_decoded()) for session in Session.objects.all())
        assert all(token not in str(vars(row)) for row in Trace.objects.across_tenants())

    def test_may_not_be_kept_by_a_cache(self, chief: Client, key: Minted) -> None:
        assert "no-store" in replace(chief, key.key)["Cache-Control"]

    @pytest.mark.parametrize("address", [replacing, changing])
    def test_is_not_for_a_key_that_has_ended_or_was_replaced(
        self, chief: Client, seeblick: Tenant, address: Any
    ) -> None:
        revoked, expired, replaced = (mint(seeblick).key for _ in range(3))
        revoked.revoke(at=timezone.now())
        ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
        by = replace_key(replaced, at=timezone.now()).key

        for key in (revoked, expired, replaced):
            assert chief.get(address(key))["Location"] == KEYS
            told = {"form_id": "5d6a2c1e-6f0b-4b4e-9c55-0d8f3f1f7a10", **WANTED}
            answer = chief.post(address(key), told, follow=True)
            assert answer.redirect_chain == [(KEYS, 302)]
        assert by.prefix in shown(answer)
        assert set(ApiKey.objects.values_list("pk", flat=True)) == {revoked.pk, expired.pk, replaced.pk, by.pk}
        assert not ApiKey.objects.filter(name="Kiosk").exists()

    @pytest.mark.parametrize("address", [replacing, changing])
    def test_is_for_the_campgrounds_own_admins_alone(self, seeblick: Tenant, waldrand: Tenant, address: Any) -> None:
        key, told = mint(seeblick).key, {"form_id": "5d6a2c1e-6f0b-4b4e-9c55-0d8f3f1f7a10", **WANTED}
        staff, neighbour, nobody = at_work(seeblick, Role.STAFF), at_work(waldrand), Client()

        for method in ("get", "post"):
            asked = [getattr(browser, method)(address(key), told) for browser in (staff, neighbour, nobody)]
            assert [answer.status_code for answer in asked] == [403, 404, 302]
        key.refresh_from_db()
        assert (key.name, key.expires_at, ApiKey.objects.count()) == ("Shop till", None, 1)


class TestChanging:
    def test_holds_from_the_next_call_on(self, chief: Client, key: Minted) -> None:
        till = Till(key.token)
        assert till.get("/ping/").status_code == 200

        answer = chief.post(changing(key.key), WANTED)

        assert answer["Location"] == KEYS
        key.key.refresh_from_db()
        assert (key.key.name, key.key.budget, key.key.networks) == ("Kiosk", 400, ["192.0.2.7/32"])
        assert body_of(till.get("/ping/"))["code"] == "address_not_allowed"

    def test_shows_what_holds_and_changes_nothing_if_sent_as_it_is(self, chief: Client, seeblick: Tenant) -> None:
        ends = (timezone.now() + 90 * DAY).replace(second=0, microsecond=0)
        key = mint(seeblick, networks=["192.0.2.0/24", "2001:db8::/48"], budget=17, expires_at=ends).key
        form = chief.get(changing(key)).context["form"]
        told = {field.html_name: field.value() if field.value() is not None else "" for field in form}
        told["expires_at"] = ends.astimezone(seeblick.zone_info).strftime("%Y-%m-%dT%H:%M")

        chief.post(changing(key), told)

        after = ApiKey.objects.get()
        assert (after.name, after.budget, after.expires_at) == (key.name, 17, ends)
        assert after.networks == ["192.0.2.0/24", "2001:db8::/48"]

    def test_leaves_token_scopes_and_all_else_alone(self, chief: Client, key: Minted) -> None:
        before: dict[str, Any] = {**ApiKey.objects.values().get()}

        chief.post(changing(key.key), {**WANTED, "scopes": ["pos:read"], "prefix": "ck_nobody99", "tenant": "1"})

        after: dict[str, Any] = {**ApiKey.objects.values().get()}
        assert {name for name in before if before[name] != after[name]} == {"name", "budget", "networks"}

    @pytest.mark.parametrize(
        ("told", "field"),
        [
            ({"name": " "}, "name"),
            ({"budget": "0"}, "budget"),
            ({"expires_at": "2020-01-01T00:00"}, "expires_at"),
            ({"networks": "192.0.2.7/24"}, "networks"),
            ({"networks": "kiosk.example"}, "networks"),
            ({"networks": "<script>"}, "networks"),
            ({"networks": "\x00"}, "networks"),
            ({"networks": " ".join(f"192.0.2.{n}" for n in range(51))}, "networks"),
            ({"networks": "1" * 3001}, "networks"),
        ],
    )
    def test_refuses_what_is_none(self, chief: Client, key: Minted, told: dict[str, str], field: str) -> None:
        response = chief.post(changing(key.key), {**WANTED, **told})

        assert set(response.context["form"].errors) == {field}
        assert "<script>\n" not in shown(response)
        assert ApiKey.objects.get().name == key.key.name

    def test_is_remembered_with_the_name_of_who_did_it(self, chief: Client, key: Minted) -> None:
        chief.post(changing(key.key), WANTED)

        row = Trace.objects.of(key.key.tenant).get(deed="key.changed")
        assert row.by_id == int(chief.session["_auth_user_id"])
        assert row.facts["networks"] == ["192.0.2.7/32"]


class TestTheList:
    def test_shows_old_and_new_and_who_waits_for_whom(self, chief: Client, key: Minted) -> None:
        new = replace_key(key.key, at=timezone.now())

        page = shown(chief.get(KEYS))
        assert values(page, "successor") == [str(new.key.pk)]
        assert page.count("data-waited-for") == 1
        assert page.count(f"{new.key.pk}/ersetzen") == 1
        assert f"{key.key.pk}/ersetzen" not in page

        Till(new.token).get("/ping/")
        assert "data-waited-for" not in shown(chief.get(KEYS))

    def test_offers_staff_no_deed(self, seeblick: Tenant, key: Minted) -> None:
        page = shown(at_work(seeblick, Role.STAFF).get(KEYS))

        assert "/ersetzen" not in page
        assert "/aendern" not in page

    @pytest.mark.parametrize(
        ("left", "told", "urgent"), [(40 * DAY, False, False), (29 * DAY, True, False), (6 * DAY, True, True)]
    )
    def test_says_which_key_ends_soon(
        self, chief: Client, seeblick: Tenant, *, left: timedelta, told: bool, urgent: bool
    ) -> None:
        key = mint(seeblick, expires_at=timezone.now() + left).key

        page = shown(chief.get(KEYS))

        assert values(page, "key-ends") == ([str(key.pk)] if told else [])
        assert ("data-urgent" in page) == urgent

    def test_is_as_many_questions_however_many_keys(
        self, chief: Client, seeblick: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(12):
            old = mint(seeblick, expires_at=timezone.now() + number * DAY + DAY)
            replace_key(old.key, at=timezone.now())
        chief.get(CARD)  # what is learnt once a day

        with django_assert_max_num_queries(MOST_QUERIES):
            shown(chief.get(KEYS))
        with django_assert_max_num_queries(MOST_QUERIES):
            shown(chief.get(CARD))


class TestTheCard:
    def colour_and_reasons(self, chief: Client) -> tuple[list[str], list[str]]:
        page = shown(chief.get(CARD))
        return values(page, "colour"), values(page, "reason")

    def test_has_a_note_at_30_days_and_turns_yellow_at_7(
        self, chief: Client, seeblick: Tenant, waldrand: Tenant
    ) -> None:
        mint(waldrand, expires_at=timezone.now() + DAY)
        key = mint(seeblick, expires_at=timezone.now() + 29 * DAY).key
        assert self.colour_and_reasons(chief) == (["green"], [])
        assert values(shown(chief.get(CARD)), "key-ends") == [str(key.pk)]

        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + 7 * DAY)

        assert self.colour_and_reasons(chief) == (["yellow"], ["key_ends"])

    def test_asks_for_the_new_token_and_is_green_again_when_the_till_has_it(self, chief: Client, key: Minted) -> None:
        new = replace_key(key.key, at=timezone.now())
        assert self.colour_and_reasons(chief) == (["yellow"], ["key_ends"])

        Till(new.token).get("/ping/")

        assert self.colour_and_reasons(chief) == (["green"], [])


class TestTheActivityOfATill:
    def test_is_shown_together_on_the_page_of_either_key(self, chief: Client, key: Minted, waldrand: Tenant) -> None:
        new = replace_key(key.key, at=timezone.now())
        Till(key.token).post(croissants_and_coffee(external_ref="T-1"))
        Till(new.token).post(croissants_and_coffee(external_ref="T-2"))
        Till(mint(waldrand).token).post(croissants_and_coffee(external_ref="T-3"))

        for each in (key.key, new.key):
            page = shown(chief.get(f"{CONNECT}/{each.pk}"))
            assert "T-1" in page
            assert "T-2" in page
            assert "T-3" not in page
            log = shown(chief.get(LOG, {"key": each.pk}))
            assert ("T-1" in log, "T-2" in log, "T-3" in log) == (True, True, False)
