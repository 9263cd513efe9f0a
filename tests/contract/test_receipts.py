"""``till_id`` and ``receipt_seq``: which device sold it, and under which running number."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError

from kasse.models import LARGEST_RECEIPT, Transaction
from pos_bridge.fields import LONGEST_TILL
from tenants.models import Tenant
from tests.contract.sales import faults_of, new_sale, nothing_is_stored
from tests.till import Till, body_of

NO_RECEIPTS: list[Any] = [0, "0", -1, 1.0, "1.0", 1.5, "1e3", "+1", " 1", "1_0", "１", "", "x", True, [], {}]


class TestAReceiptNumber:
    @pytest.mark.parametrize(
        ("sent", "kept"),
        [(1, 1), (1041, 1041), ("1041", 1041), ("0041", 41), (LARGEST_RECEIPT, LARGEST_RECEIPT), (None, None)],
    )
    def test_is_kept_and_given_back(self, seeblick: Tenant, till: Till, sent: Any, kept: int | None) -> None:
        answer = till.post(new_sale(receipt_seq=sent))

        assert answer.status_code == 201
        assert body_of(answer)["receipt_seq"] == kept
        assert body_of(till.read_back(body_of(answer)["external_ref"])) == body_of(answer)
        assert Transaction.objects.of(seeblick).get().receipt_seq == kept

    @pytest.mark.parametrize("value", [*NO_RECEIPTS, LARGEST_RECEIPT + 1, 10**16, "0" * 16 + "1"])
    def test_is_a_whole_number_from_1(self, till: Till, value: Any) -> None:
        assert faults_of(till.post(new_sale(receipt_seq=value))) == {("receipt_seq", "invalid")}
        assert nothing_is_stored()

    def test_may_come_twice(self, till: Till) -> None:
        """It names nothing: a counter may start over."""
        assert till.post(new_sale(receipt_seq=7)).status_code == 201
        assert till.post(new_sale(receipt_seq=7)).status_code == 201

    @pytest.mark.django_db
    @pytest.mark.parametrize("number", [0, -1, LARGEST_RECEIPT + 1])
    def test_beyond_its_bounds_is_refused_by_the_database(self, seeblick: Tenant, till: Till, number: int) -> None:
        till.post(new_sale(receipt_seq=7))
        row = Transaction.objects.of(seeblick).get()
        row.pk, row.external_ref, row.receipt_seq = "019dd827-1b60-7c3e-9a41-5d2f60c8b7a5", "other", number

        with pytest.raises(IntegrityError):
            row.save(force_insert=True)


class TestADevice:
    @pytest.mark.parametrize("name", ["Kiosk 2", "k", "Käse/Brot", "é" * LONGEST_TILL])
    def test_is_kept_and_given_back(self, till: Till, name: str) -> None:
        answer = till.post(new_sale(till_id=name))

        assert body_of(answer)["till_id"] == name
        assert body_of(till.read_back(body_of(answer)["external_ref"])) == body_of(answer)

    @pytest.mark.parametrize("name", ["", None, ...])
    def test_may_be_missing(self, till: Till, name: Any) -> None:
        assert body_of(till.post(new_sale(till_id=name)))["till_id"] is None

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            (" Kiosk", "surrounding_blanks"),
            ("Kiosk\n2", "unprintable"),
            ("Kiosk\u200b2", "unprintable"),
            ("..", "dots_only"),
            ("/Kiosk", "outer_slash"),
            ("k" * (LONGEST_TILL + 1), "max_length"),
            (2, "invalid"),
            (["Kiosk"], "invalid"),
        ],
    )
    def test_keeps_the_rules_of_references(self, till: Till, name: Any, code: str) -> None:
        assert faults_of(till.post(new_sale(till_id=name))) == {("till_id", code)}


class TestBoth:
    def test_are_no_money_and_make_no_conflict(self, till: Till) -> None:
        sale = new_sale(till_id="Kiosk 2", receipt_seq=41)
        first = till.post(sale)

        retry = till.post({**sale, "till_id": "Kiosk 1", "receipt_seq": 42})

        assert retry.status_code == 200
        assert {warning["field"] for warning in body_of(retry)["warnings"]} == {"till_id", "receipt_seq"}
        assert body_of(till.read_back(sale["external_ref"])) == body_of(first)

    def test_cost_a_sale_without_them_no_place_in_the_index(self, seeblick: Tenant, till: Till) -> None:
        till.post(new_sale())

        assert Transaction.objects.of(seeblick).filter(receipt_seq=None, till_id="").count() == 1
        [index] = [each for each in Transaction._meta.indexes if each.name == "transaction_numbered"]
        assert str(index.condition) == "(AND: ('receipt_seq__isnull', False))"
