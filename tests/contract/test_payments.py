from __future__ import annotations

from typing import Any

import pytest

from kasse.models import TENDERS
from tests.contract.sales import Fault, faults_of, gas_bottle, new_reference, new_sale, nothing_is_stored
from tests.till import Body, Till, body_of


def paid(method: str, amount: str, **changes: Any) -> Body:
    return {"method": method, "amount": amount, **changes}


class TestPayments:
    @pytest.mark.parametrize("method", TENDERS)
    def test_that_are_not_sent_are_one_in_the_method_of_the_sale(self, till: Till, method: str) -> None:
        answer = till.post(new_sale(payment_method=method, tip_amount="2.00"))

        assert body_of(answer)["payments"] == [{"method": method, "amount": "12.50", "tip_amount": "2.00"}]

    @pytest.mark.parametrize(
        "payments",
        [
            [paid("CASH", "12.50")],
            [paid("CASH", "12.5", tip_amount=None)],
            [paid("CASH", "12.50", tip_amount="2.00")],
            [paid("CASH", "12.50", tip_amount="0")],
        ],
    )
    def test_spelt_out_are_the_same_as_implied(self, till: Till, payments: list[Body]) -> None:
        reference = new_reference()
        till.post(new_sale(external_ref=reference, tip_amount="2.00"))

        retry = till.post(new_sale(external_ref=reference, tip_amount="2.00", payments=payments))

        assert retry.status_code == 200
        assert "warnings" not in body_of(retry)

    def test_of_several_methods_are_mixed(self, till: Till) -> None:
        payments = [paid("VOUCHER", "10.00"), paid("CASH", "2.50")]

        answer = till.post(new_sale(payment_method="MIXED", payments=payments))

        assert body_of(answer)["payments"] == [
            {"method": "VOUCHER", "amount": "10.00", "tip_amount": "0.00"},
            {"method": "CASH", "amount": "2.50", "tip_amount": "0.00"},
        ]

    @pytest.mark.parametrize("payments", [None, ...])
    def test_of_a_mixed_sale_are_needed(self, till: Till, payments: Any) -> None:
        answer = till.post(new_sale(payment_method="MIXED", payments=payments))

        assert faults_of(answer) == {("payments", "required")}
        assert body_of(answer)["payments"] == ["MIXED needs its payments."]

    def test_are_at_least_one_and_at_most_50(self, till: Till) -> None:
        def split(parts: int) -> Body:
            return new_sale(
                total_amount=str(parts), items=[gas_bottle(line_total=parts)], payments=[paid("CASH", "1")] * parts
            )

        assert till.post(split(50)).status_code == 201
        assert faults_of(till.post(split(51))) == {("payments", "max_length")}
        assert faults_of(till.post(new_sale(payments=[]))) == {("payments", "empty")}

    @pytest.mark.parametrize("payments", [[paid("CARD", "12.50")], [paid("CASH", "2.50"), paid("TWINT", "10.00")]])
    def test_in_other_methods_than_the_sale_are_refused(self, till: Till, payments: list[Body]) -> None:
        assert faults_of(till.post(new_sale(payments=payments))) == {("payment_method", "payments_differ")}
        assert nothing_is_stored()

    @pytest.mark.parametrize(("amount", "difference"), [("12.49", "0.01"), ("20.00", "-7.50"), ("-12.50", "25.00")])
    def test_add_up_to_the_total_net_of_change(self, till: Till, amount: str, difference: str) -> None:
        answer = till.post(new_sale(payments=[paid("CASH", amount)]))

        body = body_of(answer)
        assert faults_of(answer) == {(None, "payments_mismatch")}
        assert (body["code"], body["detail"]) == ("payments_mismatch", "payments_mismatch")
        assert (body["expected"], body["actual"], body["difference"]) == (amount, "12.50", difference)

    def test_may_hold_change_given_back(self, till: Till) -> None:
        payments = [paid("VOUCHER", "20.00"), paid("CASH", "-7.50")]

        assert till.post(new_sale(payment_method="MIXED", payments=payments)).status_code == 201

    def test_of_a_refund_are_negative(self, till: Till) -> None:
        line = gas_bottle(quantity=-1, line_total="-68.00")
        payments = [paid("CARD", "-60.00"), paid("VOUCHER", "-8.00")]

        answer = till.post(new_sale(payment_method="MIXED", total_amount="-68.00", items=[line], payments=payments))

        assert answer.status_code == 201

    def test_in_another_order_are_the_same_sale(self, till: Till) -> None:
        reference = new_reference()
        payments = [paid("VOUCHER", "10.00"), paid("CASH", "2.00"), paid("CASH", "0.50")]
        till.post(new_sale(external_ref=reference, payment_method="MIXED", payments=payments))

        retry = till.post(new_sale(external_ref=reference, payment_method="MIXED", payments=payments[::-1]))

        assert retry.status_code == 200

    @pytest.mark.parametrize(
        ("payment", "fault"),
        [
            ({"amount": "12.50"}, ("payments[0].method", "required")),
            ({"method": "CASH"}, ("payments[0].amount", "required")),
            (paid("", "12.50"), ("payments[0].method", "invalid_choice")),
            (paid("CASH", "12.505"), ("payments[0].amount", "max_places")),
        ],
    )
    def test_are_checked_like_lines(self, till: Till, payment: Body, fault: Fault) -> None:
        answer = till.post(new_sale(payments=[payment]))

        assert faults_of(answer) == {fault}
        assert list(body_of(answer)["payments"][0]) == [str(fault[0]).partition(".")[2]]


