from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Sum
from django.db.models.deletion import ProtectedError

from kasse.ids import make_id
from kasse.models import Payment, Source, Transaction, TransactionItem
from kasse.recording import record_transaction
from tenants.models import Tenant
from tests.kasse.rewriting import triggers_asleep
from tests.kasse.sales import DAY, MORNING, NOON, breakfast

Make = Callable[..., models.Model]


def make_transaction(sold: Transaction, **changes: Any) -> Transaction:
    """A row beside the sale that is there."""
    fields: dict[str, Any] = {
        "id": make_id(NOON),
        "tenant": sold.tenant,
        "source": Source.EXTERNAL_POS,
        "external_ref": "T-2",
        "fingerprint": "v1:",
        "payment_method": "CASH",
        "currency": "CHF",
        "total_amount": Decimal("12.50"),
        "rounding_amount": Decimal(0),
        "tip_amount": Decimal(0),
        "occurred_at": MORNING,
        "business_date": DAY,
        "received_at": NOON,
    }
    return Transaction(**{**fields, **changes})


def make_item(sold: Transaction, **changes: Any) -> TransactionItem:
    fields = {
        "position": 9,
        "description": "Kaffee",
        "quantity": 1,
        "unit_price": Decimal("5.50"),
        "line_total": Decimal("5.50"),
    }
    return TransactionItem(tenant=sold.tenant, transaction=sold, **{**fields, **changes})


def make_payment(sold: Transaction, **changes: Any) -> Payment:
    fields = {"position": 9, "method": "CASH", "amount": Decimal("5.50"), "tip_amount": Decimal(0)}
    return Payment(tenant=sold.tenant, transaction=sold, **{**fields, **changes})


TAKEN = "seeblick-2026-04-29-T-1"
BROKEN: dict[str, list[tuple[Make, dict[str, Any]]]] = {
    "transaction_external_ref_per_tenant": [(make_transaction, {"external_ref": TAKEN})],
    "transaction_external_ref_not_empty": [(make_transaction, {"external_ref": ""})],
    "transaction_reference_is_a_tills": [
        (make_transaction, {"external_ref": None}),
        *((make_transaction, {"source": each}) for each in ("FRONT_DESK", "", "TILL", "external_pos")),
    ],
    "transaction_status_known": [(make_transaction, {"status": each}) for each in ("", "DONE")],
    "transaction_payment_method_known": [
        (make_transaction, {"payment_method": each}) for each in ("", "cash", "BITCOIN")
    ],
    "transaction_tip_not_negative": [(make_transaction, {"tip_amount": Decimal("-0.01")})],
    "transaction_receipt_seq_counts": [(make_transaction, {"receipt_seq": each}) for each in (0, -1, 2**53)],
    "transaction_item_quantity_not_zero": [(make_item, {"quantity": Decimal("0.000")})],
    "transaction_item_is_described": [(make_item, {"description": ""})],
    "transaction_item_kind_known": [(make_item, {"kind": each}) for each in ("", "GIFT")],
    "transaction_item_vat_is_a_percentage": [(make_item, {"vat_rate": Decimal(each)}) for each in ("-0.01", "100.01")],
    "payment_method_known": [(make_payment, {"method": each}) for each in ("", "MIXED", "cash")],
    "payment_tip_not_negative": [(make_payment, {"tip_amount": Decimal("-0.01")})],
}


@pytest.fixture
def sold(seeblick: Tenant, waldrand: Tenant) -> Transaction:
    """A sale in the ledger."""
    record_transaction(tenant=seeblick, sale=breakfast(), source=Source.EXTERNAL_POS, received_at=NOON)
    return Transaction.objects.get()


