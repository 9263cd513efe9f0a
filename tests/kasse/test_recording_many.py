"""The door for many sales at once: each once, each with its own outcome, in their order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from kasse.models import Payment, Source, Transaction, TransactionItem
from kasse.reading import sales_under
from kasse.recording import ExternalRefConflict, Recorded, record_transactions
from kasse.sales import NewSale
from tenants.models import Tenant
from tests.contract.sales import on_one_campground
from tests.factories import ProductFactory
from tests.kasse.sales import MORNING, NOON, breakfast, coffee, croissant, paid
from tests.pos_bridge.breaking import writes_failing

Outcome = Recorded | ExternalRefConflict


def record_all(tenant: Tenant, *sales: NewSale, **more: Any) -> list[Outcome]:
    arguments = {"source": Source.EXTERNAL_POS, "received_at": NOON, **more}
    return record_transactions(tenant=tenant, sales=sales, **arguments)


def sale(reference: str, *, tip: str = "0.00", **changes: Any) -> NewSale:
    """A breakfast; another tip is other money."""
    tender = paid(tip=tip)
    return breakfast(external_ref=reference, tip_amount=Decimal(tip), payments=(tender,), **changes)


def told(outcomes: list[Outcome]) -> list[str]:
    """Each outcome in a word, with the reference it is about."""
    return [f"{word_for(each)} {each.stored.sale.external_ref}" for each in outcomes]


def word_for(outcome: Outcome) -> str:
    if isinstance(outcome, ExternalRefConflict):
        return "conflict"
    return "created" if outcome.created else "replayed"


def rows() -> list[int]:
    return [model.objects.count() for model in (Transaction, TransactionItem, Payment)]


class TestRecordTransactions:
    def test_tells_of_each_in_their_order(self, seeblick: Tenant) -> None:
        record_all(seeblick, sale("T-2"), sale("T-4"))

        outcomes = record_all(seeblick, sale("T-5"), sale("T-4", tip="1.00"), sale("T-3"), sale("T-2"), sale("T-1"))

        assert told(outcomes) == ["created T-5", "conflict T-4", "created T-3", "replayed T-2", "created T-1"]
        assert rows() == [5, 10, 5]

    def test_of_none_is_nothing(self, seeblick: Tenant) -> None:
        assert record_all(seeblick) == []
        assert rows() == [0, 0, 0]

    def test_is_not_held_up_by_a_conflict(self, seeblick: Tenant) -> None:
        """The poisoned one is first, last, and everywhere in between."""
        record_all(seeblick, sale("T-5"))
        poisoned = sale("T-5", tip="9.00")

        outcomes = record_all(seeblick, poisoned, sale("T-1"), poisoned, sale("T-9"), poisoned)

        assert told(outcomes) == ["conflict T-5", "created T-1", "conflict T-5", "created T-9", "conflict T-5"]
        assert Transaction.objects.get(external_ref="T-5").tip_amount == 0

    def test_takes_one_reference_twice_for_a_sale_and_its_retry(self, seeblick: Tenant) -> None:
        later = sale("T-1", occurred_at=MORNING + timedelta(minutes=1))

        first, retry = record_all(seeblick, sale("T-1"), later)

        assert told([first, retry]) == ["created T-1", "replayed T-1"]
        assert retry.stored == first.stored
        assert [each.field for each in retry.differences] == ["occurred_at"]
        assert rows() == [1, 2, 1]

    def test_takes_one_reference_with_other_money_for_a_sale_and_its_conflict(self, seeblick: Tenant) -> None:
        outcomes = record_all(seeblick, sale("T-2"), sale("T-1", tip="2.00"), sale("T-1"), sale("T-1", tip="2.00"))

        assert told(outcomes) == ["created T-2", "created T-1", "conflict T-1", "replayed T-1"]
        conflict = outcomes[2]
        assert isinstance(conflict, ExternalRefConflict)
        assert [each.field for each in conflict.differences] == ["tip_amount", "payments"]
        assert (conflict.differences[0].stored, conflict.differences[0].sent) == ("2.00", "0.00")
        assert Transaction.objects.get(external_ref="T-1").tip_amount == 2

    def test_keeps_campgrounds_apart(self, seeblick: Tenant, waldrand: Tenant) -> None:
        theirs = record_all(waldrand, sale("T-1", tip="3.00"), sale("T-2"))

        ours = record_all(seeblick, sale("T-2"), sale("T-1"))

        assert told(ours) == ["created T-2", "created T-1"]
        assert {each.stored.tenant_id for each in ours} == {seeblick.pk}
        stored = sales_under(waldrand, ["T-1", "T-2"])
        assert [stored["T-1"], stored["T-2"]] == [each.stored for each in theirs]

    def test_stores_each_with_its_own_lines(self, seeblick: Tenant) -> None:
        lines = [(croissant(), coffee()), (coffee(), croissant(), coffee(description="Tee")), (croissant(),)]

        outcomes = record_all(seeblick, *(sale(f"T-{place}", items=each) for place, each in enumerate(lines)))

        stored = sales_under(seeblick, ["T-0", "T-1", "T-2"])
        assert [stored[f"T-{place}"] for place in range(3)] == [each.stored for each in outcomes]
        assert [[line.description for line in stored[f"T-{place}"].sale.items] for place in range(3)] == [
            [line.description for line in each] for each in lines
        ]

    def test_fills_in_the_rates_of_all_from_one_look_into_the_catalogue(self, seeblick: Tenant) -> None:
        ProductFactory.create(tenant=seeblick, sku="CROI", vat_rate=Decimal("2.6"))
        sales = [sale(f"T-{number}", items=(croissant(sku="CROI"), coffee(sku=f"C-{number}"))) for number in range(20)]

        with CaptureQueriesContext(connection) as asked:
            outcomes = record_all(seeblick, *sales, default_vat_rate=Decimal("8.1"))

        assert {tuple(line.vat_rate for line in each.stored.sale.items) for each in outcomes} == {
            (Decimal("2.6"), Decimal("8.1"))
        }
        assert len([query for query in asked if "catalogue_" in query["sql"]]) == 2

    def test_records_sales_of_the_front_desk_without_a_reference(self, seeblick: Tenant) -> None:
        desk = [breakfast(external_ref=None), breakfast(external_ref=None)]

        outcomes = record_all(seeblick, *desk, source=Source.FRONT_DESK)

        assert [word_for(each) for each in outcomes] == ["created", "created"]
        assert rows() == [2, 4, 2]

    @pytest.mark.postgresql
    @pytest.mark.parametrize("number", [1, 100])
    def test_asks_the_database_as_often_for_a_hundred_as_for_one(self, seeblick: Tenant, number: int) -> None:
        sales = [sale(f"T-{each}", items=(croissant(vat_rate=Decimal("2.6")),)) for each in range(number)]

        with CaptureQueriesContext(connection) as new:
            record_all(seeblick, *sales)
        with CaptureQueriesContext(connection) as again:
            record_all(seeblick, *sales)

        assert (len(new), len(again)) == (1, 2)

    @pytest.mark.django_db(transaction=True)
    def test_stores_all_new_ones_or_none(self, seeblick: Tenant) -> None:
        """A conflict is one sale's; a database that fails is everybody's."""
        record_all(seeblick, sale("T-0"))

        with writes_failing("kasse_payment"), pytest.raises(OperationalError):
            record_all(seeblick, sale("T-1"), sale("T-2"))
        failed = rows()

        assert failed == [1, 2, 1]
        assert told(record_all(seeblick, sale("T-1"), sale("T-2"))) == ["created T-1", "created T-2"]

    @on_one_campground
    @given(lists=st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["0.00", "1.00"])), max_size=6)))
    def test_is_as_if_each_had_come_alone(self, seeblick: Tenant, lists: list[list[tuple[str, str]]]) -> None:
        """Against the simplest ledger there is: a dict, in which the first of a reference stays."""
        prefix = f"T-{Transaction.objects.count()}"
        ledger: dict[str, str] = {}
        for each in lists:
            outcomes = record_all(seeblick, *(sale(prefix + reference, tip=tip) for reference, tip in each))

            expected = []
            for reference, tip in each:
                is_new = reference not in ledger
                kept = ledger.setdefault(reference, tip)
                word = "created" if is_new else "replayed" if kept == tip else "conflict"
                expected.append(f"{word} {prefix}{reference}")
            assert told(outcomes) == expected
        stored = sales_under(seeblick, [prefix + reference for reference in ledger])
        assert {each.sale.tip_amount for each in stored.values()} == {Decimal(tip) for tip in ledger.values()}
