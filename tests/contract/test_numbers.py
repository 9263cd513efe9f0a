from __future__ import annotations

import json
import re
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kasse.models import Transaction
from tests.contract.sales import (
    Fault,
    faults_of,
    gas_bottle,
    new_reference,
    new_sale,
    nothing_is_stored,
    on_one_campground,
    sale_of,
)
from tests.till import Till, body_of

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
MONEY = re.compile(r"-?[0-9]{1,8}(\.[0-9]{1,2})?")

NO_NUMBERS = [
    "", "-", "--1", ".5", "5.", "1.2.3", "1,50", "1'000.00", "0x10", "CHF 5", "None",
    "1e3", "1E3", "1e-2", "1.0e1", "NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf",
    "1_0", "1__0", "+1", "++1", " 1", "1 ", "\t1", "1\n", "1 0", "\u00a01", "1\u2003",
    "１２.５０", "١٢.٥٠", "१२", "1٫5", "²", "½", "Ⅷ", "\u22121", "1\u200b", "1．5",
]  # fmt: skip


def with_number(field: str, value: Any) -> dict[str, Any]:
    """A sale in which one number stands as given; ``field`` as answers name it."""
    part, _, name = field.partition("[0].")
    if part == "items":
        return new_sale(total_amount="68.00", items=[gas_bottle(**{name: value})])
    if part == "payments":
        return new_sale(payments=[{"method": "CASH", "amount": "12.50", name: value}])
    return new_sale(**{field: value})


REQUIRED = ["total_amount", "items[0].quantity", "items[0].unit_price", "items[0].line_total", "payments[0].amount"]
OPTIONAL = ["rounding_amount", "tip_amount", "items[0].vat_rate", "payments[0].tip_amount"]


