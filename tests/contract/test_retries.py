from __future__ import annotations

import json
import random
from typing import Any

import pytest

from kasse.models import Transaction
from pos_bridge.models import BridgeSettings
from tenants.models import Tenant
from tests.contract.sales import faults_of, gas_bottle, new_reference, new_sale, nothing_is_stored, warnings_of
from tests.till import Body, Till, body_of, croissants_and_coffee

CROISSANT, COFFEE = croissants_and_coffee()["items"]


class TestARetry:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"total_amount": "12.5"},
            {"total_amount": "00012.50"},
            {"occurred_at": "2026-04-29T10:14:32+02:00"},
            {"occurred_at": "2026-04-29t08:14:32.000z"},
            {"items": [COFFEE, CROISSANT]},
            {"items": [{**CROISSANT, "quantity": "2.000", "unit_price": "3.5000", "line_total": "7"}, COFFEE]},
            {"items": [{**CROISSANT, "sku": "", "category": None, "kind": "SALE", "vat_rate": None}, COFFEE]},
            {"currency": "CHF", "rounding_amount": "0", "tip_amount": "-0.00", "refund_of": "", "metadata": {}},
            {"payments": [{"amount": 12.5, "method": "CASH"}]},
            {"sent_at": "2026-04-29T08:20:00Z"},
            {"till_id": "", "receipt_seq": None},
        ],
    )
    def test_may_spell_the_same_sale_otherwise(self, till: Till, changes: Body) -> None:
        first = till.post(croissants_and_coffee())

        retry = till.post(croissants_and_coffee(**changes))

        assert (retry.status_code, retry["Idempotent-Replayed"]) == (200, "true")
        assert body_of(retry) == body_of(first)
        assert "Location" not in retry
        assert Transaction.objects.count() == 1

    def test_may_send_its_keys_in_any_order(self, till: Till) -> None:
        sale = new_sale(metadata={"b": 1, "a": {"d": 2, "c": 3}})
        first = till.post(sale)
        keys = list(sale)
        random.Random(4).shuffle(keys)

        retry = till.call(
            "POST", "/transactions/", body=json.dumps({key: sale[key] for key in keys}, indent=2).encode()
        )

        assert retry.status_code == 200
        assert body_of(retry) == body_of(first)

    def test_after_the_night_was_moved_is_still_one(self, till: Till, seeblick: Tenant) -> None:
        first = till.post(croissants_and_coffee(occurred_at="2026-04-29T00:30:00Z"))
        Tenant.objects.filter(pk=seeblick.pk).update(cutoff_hour=4)

        retry = till.post(croissants_and_coffee(occurred_at="2026-04-29T02:30:00+02:00"))

        assert retry.status_code == 200
        assert body_of(retry) == body_of(first)
        assert body_of(retry)["business_date"] == "2026-04-29"

    def test_after_the_rates_have_changed_gets_what_is_stored(self, till: Till, seeblick: Tenant) -> None:
        first = till.post(croissants_and_coffee())
        BridgeSettings.objects.create(tenant=seeblick, default_vat_rate="2.6")

        retry = till.post(croissants_and_coffee())

        assert body_of(retry) == body_of(first)

    def test_of_a_refused_sale_is_processed_as_new(self, till: Till) -> None:
        refused = till.post(croissants_and_coffee(total_amount="99.00"))
        assert faults_of(refused) == {(None, "total_mismatch")}
        assert nothing_is_stored()

        corrected = till.post(croissants_and_coffee())

        assert corrected.status_code == 201

    def test_of_the_neighbours_sale_is_a_sale_of_ones_own(self, till: Till, neighbours_till: Till) -> None:
        theirs = neighbours_till.post(croissants_and_coffee(total_amount="7.00", items=[CROISSANT]))

        mine = till.post(croissants_and_coffee())

        assert (theirs.status_code, mine.status_code) == (201, 201)
        assert body_of(neighbours_till.read_back("seeblick-2026-04-29-T-1")) == body_of(theirs)


