from __future__ import annotations

import pytest

from tests.contract.sales import gas_bottle, new_sale, warnings_of
from tests.till import Body, Till, body_of


class TestAnUnknownField:
    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"cashier": "Anna"}, "cashier"),
            ({"cashier": None}, "cashier"),
            ({"Total_Amount": "1.00"}, "Total_Amount"),
            ({"": 1}, ""),
            ({"id": "abc"}, "id"),
            ({"source": "FRONT_DESK"}, "source"),
            ({"status": "FAILED"}, "status"),
            ({"business_date": "1999-01-01"}, "business_date"),
            ({"tenant": "waldrand"}, "tenant"),
            ({"items": [gas_bottle(), gas_bottle(discount="5 %")], "total_amount": "136.00"}, "items[1].discount"),
            ({"payments": [{"method": "CASH", "amount": "12.50", "card": "x"}]}, "payments[0].card"),
        ],
    )
    def test_is_ignored_and_named(self, till: Till, changes: Body, named: str) -> None:
        answer = till.post(new_sale(**changes))

        body = body_of(answer)
        assert answer.status_code == 201
        assert warnings_of(answer) == {(named, "unknown_field")}
        assert body["warnings"][0]["message"] == "Not a field of version 1; ignored."
        assert (body["source"], body["status"], body["business_date"]) == ("EXTERNAL_POS", "COMPLETED", "2026-04-29")

    def test_is_named_on_a_retry_too(self, till: Till) -> None:
        sale = new_sale(cashier="Anna")
        first = till.post(sale)

        retry = till.post(sale)

        assert (first.status_code, retry.status_code) == (201, 200)
        assert body_of(first) == body_of(retry)

    def test_inside_metadata_is_none(self, till: Till) -> None:
        assert "warnings" not in body_of(till.post(new_sale(metadata={"cashier": "Anna"})))

    def test_is_named_in_bounds(self, till: Till) -> None:
        answer = till.post(new_sale(**{f"field-{number}": 1 for number in range(100)}))

        fields = [warning["field"] for warning in body_of(answer)["warnings"]]
        assert fields[:2] == ["field-0", "field-1"]
        assert (len(fields), body_of(answer)["warnings"][-1]["message"]) == (21, "And 80 more.")

    def test_with_an_endless_name_is_cut(self, till: Till) -> None:
        answer = till.post(new_sale(**{"x" * 10_000: 1}))

        assert body_of(answer)["warnings"][0]["field"] == "x" * 100

    def test_is_not_mentioned_when_the_sale_is_refused(self, till: Till) -> None:
        assert "warnings" not in body_of(till.post(new_sale(cashier="Anna", total_amount="1")))

    def test_is_named_beside_a_rounding(self, till: Till) -> None:
        answer = till.post(new_sale(total_amount="68.00", items=[gas_bottle(line_total="67.98")], cashier="Anna"))

        assert warnings_of(answer) == {("rounding_amount", "rounding_booked"), ("cashier", "unknown_field")}


class TestASaleWithNothingToSay:
    def test_has_no_warnings(self, till: Till) -> None:
        sale = new_sale()

        assert "warnings" not in body_of(till.post(sale))
        assert "warnings" not in body_of(till.post(sale))
        assert "warnings" not in body_of(till.read_back(sale["external_ref"]))

    def test_answers_with_the_published_fields(self, till: Till) -> None:
        body = body_of(till.post(new_sale()))

        assert list(body) == [
            "id", "external_ref", "source", "status", "payment_method", "currency", "total_amount", "rounding_amount",
            "tip_amount", "items", "payments", "refund_of", "till_id", "receipt_seq", "occurred_at", "business_date",
            "received_at", "metadata",
        ]  # fmt: skip


class TestALargeRounding:
    @pytest.mark.parametrize("rounding", ["0.06", "-0.06", "-5000.00"])
    def test_is_booked_as_sent_and_named(self, till: Till, rounding: str) -> None:
        line = gas_bottle(unit_price="6000", line_total="6000.00")
        total = f"{6000 + float(rounding):.2f}"

        answer = till.post(new_sale(items=[line], total_amount=total, rounding_amount=rounding))

        assert answer.status_code == 201
        assert body_of(answer)["rounding_amount"] == rounding
        assert warnings_of(answer) == {("rounding_amount", "large_rounding")}

    @pytest.mark.parametrize("rounding", ["0.05", "-0.05", "0"])
    def test_begins_beyond_a_coin(self, till: Till, rounding: str) -> None:
        line = gas_bottle(unit_price="60", line_total="60.00")
        total = f"{60 + float(rounding):.2f}"

        assert "warnings" not in body_of(
            till.post(new_sale(items=[line], total_amount=total, rounding_amount=rounding))
        )
