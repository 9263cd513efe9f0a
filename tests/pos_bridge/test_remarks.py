"""What a till was told when its sale was taken stays with the sale, for staff to find it."""

from __future__ import annotations

from typing import Any

import pytest

from kasse.models import Transaction
from tenants.models import Tenant
from tests.till import Body, Till, body_of, croissants_and_coffee


def remarks_of(tenant: Tenant) -> list[str]:
    """What the ledger keeps for each of a campground's sales, in their order."""
    return list(Transaction.objects.of(tenant).order_by("received_at", "id").values_list("remarks", flat=True))


def coffee_for(line_total: str, **changes: Any) -> Body:
    """A coffee in cash, whose total is 5.50."""
    coffee = {"description": "Kaffee", "quantity": 1, "unit_price": line_total, "line_total": line_total}
    return croissants_and_coffee(items=[coffee], total_amount="5.50", **changes)


class TestTheRemarksOfASale:
    @pytest.mark.parametrize(
        ("sale", "kept"),
        [
            (croissants_and_coffee(), ""),
            (coffee_for("5.48"), "rounding_booked"),
            (coffee_for("5.40", rounding_amount="0.10"), "large_rounding"),
            (croissants_and_coffee(cashier="Anna"), "unknown_field"),
            (coffee_for("5.52", cashier="Anna", drawer=2), "rounding_booked unknown_field"),
        ],
    )
    def test_are_the_codes_of_its_warnings_each_once(self, seeblick: Tenant, till: Till, sale: Body, kept: str) -> None:
        answer = till.post(sale)

        warned = [warning["code"] for warning in body_of(answer).get("warnings", [])]
        assert answer.status_code == 201
        assert remarks_of(seeblick) == [kept] == [" ".join(dict.fromkeys(warned))]

    def test_stay_those_of_the_first_delivery(self, seeblick: Tenant, till: Till) -> None:
        till.post(croissants_and_coffee())

        retry = till.post(croissants_and_coffee(cashier="Anna", metadata={"table": "4"}))

        assert {warning["code"] for warning in body_of(retry)["warnings"]} == {"unknown_field", "differs_from_stored"}
        assert remarks_of(seeblick) == [""]

    def test_make_no_other_sale_of_it_and_leave_with_no_read_back(self, seeblick: Tenant, till: Till) -> None:
        till.post(croissants_and_coffee(cashier="Anna"))

        retry = till.post(croissants_and_coffee())

        assert (retry.status_code, "warnings" in body_of(retry)) == (200, False)
        assert body_of(till.read_back("seeblick-2026-04-29-T-1")) == body_of(retry)
        assert remarks_of(seeblick) == ["unknown_field"]

    def test_are_the_neighbours_own(self, waldrand: Tenant, till: Till, neighbours_till: Till) -> None:
        till.post(croissants_and_coffee(cashier="Anna"))
        neighbours_till.post(croissants_and_coffee())

        assert remarks_of(waldrand) == [""]