class TestTheLedger:
    @pytest.mark.parametrize("name", BROKEN)
    def test_keeps_its_rules_in_the_database(self, sold: Transaction, name: str) -> None:
        for make, changes in BROKEN[name]:
            with pytest.raises(IntegrityError) as broken, transaction.atomic():
                make(sold, **changes).save(force_insert=True)

            assert name in str(broken.value) or "kasse_transaction.tenant_id, kasse_transaction.external_ref" in str(
                broken.value
            )

    def test_has_no_rule_that_is_not_tried_here(self) -> None:
        rules = {rule.name for model in (Transaction, TransactionItem, Payment) for rule in model._meta.constraints}

        assert rules == BROKEN.keys()

    @pytest.mark.parametrize("make", [make_transaction, make_item, make_payment])
    def test_takes_what_keeps_them(self, sold: Transaction, make: Make) -> None:
        make(sold).save(force_insert=True)

        assert type(make(sold)).objects.count() > 1  # type: ignore[attr-defined]  # the three models have their manager

    @pytest.mark.parametrize("make", [make_item, make_payment])
    def test_has_one_row_at_each_place(self, sold: Transaction, make: Make) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            make(sold, position=0).save(force_insert=True)

    def test_lets_the_neighbour_use_the_reference(self, sold: Transaction, waldrand: Tenant) -> None:
        make_transaction(sold, tenant=waldrand, external_ref=TAKEN).save(force_insert=True)

        assert Transaction.objects.filter(external_ref=TAKEN).count() == 2

    @pytest.mark.parametrize("other", [TAKEN.upper(), f"{TAKEN} ", "T-\u00e9", "T-e\u0301"])
    def test_tells_references_apart_to_the_character(self, sold: Transaction, other: str) -> None:
        make_transaction(sold, external_ref="T-\u00e8").save(force_insert=True)
        make_transaction(sold, external_ref=other).save(force_insert=True)

        assert Transaction.objects.get(external_ref=other).external_ref == other

    def test_lets_nothing_go_that_others_stand_on(self, sold: Transaction) -> None:
        for row in (sold, sold.tenant):
            with pytest.raises(ProtectedError):
                row.delete()

    def test_holds_no_lines_without_their_sale(self, sold: Transaction) -> None:
        def delete_the_sale_alone() -> None:
            with transaction.atomic():
                with triggers_asleep():
                    Transaction.objects.filter(pk=sold.pk)._raw_delete(using="default")
                connection.check_constraints()

        with pytest.raises(IntegrityError):
            delete_the_sale_alone()


class TestASum:
    def test_of_a_thousand_ten_rappen_is_a_hundred_francs(self, sold: Transaction) -> None:
        TransactionItem.objects.bulk_create(
            make_item(sold, position=10 + n, line_total=Decimal("0.10")) for n in range(1000)
        )

        total = TransactionItem.objects.filter(position__gte=10).aggregate(total=Sum("line_total"))["total"]

        assert total == Decimal("100.00")

    def test_of_large_amounts_of_either_sign_is_exact(self, sold: Transaction) -> None:
        amounts = [Decimal("9999999.99") * sign for sign in (1, -1) for _ in range(1000)] + [
            Decimal("0.01"),
            Decimal("99999999.99"),
        ]
        Transaction.objects.bulk_create(
            make_transaction(sold, external_ref=f"S-{number}", total_amount=amount, tip_amount=abs(amount))
            for number, amount in enumerate(amounts)
        )

        sums = Transaction.objects.filter(external_ref__startswith="S-").aggregate(
            total=Sum("total_amount"), tips=Sum("tip_amount")
        )

        assert sums == {"total": Decimal("100000000.00"), "tips": Decimal("20099999980.00")}

    def test_of_thousandths_is_exact(self, sold: Transaction) -> None:
        TransactionItem.objects.bulk_create(
            make_item(sold, position=10 + n, quantity=Decimal("0.001")) for n in range(3000)
        )

        assert TransactionItem.objects.filter(position__gte=10).aggregate(Sum("quantity"))["quantity__sum"] == 3

    def test_of_nothing_is_nothing(self, db: None) -> None:
        assert Transaction.objects.aggregate(Sum("total_amount"))["total_amount__sum"] is None
