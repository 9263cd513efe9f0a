from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kasse.models import PaymentMethod, Transaction
from tests.contract.sales import (
    faults_of,
    gas_bottle,
    new_reference,
    new_sale,
    nothing_is_stored,
    on_one_campground,
    warnings_of,
)
from tests.till import Body, Till, body_of

RAPPEN = st.integers(-9_999_999, 9_999_999).map(lambda rappen: Decimal(rappen).scaleb(-2))


def lines_of(*amounts: Any) -> list[Body]:
    return [gas_bottle(line_total=str(amount)) for amount in amounts]


def cash(total: str, lines: str, **changes: Any) -> Body:
    """A cash sale whose one line is not its total."""
    return new_sale(total_amount=total, items=lines_of(lines), **changes)


class TestTheSum:
    def test_of_lines_and_rounding_is_the_total(self, till: Till) -> None:
        sale = new_sale(total_amount="12.50", rounding_amount="-0.02", items=lines_of("7.02", "5.50"))

        assert body_of(till.post(sale))["rounding_amount"] == "-0.02"

    @pytest.mark.parametrize(
        ("total", "rounding", "expected", "difference"),
        [
            ("12.51", ..., "12.50", "0.01"),
            ("12.49", ..., "12.50", "-0.01"),
            ("-12.50", ..., "12.50", "-25.00"),
            ("12.50", "0.02", "12.52", "-0.02"),
            ("0", None, "12.50", "-12.50"),
        ],
    )
    def test_that_is_not_the_total_is_refused_with_the_difference(
        self, till: Till, total: str, rounding: Any, expected: str, difference: str
    ) -> None:
        answer = till.post(cash(total, "12.50", rounding_amount=rounding, payment_method="CARD"))

        body = body_of(answer)
        actual = "0.00" if total == "0" else total
        told = {"expected": expected, "actual": actual, "difference": difference}
        assert faults_of(answer) == {(None, "total_mismatch")}
        assert (body["detail"], body["code"]) == ("total_mismatch", "total_mismatch")
        assert {name: body[name] for name in told} == told
        assert {name: body["errors"][0][name] for name in told} == told
        assert nothing_is_stored()

    def test_is_told_beside_a_fault_in_a_line(self, till: Till) -> None:
        sale = new_sale(total_amount="1.00", items=[gas_bottle(description=""), gas_bottle(quantity="1e3")])

        answer = till.post(sale)

        assert faults_of(answer) == {
            ("items[0].description", "blank"),
            ("items[1].quantity", "invalid"),
            (None, "total_mismatch"),
        }
        assert body_of(answer)["non_field_errors"] == ["The lines and the rounding add up to 136.00, not 1.00."]

    def test_is_not_guessed_where_an_amount_is_at_fault(self, till: Till) -> None:
        sale = new_sale(total_amount="1.00", items=[gas_bottle(line_total="1,00"), gas_bottle()])

        assert faults_of(till.post(sale)) == {("items[0].line_total", "invalid")}

    @given(
        st.lists(RAPPEN, min_size=1, max_size=20), RAPPEN, st.sampled_from([Decimal(0), Decimal("0.01"), Decimal(-7)])
    )
    @on_one_campground
    def test_is_exact(self, till: Till, lines: list[Decimal], rounding: Decimal, off: Decimal) -> None:
        total = sum(lines) + rounding + off
        sale = new_sale(total_amount=str(total), rounding_amount=str(rounding), items=lines_of(*lines))

        answer = till.post(sale)

        if off:
            assert faults_of(answer) == {(None, "total_mismatch")}
            assert Decimal(body_of(answer)["difference"]) == off
        else:
            back = body_of(till.read_back(sale["external_ref"]))
            assert Decimal(back["total_amount"]) == total
            assert [Decimal(item["line_total"]) for item in back["items"]] == lines

    def test_may_differ_from_quantity_times_price(self, till: Till) -> None:
        line = gas_bottle(quantity=3, unit_price="68.00", line_total="150.00")

        assert till.post(new_sale(total_amount="150.00", items=[line])).status_code == 201

    def test_may_be_zero(self, till: Till) -> None:
        answer = till.post(new_sale(total_amount="0.00", items=lines_of("12.50", "-12.50")))

        assert (answer.status_code, body_of(answer)["payments"][0]["amount"]) == (201, "0.00")

    def test_of_a_refund_is_negative_and_links_to_nothing(self, till: Till) -> None:
        sold = body_of(till.post(new_sale(external_ref="sold")))
        line = gas_bottle(quantity=-1, line_total="-68.00")

        answer = till.post(new_sale(total_amount="-68.00", items=[line], refund_of="sold"))

        refund = body_of(answer)
        assert (refund["total_amount"], refund["refund_of"]) == ("-68.00", "sold")
        assert body_of(till.read_back("sold")) == sold
        assert Transaction.objects.count() == 2