class TestANumber:
    @pytest.mark.parametrize("field", REQUIRED + OPTIONAL)
    def test_is_nothing_but_ascii_digits_a_point_and_a_minus(self, till: Till, field: str) -> None:
        for text in NO_NUMBERS:
            assert (field, "invalid") in faults_of(till.post(with_number(field, text))), text
        assert nothing_is_stored()

    @pytest.mark.parametrize("field", REQUIRED + OPTIONAL)
    def test_is_no_boolean_list_or_object(self, till: Till, field: str) -> None:
        for value in (True, False, [], ["1"], {}, {"amount": "1"}):
            assert (field, "invalid") in faults_of(till.post(with_number(field, value))), value
        assert nothing_is_stored()

    @pytest.mark.parametrize("field", REQUIRED)
    def test_that_is_required_is_not_null(self, till: Till, field: str) -> None:
        assert (field, "null") in faults_of(till.post(with_number(field, None)))
        assert nothing_is_stored()

    @pytest.mark.parametrize("field", OPTIONAL)
    def test_that_is_optional_may_be_null(self, till: Till, field: str) -> None:
        assert till.post(with_number(field, None)).status_code == 201

    @pytest.mark.parametrize(
        "literal", ["1.25e1", "125E-1", "1E400", "NaN", "Infinity", "-Infinity", "012.5", ".5", "12.", "+12.5", "1_2"]
    )
    def test_has_no_exponent_as_a_json_number_either(self, till: Till, literal: str) -> None:
        body = json.dumps(new_sale()).replace('"12.50"', literal, 1)

        answer = till.call("POST", "/transactions/", body=body.encode())

        assert answer.status_code == 400
        assert nothing_is_stored()

    @pytest.mark.parametrize("field", REQUIRED)
    @pytest.mark.parametrize("quote", ["", '"'])
    def test_of_5000_digits_is_refused_in_no_time(self, till: Till, field: str, quote: str) -> None:
        body = json.dumps(with_number(field, "HERE")).replace('"HERE"', f"{quote}{'9' * 5000}{quote}")
        before = time.perf_counter()

        answer = till.call("POST", "/transactions/", body=body.encode())

        assert time.perf_counter() - before < 1
        assert (field, "max_whole_digits") in faults_of(answer)

    def test_of_5000_places_is_refused_in_no_time(self, till: Till) -> None:
        before = time.perf_counter()

        answer = till.post(sale_of("0." + "1" * 5000))

        assert time.perf_counter() - before < 1
        assert ("total_amount", "max_places") in faults_of(answer)

    @pytest.mark.parametrize(
        ("field", "places"),
        [("total_amount", 2), ("items[0].line_total", 2), ("items[0].quantity", 3), ("items[0].unit_price", 4)],
    )
    def test_has_so_many_places_and_no_more(self, till: Till, field: str, places: int) -> None:
        whole = "12" if field == "total_amount" else "68"
        too_many = f"{whole}.{'0' * places}0"

        assert (field, "max_places") in faults_of(till.post(with_number(field, too_many)))

    def test_has_8_digits_before_the_point(self, till: Till) -> None:
        accepted = till.post(sale_of("12345678.90"))
        refused = till.post(sale_of("123456789.00"))

        assert body_of(accepted)["total_amount"] == "12345678.90"
        assert faults_of(refused) == {
            ("total_amount", "max_whole_digits"),
            ("items[0].line_total", "max_whole_digits"),
        }

    @pytest.mark.parametrize("zero", ["0", "-0", "0.00", "-0.00", "00000000"])
    def test_knows_one_zero(self, till: Till, zero: str) -> None:
        answer = till.post(sale_of(zero))

        assert answer.status_code == 201
        assert body_of(answer)["total_amount"] == "0.00"
        assert body_of(answer)["items"][0]["line_total"] == "0.00"

    def test_is_the_same_as_text_and_as_json_number(self, till: Till) -> None:
        reference = new_reference()
        first = till.post(sale_of("12.50", external_ref=reference))

        body = json.dumps(sale_of("12.50", external_ref=reference)).replace('"12.50"', "12.5")
        retry = till.call("POST", "/transactions/", body=body.encode())

        assert (first.status_code, retry.status_code) == (201, 200)
        assert body_of(first) == body_of(retry)

    def test_is_never_a_float(self, till: Till) -> None:
        body = json.dumps(sale_of("HERE")).replace('"HERE"', "0.30000000000000004")

        answer = till.call("POST", "/transactions/", body=body.encode())

        assert ("total_amount", "max_places") in faults_of(answer)

    @given(text=st.from_regex(MONEY, fullmatch=True), as_json_number=st.booleans())
    @on_one_campground
    def test_that_is_accepted_reads_back_equal(self, till: Till, text: str, as_json_number: bool) -> None:
        if as_json_number:
            text = re.sub(r"^(-?)0+(?=[0-9])", r"\1", text)
        sale = json.dumps(sale_of("HERE")).replace('"HERE"', text if as_json_number else f'"{text}"')

        answer = till.call("POST", "/transactions/", body=sale.encode())

        assert answer.status_code == 201, answer.content
        back = body_of(till.read_back(body_of(answer)["external_ref"]))
        for amount in (back["total_amount"], back["items"][0]["line_total"], back["payments"][0]["amount"]):
            assert re.fullmatch(r"-?[0-9]+\.[0-9]{2}", amount)
            assert amount != "-0.00"
            assert Decimal(amount) == Decimal(text)

    @given(
        quantity=st.from_regex(re.compile(r"-?[0-9]{1,8}(\.[0-9]{1,3})?"), fullmatch=True),
        unit_price=st.from_regex(re.compile(r"-?[0-9]{1,8}(\.[0-9]{1,4})?"), fullmatch=True),
    )
    @on_one_campground
    def test_of_a_line_reads_back_equal(self, till: Till, quantity: str, unit_price: str) -> None:
        line = gas_bottle(quantity=quantity, unit_price=unit_price)

        answer = till.post(new_sale(total_amount="68.00", items=[line]))

        if Decimal(quantity) == 0:
            assert faults_of(answer) == {("items[0].quantity", "zero")}
            return
        back = json.loads(till.read_back(body_of(answer)["external_ref"]).content, parse_float=Decimal)
        assert back["items"][0]["quantity"] == Decimal(quantity)
        assert Decimal(back["items"][0]["unit_price"]) == Decimal(unit_price)

    @given(text=st.one_of(st.text(), st.text("0123456789.-+eE_ ١２"), st.from_regex(r"-?[0-9]{7,12}\.?[0-9]{0,4}")))
    @on_one_campground
    def test_outside_the_published_pattern_is_refused(self, till: Till, text: str) -> None:
        before = Transaction.objects.count()
        expected = 201 if MONEY.fullmatch(text) else 400

        answer = till.post(sale_of(text))

        assert answer.status_code == expected, answer.content
        assert Transaction.objects.count() - before == (expected == 201)


class TestABound:
    def test_a_quantity_is_not_zero(self, till: Till) -> None:
        for zero in (0, "0", "-0", "0.000"):
            assert faults_of(till.post(with_number("items[0].quantity", zero))) == {("items[0].quantity", "zero")}

    def test_a_returned_line_has_a_negative_quantity(self, till: Till) -> None:
        answer = till.post(with_number("items[0].quantity", "-0.125"))

        assert body_of(answer)["items"][0]["quantity"] == -0.125

    @pytest.mark.parametrize(
        ("field", "fault"),
        [
            ("tip_amount", ("tip_amount", "min_value")),
            ("payments[0].tip_amount", ("payments[0].tip_amount", "min_value")),
        ],
    )
    def test_a_tip_is_not_negative(self, till: Till, field: str, fault: Fault) -> None:
        assert fault in faults_of(till.post(with_number(field, "-0.01")))
        assert till.post(with_number(field, "-0.00")).status_code == 201

    def test_every_other_amount_may_be_negative(self, till: Till) -> None:
        line = gas_bottle(quantity=-1, unit_price="-67.98", line_total="-67.98")
        payments = [{"method": "CASH", "amount": "-68.00"}]

        answer = till.post(new_sale(total_amount="-68.00", rounding_amount="-0.02", items=[line], payments=payments))

        assert answer.status_code == 201, answer.content
