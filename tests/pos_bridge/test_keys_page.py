"""API keys on the campground's own pages: minted once, shown once, revoked for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from apikeys.minting import Minted
from apikeys.models import ApiKey
from pos_bridge.models import InboundCall
from tenants.models import Role, Tenant
from tenants.trail_models import Trace
from tests.factories import mint
from tests.pos_bridge.browsing import KEYS, MINT, MOST_QUERIES, TOKEN, at_work, form_id, generate, shown, values
from tests.till import Till, body_of, croissants_and_coffee


def token_on(response: Any) -> str:
    """The token of a page that shows one, in one place only."""
    (token,) = TOKEN.findall(shown(response))
    return str(token)


@pytest.fixture
def chief(seeblick: Tenant, waldrand: Tenant) -> Client:
    return at_work(seeblick)


class TestMinting:
    def test_gives_a_token_that_works(self, chief: Client) -> None:
        till = Till(token_on(generate(chief)))

        assert till.get("/ping/").status_code == 200
        assert till.post(croissants_and_coffee()).status_code == 201

    def test_gives_no_more_than_was_ticked(self, chief: Client) -> None:
        till = Till(token_on(generate(chief, scopes=["pos:read"])))

        assert body_of(till.post(croissants_and_coffee()))["required_scope"] == "pos:write"

    def test_keeps_what_was_chosen_on_the_campgrounds_clock(self, seeblick: Tenant) -> None:
        seeblick.zone = "America/Santiago"
        seeblick.save()

        generate(at_work(seeblick), budget="", expires_at="2031-07-01T18:00", name="  Zettle  ")

        key = ApiKey.objects.of(seeblick).get()
        assert (key.name, key.budget) == ("Zettle", None)
        assert key.expires_at == datetime(2031, 7, 1, 18, 0, tzinfo=ZoneInfo("America/Santiago"))

    def test_is_for_the_campground_of_the_page_whatever_is_posted(
        self, chief: Client, seeblick: Tenant, waldrand: Tenant
    ) -> None:
        generate(chief, tenant=waldrand.pk)

        assert (ApiKey.objects.of(seeblick).count(), ApiKey.objects.of(waldrand).count()) == (1, 0)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"scopes": []}, "scopes"),
            ({"scopes": ["pos:read", "root"]}, "scopes"),
            ({"name": "  "}, "name"),
            ({"name": "x" * 121}, "name"),
            ({"budget": "0"}, "budget"),
            ({"budget": "9" * 30}, "budget"),
            ({"expires_at": "2020-01-01T00:00"}, "expires_at"),
            ({"expires_at": "9999-12-31T23:59"}, "expires_at"),
            ({"expires_at": "soon"}, "expires_at"),
            ({"form_id": "nonsense"}, "form_id"),
            ({"form_id": ""}, "form_id"),
        ],
    )
    def test_refuses_what_makes_no_key(self, changes: dict[str, Any], field: str, chief: Client) -> None:
        response = generate(chief, **changes)

        assert set(response.context["form"].errors) == {field}
        assert TOKEN.search(shown(response)) is None
        assert not ApiKey.objects.exists()

    def test_is_not_for_staff(self, seeblick: Tenant) -> None:
        browser = at_work(seeblick, Role.STAFF)

        assert browser.get(MINT).status_code == 403
        assert browser.post(MINT, {"name": "Zettle"}).status_code == 403
        assert not ApiKey.objects.exists()

    def test_is_remembered_with_the_name_of_who_did_it(self, chief: Client) -> None:
        generate(chief)

        entry = Trace.objects.across_tenants().get()
        assert (entry.deed, entry.by_id) == ("key.minted", int(chief.session["_auth_user_id"]))


class TestTheSameFormSentTwice:
    def test_mints_one_key_and_leads_to_the_list(self, chief: Client) -> None:
        number = form_id(chief)
        token_on(generate(chief, form_id=number))

        again = generate(chief, form_id=number)

        assert (again.status_code, again["Location"]) == (302, KEYS)
        assert ApiKey.objects.count() == 1
        assert "messages" in shown(chief.get(KEYS))

    def test_is_told_from_another_campgrounds_form(self, chief: Client, waldrand: Tenant) -> None:
        number = form_id(chief)
        token_on(generate(chief, form_id=number))

        token_on(generate(at_work(waldrand), form_id=number))

        assert ApiKey.objects.of(waldrand).count() == 1


class TestTheToken:
    def test_may_not_be_kept_by_a_cache(self, chief: Client) -> None:
        assert "no-store" in generate(chief).headers["Cache-Control"]

    def test_is_nowhere_afterwards(self, chief: Client, caplog: Any) -> None:
        with caplog.at_level("DEBUG"):
            token = token_on(generate(chief))
        Till(token).get("/ping/")
        key = ApiKey.objects.get()
        paths = [KEYS, MINT, f"{KEYS}/{key.pk}/widerrufen", "/einstellungen/integrationen/protokoll"]
        paths += ["/einstellungen/integrationen", f"/einstellungen/integrationen/kasse-verbinden/{key.pk}"]

        for path in paths:
            page = shown(chief.get(path))
            assert token[11:] not in page
            assert key.token_hash not in page

        assert not [entry for entry in Trace.objects.across_tenants().values() if token[11:] in str(entry)]
        assert not [session for session in Session.objects.all() if token[11:] in str(session.get_decoded())]
        assert token[11:] not in caplog.text


class TestTheList:
    @pytest.fixture
    def keys(self, seeblick: Tenant) -> dict[str, ApiKey]:
        now = timezone.now()
        ends = {"active": None, "expires_soon": now + timedelta(days=3), "expired": now - timedelta(days=3)}
        keys = {state: mint(seeblick, name=state, expires_at=end).key for state, end in ends.items()}
        keys["revoked"] = mint(seeblick, name="revoked").key
        keys["revoked"].revoke(at=now)
        return keys

    def test_says_in_which_state_each_key_is(self, keys: dict[str, ApiKey], chief: Client) -> None:
        page = shown(chief.get(KEYS))

        pairs = dict(zip(values(page, "key"), values(page, "state"), strict=True))
        assert pairs == {str(key.pk): state for state, key in keys.items()}
        assert values(page, "state")[:2] == ["expires_soon", "active"]

    def test_offers_to_revoke_what_lives_alone(self, keys: dict[str, ApiKey], chief: Client, seeblick: Tenant) -> None:
        page = shown(chief.get(KEYS))

        offered = {state for state, key in keys.items() if f"{KEYS}/{key.pk}/widerrufen" in page}
        assert offered == {"active", "expires_soon"}
        assert "/widerrufen" not in shown(at_work(seeblick, Role.STAFF).get(KEYS))

    def test_counts_the_calls_of_today(self, chief: Client, key: Minted, till: Till, neighbours_till: Till) -> None:
        for _ in range(3):
            till.get("/ping/")
            neighbours_till.get("/ping/")
        yesterday = InboundCall.objects.filter(api_key=key.key).latest("at")
        InboundCall.objects.filter(pk=yesterday.pk).update(at=yesterday.at - timedelta(days=2))

        rows = chief.get(KEYS).context["rows"]

        assert [(row.key, row.calls_today) for row in rows] == [(key.key, 2)]

    def test_asks_the_database_as_often_whatever_there_is(
        self, chief: Client, seeblick: Tenant, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(12):
            Till(mint(seeblick, name=f"Kasse {number}").token).get("/ping/")

        with django_assert_max_num_queries(MOST_QUERIES):
            chief.get(KEYS)

    def test_shows_names_as_they_were_typed(self, chief: Client, seeblick: Tenant) -> None:
        mint(seeblick, name='<script>alert("1")</script>')

        page = shown(chief.get(KEYS))

        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page

    def test_is_cut_off_where_nobody_reads_on(
        self, chief: Client, monkeypatch: pytest.MonkeyPatch, seeblick: Tenant
    ) -> None:
        monkeypatch.setattr("pos_bridge.pages.keys.MOST_SHOWN", 2)
        for name in ("Shop", "Bistro", "Kiosk"):
            mint(seeblick, name=name)

        context = chief.get(KEYS).context

        assert (len(context["rows"]), context["more"]) == (2, True)


class TestRevoking:
    def test_asks_first(self, chief: Client, key: Minted, till: Till) -> None:
        assert key.key.prefix in shown(chief.get(f"{KEYS}/{key.key.pk}/widerrufen"))

        assert till.get("/ping/").status_code == 200

    def test_bites_on_the_very_next_call(self, chief: Client, key: Minted, till: Till) -> None:
        assert till.get("/ping/").status_code == 200

        chief.post(f"{KEYS}/{key.key.pk}/widerrufen")

        assert till.get("/ping/").status_code == 401

    def test_is_for_ever_and_noted_once(self, chief: Client, key: Minted) -> None:
        chief.post(f"{KEYS}/{key.key.pk}/widerrufen")
        first = ApiKey.objects.get().revoked_at

        chief.post(f"{KEYS}/{key.key.pk}/widerrufen")

        assert ApiKey.objects.get().revoked_at == first
        assert Trace.objects.across_tenants().filter(deed="key.revoked").count() == 1

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_of_a_neighbours_key_finds_nothing(self, method: str, chief: Client, waldrand: Tenant) -> None:
        theirs = mint(waldrand)

        assert getattr(chief, method)(f"{KEYS}/{theirs.key.pk}/widerrufen").status_code == 404
        assert Till(theirs.token).get("/ping/").status_code == 200

    def test_is_not_for_staff(self, seeblick: Tenant, key: Minted, till: Till) -> None:
        assert at_work(seeblick, Role.STAFF).post(f"{KEYS}/{key.key.pk}/widerrufen").status_code == 403
        assert till.get("/ping/").status_code == 200


class TestTheNeighbour:
    def test_sees_nothing_of_our_keys(self, waldrand: Tenant, key: Minted) -> None:
        page = shown(at_work(waldrand).get(KEYS))

        assert key.key.prefix not in page
        assert values(page, "key") == []