class TestRoundingTo5Rappen:
    @pytest.mark.parametrize(
        ("total", "lines", "rounding"),
        [
            ("12.50", "12.48", "0.02"),
            ("12.50", "12.49", "0.01"),
            ("12.50", "12.51", "-0.01"),
            ("12.50", "12.52", "-0.02"),
            ("12.55", "12.53", "0.02"),
            ("0.00", "0.02", "-0.02"),
            ("0.00", "-0.01", "0.01"),
            ("-12.50", "-12.52", "0.02"),
            ("-12.55", "-12.53", "-0.02"),
        ],
    )
    @pytest.mark.parametrize("sent", [..., None])
    def test_is_booked_for_cash_and_told(self, till: Till, total: str, lines: str, rounding: str, sent: Any) -> None:
        answer = till.post(cash(total, lines, rounding_amount=sent))

        assert answer.status_code == 201
        assert warnings_of(answer) == {("rounding_amount", "rounding_booked")}
        assert rounding in body_of(answer)["warnings"][0]["message"]
        assert body_of(till.read_back(body_of(answer)["external_ref"]))["rounding_amount"] == rounding

    @pytest.mark.parametrize(
        ("total", "lines"),
        [
            ("12.50", "12.47"),
            ("12.50", "12.53"),
            ("12.51", "12.50"),
            ("12.52", "12.50"),
            ("12.49", "12.50"),
            ("12.48", "12.50"),
        ],
    )
    def test_explains_no_more_than_2_rappen_on_a_payable_total(self, till: Till, total: str, lines: str) -> None:
        assert faults_of(till.post(cash(total, lines))) == {(None, "total_mismatch")}
        assert nothing_is_stored()

    @pytest.mark.parametrize("sent", ["0", "0.00", "-0", "0.01"])
    def test_is_not_guessed_where_it_was_sent(self, till: Till, sent: str) -> None:
        assert faults_of(till.post(cash("12.50", "12.48", rounding_amount=sent))) == {(None, "total_mismatch")}

    @pytest.mark.parametrize("method", [method for method in PaymentMethod if method != PaymentMethod.CASH])
    def test_is_for_cash_alone(self, till: Till, method: str) -> None:
        payments = [{"method": "CASH", "amount": "12.50"}] if method == "MIXED" else None

        answer = till.post(cash("12.50", "12.48", payment_method=method, payments=payments))

        assert (None, "total_mismatch") in faults_of(answer)

    def test_is_not_mentioned_where_nothing_was_rounded(self, till: Till) -> None:
        assert "warnings" not in body_of(till.post(cash("12.50", "12.50")))

    def test_sent_on_a_retry_is_the_same_sale(self, till: Till) -> None:
        reference = new_reference()
        first = till.post(cash("12.50", "12.48", external_ref=reference))

        retry = till.post(cash("12.50", "12.48", external_ref=reference, rounding_amount="0.02"))

        assert (first.status_code, retry.status_code) == (201, 200)
        assert "warnings" not in body_of(retry)

    @given(st.integers(-2000, 2000), st.integers(-4, 4))
    @on_one_campground
    def test_follows_the_published_rule(self, till: Till, total: int, difference: int) -> None:
        rounded = total % 5 == 0 and 0 < abs(difference) <= 2

        answer = till.post(cash(f"{Decimal(total).scaleb(-2)}", f"{Decimal(total - difference).scaleb(-2)}"))

        assert answer.status_code == (201 if rounded or difference == 0 else 400)
        if answer.status_code == 201:
            assert Decimal(body_of(answer)["rounding_amount"]) == Decimal(difference).scaleb(-2)
            assert bool(warnings_of(answer)) == rounded
