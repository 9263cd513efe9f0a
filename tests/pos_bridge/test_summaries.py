"""What a day has come to, to compare with the till's own Z-report."""

from __future__ import annotations

import pytest

from kasse.models import Source
from tenants.models import Tenant
from tests.factories import mint
from tests.kasse.selling import sell
from tests.till import Till, body_of, croissants_and_coffee

pytestmark = pytest.mark.django_db

DAY = "2026-04-29"
PATH = f"/transactions/summary/?business_date={DAY}"
CHEESE = {"description": "Käse", "quantity": "0.418", "unit_price": "19.95", "line_total": "8.34", "vat_rate": "2.6"}
FONDUE = {"description": "Fondue", "quantity": 2, "unit_price": "35.00", "line_total": "70.00", "vat_rate": "8.1"}
BREAD = {"description": "Brot", "quantity": 1, "unit_price": "3.50", "line_total": "3.50", "vat_rate": "2.6"}


def sell_the_days_sales(till: Till) -> None:
    """Those of the reference: cheese with its rounding, and a fondue paid in two ways."""
    till.post(croissants_and_coffee(external_ref="T-2", total_amount="8.35", items=[CHEESE]))
    payments = [
        {"method": "VOUCHER", "amount": "50.00"},
        {"method": "TWINT", "amount": "23.50", "tip_amount": "3.00"},
    ]
    till.post(
        croissants_and_coffee(
            external_ref="T-3", payment_method="MIXED", total_amount="73.50", items=[FONDUE, BREAD], payments=payments
        )
    )


class TestASummary:
    def test_sums_up_a_day_by_method_and_vat_rate(self, till: Till) -> None:
        sell_the_days_sales(till)

        assert body_of(till.get(PATH)) == {
            "business_date": DAY,
            "mine": False,
            "currency": "CHF",
            "count": 2,
            "total_amount": "81.85",
            "rounding_amount": "0.01",
            "tip_amount": "3.00",
            "payments": [
                {"method": "CASH", "count": 1, "amount": "8.35", "tip_amount": "0.00"},
                {"method": "TWINT", "count": 1, "amount": "23.50", "tip_amount": "3.00"},
                {"method": "VOUCHER", "count": 1, "amount": "50.00", "tip_amount": "0.00"},
            ],
            "vat_rates": [
                {"vat_rate": "2.60", "count": 2, "amount": "11.84"},
                {"vat_rate": "8.10", "count": 1, "amount": "70.00"},
            ],
        }

    def test_of_a_day_without_a_sale_is_nought(self, till: Till) -> None:
        body = body_of(till.get(PATH))

        assert (body["count"], body["total_amount"], body["payments"], body["vat_rates"]) == (0, "0.00", [], [])

    def test_takes_refunds_off_and_says_where_nobody_knows_the_rate(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        line = {"description": "Kaffee", "quantity": -1, "unit_price": "5.50", "line_total": "-5.50"}
        till.post(croissants_and_coffee(external_ref="R-1", total_amount="-5.50", items=[line]))

        body = body_of(till.get(PATH))

        assert (body["count"], body["total_amount"]) == (2, "7.00")
        assert body["vat_rates"] == [{"vat_rate": None, "count": 3, "amount": "7.00"}]

    def test_counts_all_outside_tills_or_this_one(self, till: Till, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee(external_ref="T-1"))
        Till(mint(seeblick, name="Bistro").token).post(croissants_and_coffee(external_ref="T-2"))

        assert body_of(till.get(PATH))["count"] == body_of(till.get(f"{PATH}&mine=false"))["count"] == 2
        mine = body_of(till.get(f"{PATH}&mine=true"))
        assert (mine["count"], mine["mine"]) == (1, True)

    def test_leaves_out_other_days_the_front_desk_and_the_neighbour(
        self, till: Till, neighbours_till: Till, seeblick: Tenant
    ) -> None:
        till.post(croissants_and_coffee(occurred_at="2026-04-28T08:14:32Z"))
        neighbours_till.post(croissants_and_coffee())
        sell(seeblick, "99.00", source=Source.FRONT_DESK)

        assert body_of(till.get(PATH))["count"] == 0

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("", "required"),
            ("?business_date=", "invalid"),
            ("?business_date=29.04.2026", "invalid"),
            ("?business_date=2026-04-29&business_date=2026-04-30", "repeated"),
            ("?business_date=2026-04-29&mine=yes", "invalid"),
            ("?business_date=2026-04-29&page=1", "unknown_parameter"),
        ],
    )
    def test_is_refused_where_the_question_is_faulty(self, till: Till, query: str, code: str) -> None:
        answer = till.get(f"/transactions/summary/{query}")

        assert answer.status_code == 400
        assert code in [each["code"] for each in body_of(answer)["errors"]]


class TestASaleCalledSummary:
    def test_is_found_in_the_list(self, till: Till) -> None:
        stored = till.post(croissants_and_coffee(external_ref="summary"))

        assert body_of(till.get("/transactions/?external_ref=summary"))["results"] == [body_of(stored)]
