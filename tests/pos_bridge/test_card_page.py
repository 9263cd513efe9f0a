"""The card "External Shop POS": the switch, the pill, today's counts, and a place for vendors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apikeys.minting import Minted
from pos_bridge.models import BridgeSettings, InboundCall
from pos_bridge.pages import vendors
from pos_bridge.pages.today import Today
from tenants.models import Role, Tenant
from tenants.trail_models import Trace
from tests.factories import NOON, mint
from tests.pos_bridge.browsing import CARD, LIVE, LOG, MOST_QUERIES, at_work, shown, values
from tests.till import Till, body_of, croissants_and_coffee

SWITCH = f"{CARD}/schalter"
VAT_RATE = f"{CARD}/mwst-satz"


@pytest.fixture
def chief(seeblick: Tenant, waldrand: Tenant) -> Client:
    return at_work(seeblick)


class TestTheCard:
    def test_shows_the_address_that_tills_are_given(self, chief: Client) -> None:
        assert 'value="https://api.campone.example/api/v1/public/pos/transactions/"' in shown(chief.get(CARD))

    def test_counts_what_came_in_today(
        self, chief: Client, till: Till, neighbours_till: Till, seeblick: Tenant
    ) -> None:
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee(total_amount="1.00"))
        till.get("/ping/")
        neighbours_till.get("/products/")

        context = chief.get(CARD).context

        counts = {outcome: count for outcome, _word, _badge, count in context["counts"] if count}
        assert counts == {"created": 1, "replayed": 1, "refused": 1, "read": 1}
        assert context["today"].calls == 4
        last = InboundCall.objects.filter(tenant=seeblick).latest("at", "pk")
        assert (context["today"].last, context["today"].last.outcome) == (last, "read")

    def test_says_when_a_key_was_used_last_where_nothing_came_today(
        self, chief: Client, till: Till, key: Minted
    ) -> None:
        till.get("/ping/")
        InboundCall.objects.update(at=NOON)

        context = chief.get(CARD).context

        key.key.refresh_from_db()
        assert (context["today"].last, context["last_used"]) == (None, key.key.last_used_at)
        assert key.key.last_used_at

    def test_says_why_the_pill_has_its_colour(self, chief: Client, till: Till) -> None:
        assert values(shown(chief.get(CARD)), "colour") == ["green"]
        till.post(croissants_and_coffee(total_amount="1.00"))

        page = shown(chief.get(CARD))

        assert values(page, "colour") == ["yellow"]
        assert "refused_calls" in values(page, "reason")

    def test_renews_its_live_part_alone(self, chief: Client, till: Till) -> None:
        till.get("/ping/")

        part = shown(chief.get(CARD, headers=LIVE))

        assert "<html" not in part
        assert values(part, "outcome") == ["read"]
        assert f'hx-get="{CARD}"' in part

    def test_asks_the_database_as_often_whatever_there_is(
        self, chief: Client, till: Till, seeblick: Tenant, django_assert_max_num_queries: Any
    ) -> None:
        BridgeSettings.objects.create(tenant=seeblick, default_vat_rate=Decimal("2.6"))
        for number in range(12):
            till.post(croissants_and_coffee(external_ref=f"shop-{number}"))

        with django_assert_max_num_queries(MOST_QUERIES):
            chief.get(CARD)  # the first look of a day, which learns the rhythm of the tills

    def test_shows_staff_everything_and_lets_them_change_nothing(self, seeblick: Tenant, key: Minted) -> None:
        browser = at_work(seeblick, Role.STAFF)

        page = shown(browser.get(CARD))

        assert LOG in page
        assert SWITCH not in page
        assert VAT_RATE not in page
        assert browser.get(SWITCH).status_code == 403
        assert browser.post(SWITCH, {"enabled": "off"}).status_code == 403
        assert browser.post(VAT_RATE, {"default_vat_rate": "8.10"}).status_code == 403
        assert not BridgeSettings.objects.exists()


class TestTheSwitch:
    def test_refuses_the_very_next_call_and_takes_the_one_after(self, chief: Client, till: Till) -> None:
        chief.post(SWITCH, {"enabled": "off"})
        assert body_of(till.post(croissants_and_coffee()))["code"] == "pos_bridge_disabled"
        assert values(shown(chief.get(CARD)), "colour") == ["grey"]

        chief.post(SWITCH, {"enabled": "on"})

        assert till.post(croissants_and_coffee()).status_code == 201

    def test_leaves_the_neighbours_tills_alone(self, chief: Client, neighbours_till: Till) -> None:
        chief.post(SWITCH, {"enabled": "off"})

        assert neighbours_till.post(croissants_and_coffee()).status_code == 201

    def test_asks_first(self, chief: Client, till: Till) -> None:
        assert 'value="off"' in shown(chief.get(SWITCH))
        assert till.get("/ping/").status_code == 200

    def test_asks_the_other_way_round_when_it_is_off(self, chief: Client) -> None:
        chief.post(SWITCH, {"enabled": "off"})

        assert 'value="on"' in shown(chief.get(SWITCH))

    def test_pressed_twice_stays_where_it_is(self, chief: Client, seeblick: Tenant) -> None:
        chief.post(SWITCH, {"enabled": "off"})
        chief.post(SWITCH, {"enabled": "off"})

        assert not BridgeSettings.objects.get(tenant=seeblick).enabled

    @pytest.mark.parametrize("value", ["", "maybe", "\x00"])
    def test_changes_nothing_for_what_it_does_not_know(self, value: str, chief: Client) -> None:
        assert chief.post(SWITCH, {"enabled": value}).status_code == 302

        assert not BridgeSettings.objects.exists()

    def test_keeps_the_vat_rate(self, chief: Client, seeblick: Tenant) -> None:
        chief.post(VAT_RATE, {"default_vat_rate": "8.10"})
        chief.post(SWITCH, {"enabled": "off"})

        assert BridgeSettings.objects.get(tenant=seeblick).default_vat_rate == Decimal("8.10")

    def test_is_remembered_with_the_name_of_who_did_it(self, chief: Client) -> None:
        chief.post(SWITCH, {"enabled": "off"})

        assert Trace.objects.across_tenants().get().by_id == int(chief.session["_auth_user_id"])


class TestTheDefaultVatRate:
    def test_holds_from_the_next_sale_on(self, chief: Client, till: Till) -> None:
        chief.post(VAT_RATE, {"default_vat_rate": "2.60"})

        answer = body_of(till.post(croissants_and_coffee()))

        assert {item["vat_rate"] for item in answer["items"]} == {"2.60"}

    def test_is_one_of_todays_or_none(self, chief: Client) -> None:
        form = chief.get(VAT_RATE).context["form"]

        assert [value for value, _ in form.fields["default_vat_rate"].choices] == ["", "8.10", "3.80", "2.60", "0.00"]

    @pytest.mark.parametrize("rate", ["7.70", "19", "NaN", "-1", "8.1; DROP", "9" * 60])
    def test_is_left_alone_by_what_is_none(self, rate: str, chief: Client, seeblick: Tenant) -> None:
        chief.post(VAT_RATE, {"default_vat_rate": "8.10"})

        refused = chief.post(VAT_RATE, {"default_vat_rate": rate})

        assert set(refused.context["form"].errors) == {"default_vat_rate"}
        assert BridgeSettings.objects.get(tenant=seeblick).default_vat_rate == Decimal("8.10")

    def test_can_be_taken_away(self, chief: Client, seeblick: Tenant) -> None:
        chief.post(VAT_RATE, {"default_vat_rate": "8.10"})

        chief.post(VAT_RATE, {"default_vat_rate": ""})

        assert BridgeSettings.objects.get(tenant=seeblick).default_vat_rate is None

    def test_of_yesteryear_is_pointed_out(self, chief: Client, seeblick: Tenant) -> None:
        BridgeSettings.objects.create(tenant=seeblick, default_vat_rate=Decimal("7.7"))

        assert 'id="rate-is-outdated"' in shown(chief.get(VAT_RATE))
        chief.post(VAT_RATE, {"default_vat_rate": "8.10"})
        assert 'id="rate-is-outdated"' not in shown(chief.get(VAT_RATE))


class TestTheCardsOfVendors:
    @pytest.fixture(autouse=True)
    def a_card(self, monkeypatch: pytest.MonkeyPatch) -> None:
        card = vendors.VendorCard("pos_bridge/_reference.html", lambda here: {"campground": here.tenant.name})
        monkeypatch.setattr(vendors, "VENDOR_CARDS", [card])

    def test_are_filled_for_the_campground_of_the_page(self, chief: Client) -> None:
        (card,) = chief.get(CARD).context["vendor_cards"]

        assert card == {"template": "pos_bridge/_reference.html", "campground": "Camping Seeblick"}


class TestANeighbour:
    def test_sees_nothing_of_our_tills(self, waldrand: Tenant, seeblick: Tenant) -> None:
        Till(mint(seeblick).token).get("/ping/")

        context = at_work(waldrand).get(CARD).context

        assert (context["today"], context["last_used"]) == (Today(), None)
