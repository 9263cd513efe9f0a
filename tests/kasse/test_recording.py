from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from kasse.models import Payment, PaymentMethod, Source, Transaction, TransactionItem
from kasse.recording import ExternalRefConflict, Recorded, record_transaction
from kasse.sales import NewSale
from tenants.models import Tenant
from tests.factories import ProductFactory
from tests.kasse.sales import MORNING, NOON, breakfast, coffee, croissant, paid
from tests.kasse.stored import as_stored
from tests.pos_bridge.breaking import writes_failing


def record(tenant: Tenant, sale: NewSale | None = None, **more: Any) -> Recorded:
    arguments = {"source": Source.EXTERNAL_POS, "received_at": NOON, **more}
    return record_transaction(tenant=tenant, sale=sale or breakfast(), **arguments)


class TestRecordTransaction:
    def test_keeps_every_value(self, seeblick: Tenant) -> None:
        sale = breakfast(
            payment_method=PaymentMethod.MIXED,
            rounding_amount=Decimal("-0.02"),
            tip_amount=Decimal("2.00"),
            items=(
                croissant(sku="CROI", category="Backwaren", vat_rate=Decimal("2.6"), quantity=Decimal("-0.125")),
                coffee(),
            ),
            payments=(paid("10.00", PaymentMethod.CARD, "2.00"), paid("2.50")),
            sent_at=NOON,
            refund_of="T-0",
            metadata={"a": [1, "é", None]},
        )

        recorded = record(seeblick, sale)

        stored = Transaction.objects.get()
        assert recorded.created
        assert recorded.stored == as_stored(stored)
        kept = (
            "external_ref",
            "payment_method",
            "currency",
            "total_amount",
            "rounding_amount",
            "tip_amount",
            "occurred_at",
            "sent_at",
            "refund_of",
            "metadata",
        )
        assert {name: getattr(stored, name) for name in kept} == {name: getattr(sale, name) for name in kept}
        assert (stored.tenant, stored.source, stored.status) == (seeblick, Source.EXTERNAL_POS, "COMPLETED")
        assert (stored.business_date, stored.received_at) == (date(2026, 4, 29), NOON)
        for line, item in zip(stored.items.order_by("position"), sale.items, strict=True):
            for name in ("description", "quantity", "unit_price", "line_total", "sku", "vat_rate", "category", "kind"):
                assert getattr(line, name) == getattr(item, name)
        assert [(each.method, each.amount, each.tip_amount) for each in stored.payments.order_by("position")] == [
            ("CARD", Decimal("10.00"), Decimal("2.00")),
            ("CASH", Decimal("2.50"), Decimal("0.00")),
        ]

    def test_records_a_retry_once(self, seeblick: Tenant) -> None:
        first = record(seeblick)

        retry = record(seeblick, received_at=NOON + timedelta(days=30))

        assert not retry.created
        assert retry.stored == first.stored
        assert retry.stored.received_at == NOON
        assert retry.differences == ()
        assert (Transaction.objects.count(), TransactionItem.objects.count(), Payment.objects.count()) == (1, 2, 1)

    def test_names_what_a_retry_says_otherwise_and_keeps_what_is_stored(self, seeblick: Tenant) -> None:
        record(seeblick)
        later = MORNING + timedelta(minutes=1)

        retry = record(seeblick, breakfast(occurred_at=later, items=(coffee(), croissant(description="Gipfeli"))))

        assert [(each.field, each.stored, each.sent) for each in retry.differences] == [
            ("occurred_at", MORNING, later),
            ("items[1].description", "Croissant", "Gipfeli"),
        ]
        assert set(TransactionItem.objects.values_list("description", flat=True)) == {"Croissant", "Kaffee"}

    @pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
    def test_finds_nothing_said_otherwise_where_lines_differ_in_their_rate_alone(
        self, seeblick: Tenant, order: list[int]
    ) -> None:
        """A croissant to take away, and one at the table; the third without a rate of its own."""
        lines = [croissant(vat_rate=Decimal("2.6")), croissant(vat_rate=Decimal("8.1")), croissant()]
        record(seeblick, breakfast(items=tuple(lines)), default_vat_rate=Decimal("3.8"))

        retry = record(seeblick, breakfast(items=tuple(lines[place] for place in order)))

        assert (retry.created, retry.differences) == (False, ())

    def test_refuses_other_money_under_the_reference(self, seeblick: Tenant) -> None:
        first = record(seeblick)

        with pytest.raises(ExternalRefConflict) as refused:
            record(seeblick, breakfast(tip_amount=Decimal("1.00")))

        assert refused.value.stored == first.stored
        assert [(each.field, each.stored, each.sent) for each in refused.value.differences] == [
            ("tip_amount", "0.00", "1.00")
        ]
        assert refused.value.fingerprint != first.stored.fingerprint
        assert Transaction.objects.get().tip_amount == 0

    def test_refuses_another_day_under_the_reference(self, seeblick: Tenant) -> None:
        record(seeblick)

        with pytest.raises(ExternalRefConflict) as refused:
            record(seeblick, breakfast(occurred_at=MORNING + timedelta(days=1)))

        assert [each.field for each in refused.value.differences] == ["business_date"]

    def test_takes_one_instant_for_one_day_though_the_night_has_moved(self, seeblick: Tenant) -> None:
        at_night = breakfast(occurred_at=datetime(2026, 4, 29, 0, 30, tzinfo=UTC))
        first = record(seeblick, at_night)
        seeblick.cutoff_hour = 5
        seeblick.save()

        assert record(seeblick, at_night).stored == first.stored
        with pytest.raises(ExternalRefConflict):
            record(seeblick, breakfast(occurred_at=at_night.occurred_at + timedelta(minutes=1)))

    def test_keeps_campgrounds_apart(self, seeblick: Tenant, waldrand: Tenant) -> None:
        ours, theirs = record(seeblick), record(waldrand, breakfast(tip_amount=Decimal("9.00")))

        assert (ours.created, theirs.created) == (True, True)
        assert as_stored(Transaction.objects.of(seeblick).get()) == ours.stored

    def test_records_sales_of_the_front_desk_without_a_reference(self, seeblick: Tenant) -> None:
        desk = [record(seeblick, breakfast(external_ref=None), source=Source.FRONT_DESK) for _ in range(3)]

        assert all(each.created for each in desk)
        assert Transaction.objects.count() == 3

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("table", ["kasse_transactionitem", "kasse_payment"])
    def test_leaves_nothing_behind_when_its_lines_cannot_be_written(self, seeblick: Tenant, table: str) -> None:
        with writes_failing(table), pytest.raises(OperationalError):
            record(seeblick)

        assert not Transaction.objects.exists()
        assert record(seeblick).created

    def test_goes_with_a_transaction_around_it(self, seeblick: Tenant) -> None:
        def change_our_mind() -> None:
            with transaction.atomic():
                record(seeblick)
                raise RuntimeError("changed our mind")

        with pytest.raises(RuntimeError):
            change_our_mind()

        assert not Transaction.objects.exists()

    def test_fills_in_the_vat_rate_that_the_till_did_not_say(self, seeblick: Tenant) -> None:
        ProductFactory.create(tenant=seeblick, sku="CROI", vat_rate=Decimal("2.6"))

        recorded = record(seeblick, breakfast(items=(croissant(sku="CROI"), coffee())), default_vat_rate=Decimal("8.1"))

        assert [line.vat_rate for line in recorded.stored.sale.items] == [
            Decimal("2.60"),
            Decimal("8.10"),
        ]

    def test_asks_for_products_and_rates_once_however_many_lines(self, seeblick: Tenant) -> None:
        ProductFactory.create(tenant=seeblick, sku="CROI")
        lines = tuple(croissant(sku="CROI" if number % 2 else f"S-{number}") for number in range(500))

        with CaptureQueriesContext(connection) as asked:
            record(seeblick, breakfast(items=lines))

        reads = [query["sql"] for query in asked if "catalogue_" in query["sql"]]
        assert len(reads) == 2

    def test_gives_later_sales_greater_ids(self, seeblick: Tenant) -> None:
        for number in (3, 1, 2):
            record(seeblick, breakfast(external_ref=f"T-{number}"), received_at=NOON + timedelta(seconds=number))

        assert list(Transaction.objects.order_by("id").values_list("external_ref", flat=True)) == ["T-1", "T-2", "T-3"]
