"""The status pill: one colour for the whole bridge, and why."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from apikeys.minting import Minted
from apikeys.models import ApiKey, Scope
from kasse.cash import CountedCash
from kasse.closing import close_day
from kasse.models import Source
from kasse.recording import record_transaction
from pos_bridge.deciding import decide
from pos_bridge.models import BridgeSettings, Decision, InboundBatch, InboundCall, ParkedSale
from pos_bridge.pill import Pill, pill_of
from tenants.models import Role, Tenant
from tests.factories import NOON, member, mint
from tests.kasse.sales import DAY, breakfast, coffee, croissant
from tests.till import Till, croissants_and_coffee

HOUR = timedelta(hours=1)
WITH_RATES = [
    {"description": "Croissant", "quantity": 1, "unit_price": "12.50", "line_total": "12.50", "vat_rate": "2.6"}
]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)


def codes(pill: Pill) -> list[str]:
    return [reason.code for reason in pill.reasons]


def sale(**changes: Any) -> dict[str, Any]:
    """A sale without anything remarkable."""
    return croissants_and_coffee(items=WITH_RATES, **changes)


class TestThePill:
    def test_is_green_when_there_is_nothing_to_say(self, seeblick: Tenant, till: Till) -> None:
        assert till.post(sale()).status_code == 201
        till.get("/products/")

        assert pill_of(seeblick, at=NOON) == Pill("green")

    def test_is_grey_when_switched_off_whatever_else_there_is(self, seeblick: Tenant, till: Till) -> None:
        till.post({})
        BridgeSettings.objects.create(tenant=seeblick, enabled=False)

        pill = pill_of(seeblick, at=NOON)

        assert (pill.colour, codes(pill)) == ("grey", ["switched_off"])

    def test_is_grey_when_switched_off_before_the_first_key(self, seeblick: Tenant) -> None:
        BridgeSettings.objects.create(tenant=seeblick, enabled=False)

        assert pill_of(seeblick, at=NOON).colour == "grey"

    def test_asks_two_queries_and_once_a_day_a_third(self, seeblick: Tenant, till: Till) -> None:
        for number in range(12):
            till.post(sale(external_ref=f"T-{number}"))
            mint(seeblick, name=f"Till {number}")

        for expected in (3, 2, 2):
            with CaptureQueriesContext(connection) as asked:
                pill_of(seeblick, at=NOON)
            assert len(asked) == expected


class TestARedPill:
    @pytest.mark.parametrize(
        "ended",
        [
            {"revoked_at": NOON},
            {"expires_at": NOON},
            {"scopes": [Scope.POS_READ]},
        ],
    )
    def test_means_that_no_key_may_send_sales(self, seeblick: Tenant, key: Minted, ended: dict[str, Any]) -> None:
        assert pill_of(seeblick, at=NOON).colour == "green"

        ApiKey.objects.filter(pk=key.key.pk).update(**ended)

        pill = pill_of(seeblick, at=NOON)
        assert (pill.colour, codes(pill)) == ("red", ["no_writing_key"])

    def test_comes_before_the_first_key(self, seeblick: Tenant, waldrand: Tenant) -> None:
        mint(waldrand)

        assert codes(pill_of(seeblick, at=NOON)) == ["no_writing_key"]

    def test_means_that_the_last_five_calls_have_failed(
        self, seeblick: Tenant, till: Till, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = []
        for number in range(5):
            call_answered(seeblick, NOON - HOUR + timedelta(minutes=number), 500)
            seen.append(pill_of(seeblick, at=NOON).colour)

        assert seen == ["yellow"] * 4 + ["red"]
        assert codes(pill_of(seeblick, at=NOON)) == ["failing", "failed_calls"]

    def test_ends_with_the_first_call_that_is_answered(self, seeblick: Tenant, till: Till) -> None:
        for number in range(5):
            call_answered(seeblick, NOON - HOUR + timedelta(minutes=number), 503)
        till.post(sale())

        pill = pill_of(seeblick, at=NOON)

        assert (pill.colour, codes(pill)) == ("yellow", ["failed_calls"])


def post_many(till: Till, *sales: dict[str, Any], query: str = "") -> None:
    """A batch, which is answered 200 whatever becomes of its sales."""
    body = json.dumps({"transactions": sales}).encode()
    assert till.call("POST", f"/transactions/batch/{query}", body=body).status_code == 200


def call_answered(tenant: Tenant, at: datetime, status: int) -> None:
    """A row of the log."""
    key = ApiKey.objects.of(tenant).first()
    InboundCall.objects.create(
        at=at,
        tenant=tenant,
        api_key=key,
        key_prefix=key.prefix if key else "",
        method="POST",
        path="/api/v1/public/pos/transactions/",
        status=status,
        latency_ms=1,
        request_id="r",
        outcome="failed" if status >= 500 else "refused",
        request_bytes=0,
    )


class TestAYellowPill:
    @pytest.mark.parametrize("status", [400, 403, 404, 409, 429])
    def test_counts_the_calls_refused_within_a_day(self, seeblick: Tenant, key: Minted, status: int) -> None:
        call_answered(seeblick, NOON - 24 * HOUR + timedelta(seconds=1), status)
        call_answered(seeblick, NOON, status)

        (reason,) = pill_of(seeblick, at=NOON).reasons

        assert reason.code == "refused_calls"
        assert "2" in reason.sentence

    @pytest.mark.parametrize(("status", "ago"), [(401, 0), (400, 24), (500, 24), (201, 0)])
    def test_is_not_for_wrong_keys_nor_for_yesterday(
        self, seeblick: Tenant, key: Minted, status: int, ago: int
    ) -> None:
        call_answered(seeblick, NOON - ago * HOUR, status)

        assert pill_of(seeblick, at=NOON).colour == "green"

    @pytest.mark.parametrize("broken", [{"total_amount": "1.00"}, {"currency": "EUR"}])
    def test_tells_of_batches_of_which_not_all_was_taken(
        self, seeblick: Tenant, till: Till, broken: dict[str, Any]
    ) -> None:
        post_many(till, sale(external_ref="T-1"), sale(external_ref="T-2"))
        assert pill_of(seeblick, at=NOON).colour == "green"

        post_many(till, sale(external_ref="T-3"), sale(external_ref="T-4", **broken))
        post_many(till, sale(external_ref="T-4", **broken))

        (reason,) = pill_of(seeblick, at=NOON).reasons
        assert reason.code == "refused_in_batches"
        assert "2" in reason.sentence
        assert codes(pill_of(seeblick, at=NOON + 25 * HOUR)) == []

    def test_tells_of_a_batch_of_which_a_sale_has_failed(self, seeblick: Tenant, till: Till) -> None:
        post_many(till, sale(external_ref="T-1"))
        InboundBatch.objects.update(failed=1)

        assert codes(pill_of(seeblick, at=NOON)) == ["refused_in_batches"]

    def test_is_not_for_a_batch_that_was_only_tried_out(self, seeblick: Tenant, till: Till) -> None:
        post_many(till, sale(total_amount="1.00"), query="?dry_run=1")

        assert pill_of(seeblick, at=NOON).colour == "green"

    def test_stays_while_a_parked_sale_waits(self, seeblick: Tenant, till: Till) -> None:
        till.post(sale())
        till.post(sale(payment_method="CARD"))
        next_week = NOON + timedelta(days=7)

        assert codes(pill_of(seeblick, at=next_week)) == ["parked_sales"]

        admin = member(seeblick, Role.TENANT_ADMIN)
        parked = ParkedSale.objects.get()
        decide(tenant=seeblick, parked=parked.pk, decision=Decision.KEEP, by=admin, at=next_week)
        assert pill_of(seeblick, at=next_week).colour == "green"

    def test_tells_of_sales_whose_vat_nobody_knows(self, seeblick: Tenant, till: Till) -> None:
        till.post(croissants_and_coffee())

        assert codes(pill_of(seeblick, at=NOON)) == ["unknown_vat"]
        assert codes(pill_of(seeblick, at=NOON + 25 * HOUR)) == []

    def test_is_not_for_a_voucher_which_has_no_vat(self, seeblick: Tenant, till: Till) -> None:
        till.post(croissants_and_coffee(items=[{**WITH_RATES[0], "vat_rate": None, "kind": "VOUCHER_SALE"}]))

        assert pill_of(seeblick, at=NOON).colour == "green"

    def test_tells_of_sales_that_came_after_their_day_was_closed(self, seeblick: Tenant, till: Till) -> None:
        close_day(tenant=seeblick, day=DAY, by=None, counted=CountedCash(), at=NOON)
        till.post(sale())

        assert codes(pill_of(seeblick, at=NOON)) == ["late_sales"]
        assert codes(pill_of(seeblick, at=NOON + 25 * HOUR)) == []

    def test_tells_of_a_till_that_is_silent(self, seeblick: Tenant, key: Minted) -> None:
        open_for_weeks(seeblick, key.key)

        assert pill_of(seeblick, at=NOON - 5 * HOUR).colour == "green"
        (reason,) = pill_of(seeblick, at=NOON).reasons
        assert reason.code == "silent_till"
        assert "Shop till" in reason.sentence
        # On the campground's wall.
        assert "28.04.2026 19:00:00" in reason.sentence

    def test_is_not_for_a_till_that_is_revoked(self, seeblick: Tenant, key: Minted) -> None:
        open_for_weeks(seeblick, key.key)
        mint(seeblick, name="New till")
        key.key.revoke(at=NOON)

        assert pill_of(seeblick, at=NOON).colour == "green"

    @pytest.mark.parametrize(
        ("minutes", "expected"), [(0, []), (2, []), (-3, []), (3, ["clock_ahead"]), (4, ["clock_ahead"])]
    )
    def test_tells_of_a_clock_that_is_nearly_refused(
        self, seeblick: Tenant, till: Till, minutes: int, expected: list[str]
    ) -> None:
        till.post(sale(sent_at=(NOON + timedelta(minutes=minutes)).isoformat()))

        assert codes(pill_of(seeblick, at=NOON)) == expected

    @pytest.mark.parametrize("minutes", [3, -3])
    def test_tells_of_a_clock_that_could_change_the_day(self, seeblick: Tenant, till: Till, minutes: int) -> None:
        """On its wall it is the first minute of a day. A clock behind tells of the day before."""
        Tenant.objects.filter(pk=seeblick.pk).update(zone="Etc/GMT-12")
        seeblick.refresh_from_db()
        till.post(sale(sent_at=(NOON + timedelta(minutes=minutes)).isoformat()))

        expected = {3: ["clock_ahead"], -3: ["clock_drift"]}
        assert codes(pill_of(seeblick, at=NOON)) == expected[minutes]

    def test_leads_to_pages_that_there_are(self, seeblick: Tenant, till: Till) -> None:
        open_for_weeks(seeblick, ApiKey.objects.of(seeblick).get())
        till.post(croissants_and_coffee(sent_at=(NOON + timedelta(minutes=4)).isoformat()))
        till.post(croissants_and_coffee(payment_method="CARD"))
        post_many(till, sale(total_amount="1.00"))
        mint(seeblick, name="Other till")

        pill = pill_of(seeblick, at=NOON)

        assert codes(pill) == ["parked_sales", "refused_calls", "refused_in_batches", "unknown_vat", "clock_ahead"]
        for reason in pill.reasons:
            resolve(reason.link.partition("?")[0].partition("#")[0])

    def test_is_not_for_what_the_neighbour_does(
        self, seeblick: Tenant, waldrand: Tenant, key: Minted, neighbours_till: Till
    ) -> None:
        neighbours_till.post({})
        post_many(neighbours_till, sale(external_ref="T-9", total_amount="1.00"))
        neighbours_till.post(croissants_and_coffee())
        neighbours_till.post(croissants_and_coffee(payment_method="CARD"))
        open_for_weeks(waldrand, ApiKey.objects.of(waldrand).get())
        BridgeSettings.objects.create(tenant=waldrand, enabled=False)

        assert pill_of(seeblick, at=NOON) == Pill("green")


def open_for_weeks(tenant: Tenant, key: ApiKey) -> None:
    """Sold each hour from 8 to 19 by the wall in Zurich, for two weeks until yesterday."""
    taxed = tuple(each(vat_rate=Decimal("2.6")) for each in (croissant, coffee))
    for day in range(1, 15):
        for hour in range(6, 18):
            at = datetime(2026, 4, 29, hour, tzinfo=timezone.utc) - timedelta(days=day)
            record_transaction(
                tenant=tenant,
                sale=breakfast(external_ref=f"past-{at.isoformat()}", occurred_at=at, items=taxed),
                source=Source.EXTERNAL_POS,
                received_at=at,
                api_key=key,
            )