class TestATip:
    def test_lies_outside_the_total(self, till: Till) -> None:
        answer = till.post(new_sale(payment_method="CARD", tip_amount="2.00"))

        assert (body_of(answer)["total_amount"], body_of(answer)["tip_amount"]) == ("12.50", "2.00")

    def test_is_the_sum_of_what_the_payments_say(self, till: Till) -> None:
        payments = [paid("CARD", "10.00", tip_amount="1.50"), paid("TWINT", "2.50", tip_amount="0.50")]

        answers = [
            till.post(new_sale(payment_method="MIXED", payments=payments, tip_amount=tip))
            for tip in (..., None, "2.00")
        ]

        assert [body_of(answer)["tip_amount"] for answer in answers] == ["2.00", "2.00", "2.00"]

    @pytest.mark.parametrize("tip", ["1.99", "0", "20.00"])
    def test_that_the_payments_contradict_is_refused(self, till: Till, tip: str) -> None:
        payments = [paid("CARD", "12.50", tip_amount="2.00")]

        answer = till.post(new_sale(payment_method="CARD", payments=payments, tip_amount=tip))

        assert faults_of(answer) == {(None, "tip_mismatch")}
        assert body_of(answer)["code"] == "tip_mismatch"
        assert nothing_is_stored()

    def test_need_not_be_split_over_the_payments(self, till: Till) -> None:
        payments = [paid("CARD", "10.00"), paid("TWINT", "2.50")]

        answer = till.post(new_sale(payment_method="MIXED", payments=payments, tip_amount="2.00"))

        assert body_of(answer)["tip_amount"] == "2.00"
        assert {payment["tip_amount"] for payment in body_of(answer)["payments"]} == {"0.00"}

    def test_makes_another_sale_when_it_changes(self, till: Till) -> None:
        reference = new_reference()
        till.post(new_sale(external_ref=reference, tip_amount="2.00"))

        assert till.post(new_sale(external_ref=reference, tip_amount="3.00")).status_code == 409


class TestTheCurrency:
    @pytest.mark.parametrize("currency", ["CHF", None, ...])
    def test_is_the_campgrounds_and_may_be_left_out(self, till: Till, currency: Any) -> None:
        assert body_of(till.post(new_sale(currency=currency)))["currency"] == "CHF"

    @pytest.mark.parametrize("currency", ["EUR", "chf", "CHF ", "Fr.", "C" * 5000])
    def test_of_another_kind_is_refused(self, till: Till, currency: str) -> None:
        answer = till.post(new_sale(currency=currency))

        assert faults_of(answer) == {("currency", "currency_mismatch")}
        assert body_of(answer)["code"] == "currency_mismatch"
        assert body_of(answer)["currency"] == ["This campground counts in CHF."]
        assert nothing_is_stored()

    @pytest.mark.parametrize(
        ("currency", "code"), [("", "blank"), (756, "invalid"), (True, "invalid"), ([], "invalid")]
    )
    def test_is_a_text(self, till: Till, currency: Any, code: str) -> None:
        assert faults_of(till.post(new_sale(currency=currency))) == {("currency", code)}