class TestASoftDifference:
    @pytest.mark.parametrize(
        ("field", "changes", "stored", "sent"),
        [
            ("occurred_at", {"occurred_at": "2026-04-29T09:00:00Z"}, "2026-04-29T08:14:32Z", "2026-04-29T09:00:00Z"),
            ("refund_of", {"refund_of": "T-0"}, "", "T-0"),
            ("till_id", {"till_id": "Kiosk 2"}, "", "Kiosk 2"),
            ("receipt_seq", {"receipt_seq": "0041"}, None, 41),
            ("metadata", {"metadata": {"shift": "früh"}}, {}, {"shift": "früh"}),
            (
                "items[0].description",
                {"items": [{**CROISSANT, "description": "Gipfeli"}, COFFEE]},
                "Croissant",
                "Gipfeli",
            ),
            (
                "items[1].description",
                {"items": [COFFEE, {**CROISSANT, "description": "Gipfeli"}]},
                "Croissant",
                "Gipfeli",
            ),
            ("items[0].unit_price", {"items": [{**CROISSANT, "unit_price": "3.6125"}, COFFEE]}, "3.50", "3.6125"),
            ("items[0].sku", {"items": [{**CROISSANT, "sku": "CROI"}, COFFEE]}, "", "CROI"),
            ("items[0].category", {"items": [{**CROISSANT, "category": "Backwaren"}, COFFEE]}, "", "Backwaren"),
            ("items[1].kind", {"items": [CROISSANT, {**COFFEE, "kind": "SERVICE_CHARGE"}]}, "SALE", "SERVICE_CHARGE"),
            ("items[1].vat_rate", {"items": [CROISSANT, {**COFFEE, "vat_rate": "8.1"}]}, None, "8.10"),
        ],
    )
    def test_is_named_with_both_values_and_changes_nothing(
        self, till: Till, field: str, changes: Body, stored: Any, sent: Any
    ) -> None:
        first = till.post(croissants_and_coffee())

        retry = till.post(croissants_and_coffee(**changes))

        assert retry.status_code == 200
        [warning] = body_of(retry).pop("warnings")
        assert (warning["field"], warning["code"]) == (field, "differs_from_stored")
        assert (warning["stored"], warning["sent"]) == (stored, sent)
        assert {**body_of(retry), "warnings": ...} == {**body_of(first), "warnings": ...}
        assert body_of(till.read_back("seeblick-2026-04-29-T-1")) == body_of(first)

    def test_is_named_for_the_line_that_changed_and_no_other(self, till: Till) -> None:
        lines = [gas_bottle(description=name) for name in ("Gas A", "Gas B", "Gas C")]
        reference = new_reference()
        till.post(new_sale(external_ref=reference, total_amount="204.00", items=lines))
        lines[0] = gas_bottle(description="Gas D")

        retry = till.post(new_sale(external_ref=reference, total_amount="204.00", items=lines))

        [warning] = body_of(retry)["warnings"]
        assert (warning["field"], warning["stored"], warning["sent"]) == ("items[0].description", "Gas A", "Gas D")

    def test_of_the_clock_at_sending_is_none(self, till: Till) -> None:
        till.post(croissants_and_coffee(sent_at="2026-04-29T08:14:33Z"))

        assert "warnings" not in body_of(till.post(croissants_and_coffee(sent_at="2026-05-29T08:14:33Z")))

    def test_of_a_rate_that_the_catalogue_gave_is_none(self, till: Till) -> None:
        till.post(croissants_and_coffee(items=[{**CROISSANT, "vat_rate": "2.6"}, COFFEE]))

        assert "warnings" not in body_of(till.post(croissants_and_coffee()))

    def test_in_several_fields_is_named_for_each(self, till: Till) -> None:
        till.post(croissants_and_coffee())

        lines = [{**CROISSANT, "description": "Gipfeli", "sku": "GIP"}, {**COFFEE, "category": "Bar"}]
        retry = till.post(croissants_and_coffee(items=lines, refund_of="x", metadata={"a": 1}))

        assert {field for field, _code in warnings_of(retry)} == {
            "refund_of", "metadata", "items[0].description", "items[0].sku", "items[1].category",
        }  # fmt: skip
