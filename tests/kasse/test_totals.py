from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kasse.ids import make_id
from kasse.models import TENDERS, LineKind, Payment, PaymentMethod, Source, Status, Transaction, TransactionItem
from kasse.recording import record_transaction
from kasse.totals import STATEMENT, Counted, DayTotals, LineTotal, MixedCurrencies, PaymentTotal, TillTotal, day_totals
from tenants.models import Tenant
from tests.factories import mint
from tests.kasse.sales import DAY, MORNING, NOON, breakfast, coffee, croissant, paid

LARGE = st.decimals(-99_999_999, 99_999_999, places=2)
AMOUNTS = st.one_of(st.sampled_from([Decimal("0.00"), Decimal("-0.01"), Decimal("0.05")]), LARGE)
TIPS = AMOUNTS.map(abs)
RATES = st.sampled_from([None, Decimal("0.00"), Decimal("2.60"), Decimal("8.10")])
LINES = st.tuples(RATES, st.sampled_from(["", "Backwaren", "Gas"]), st.sampled_from(LineKind), AMOUNTS)
TICKETS = st.fixed_dictionaries(
    {
        "tenant": st.integers(0, 1),
        "till": st.sampled_from([None, 0, 1]),
        "day": st.sampled_from([DAY, DAY, DAY, DAY - timedelta(days=1), DAY + timedelta(days=1)]),
        "status": st.sampled_from([Status.COMPLETED] * 4 + [Status.PENDING, Status.FAILED, Status.REFUNDED]),
        "total_amount": AMOUNTS,
        "rounding_amount": AMOUNTS,
        "tip_amount": TIPS,
        "lines": st.lists(LINES, max_size=4),
        "payments": st.lists(st.tuples(st.sampled_from(TENDERS), AMOUNTS, TIPS), max_size=3),
    }
)


def store(tickets: list[dict[str, Any]], tenants: list[Tenant], keys: list[list[int]]) -> list[UUID]:
    """Rows as drawn; their sums need not fit together, so that no part can stand in for another. Gives their ids."""
    ids = []
    for number, ticket in enumerate(tickets):
        tenant = tenants[ticket["tenant"]]
        from_till = ticket["till"] is not None
        sale = Transaction.objects.create(
            id=make_id(NOON),
            tenant=tenant,
            source=Source.EXTERNAL_POS if from_till else Source.FRONT_DESK,
            external_ref=f"T-{number}" if from_till else None,
            api_key_id=keys[ticket["tenant"]][ticket["till"]] if from_till else None,
            business_date=ticket["day"],
            payment_method=PaymentMethod.MIXED,
            currency="CHF",
            occurred_at=MORNING,
            received_at=NOON,
            **{name: ticket[name] for name in ("status", "total_amount", "rounding_amount", "tip_amount")},
        )
        ids.append(sale.pk)
        for position, (rate, category, kind, amount) in enumerate(ticket["lines"]):
            TransactionItem.objects.create(
                tenant=tenant,
                transaction=sale,
                position=position,
                description="Croissant",
                quantity=1,
                unit_price=1,
                line_total=amount,
                vat_rate=rate,
                category=category,
                kind=kind,
            )
        for position, (method, amount, tip) in enumerate(ticket["payments"]):
            Payment.objects.create(
                tenant=tenant, transaction=sale, position=position, method=method, amount=amount, tip_amount=tip
            )
    return ids


def summed(pairs: Iterable[tuple[Any, Decimal]]) -> dict[Any, Counted]:
    """How often each key comes, and with how much."""
    found: dict[Any, list[Decimal]] = defaultdict(list)
    for key, amount in pairs:
        found[key].append(amount)
    return {key: Counted(len(amounts), sum(amounts, Decimal("0.00"))) for key, amounts in found.items()}


def assert_sums(totals: DayTotals, tickets: list[dict[str, Any]], keys: list[int]) -> None:
    """Compare with sums over what was drawn, made in Python."""
    lines = [line for ticket in tickets for line in ticket["lines"]]
    payments = [(source_of(ticket), *each) for ticket in tickets for each in ticket["payments"]]
    amounts = [ticket["total_amount"] for ticket in tickets]

    assert totals.sales == summed((1, each) for each in amounts if each >= 0).get(1, Counted())
    assert totals.refunds == summed((1, each) for each in amounts if each < 0).get(1, Counted())
    assert totals.total_amount == sum(amounts)
    assert totals.rounding_amount == sum(ticket["rounding_amount"] for ticket in tickets)
    assert totals.tip_amount == sum(ticket["tip_amount"] for ticket in tickets)
    assert totals.by_vat_rate == summed((rate, amount) for rate, _, _, amount in lines)
    assert totals.by_category == summed((category, amount) for _, category, _, amount in lines)
    assert totals.by_method == summed((method, amount) for _, method, amount, _ in payments)
    assert {(each.vat_rate, each.category, each.kind): each.sold for each in totals.lines} == summed(
        (line[:3], line[3]) for line in lines
    )
    assert {(each.source, each.method): each.paid for each in totals.payments} == summed(
        (each[:2], each[2]) for each in payments
    )
    assert {(each.source, each.method): each.tip_amount for each in totals.payments} == {
        key: tips.amount for key, tips in summed((each[:2], each[3]) for each in payments).items()
    }
    assert {each.api_key: each.sales + each.refunds for each in totals.tills} == summed(
        (None if ticket["till"] is None else keys[ticket["till"]], ticket["total_amount"]) for ticket in tickets
    )


def source_of(ticket: dict[str, Any]) -> Source:
    return Source.FRONT_DESK if ticket["till"] is None else Source.EXTERNAL_POS


class TestDayTotals:
    @given(tickets=st.lists(TICKETS, max_size=8))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_are_the_sums_over_the_days_rows_and_no_others(
        self, seeblick: Tenant, waldrand: Tenant, tickets: list[dict[str, Any]]
    ) -> None:
        tenants = [seeblick, waldrand]
        with transaction.atomic():
            keys = [[mint(tenant, name=name).key.pk for name in ("Kiosk", "Bistro")] for tenant in tenants]
            store(tickets, tenants, keys)

            for number, tenant in enumerate(tenants):
                counted = [
                    ticket
                    for ticket in tickets
                    if (ticket["tenant"], ticket["day"], ticket["status"]) == (number, DAY, Status.COMPLETED)
                ]
                totals = day_totals(tenant, DAY)
                assert_sums(totals, counted, keys[number])
                assert DayTotals.from_json(json.loads(json.dumps(totals.to_json()))) == totals
            transaction.set_rollback(True)

    def test_of_a_breakfast_and_its_refund(self, seeblick: Tenant, waldrand: Tenant) -> None:
        kiosk = mint(seeblick, name="Kiosk").key
        record_transaction(
            tenant=seeblick,
            source=Source.EXTERNAL_POS,
            received_at=NOON,
            api_key=kiosk,
            sale=breakfast(
                payment_method=PaymentMethod.MIXED,
                items=(croissant(vat_rate=Decimal("2.6"), category="Backwaren"), coffee(vat_rate=Decimal("8.1"))),
                tip_amount=Decimal("1.00"),
                payments=(paid("10.00", PaymentMethod.CARD, "1.00"), paid("2.50")),
            ),
        )
        record_transaction(
            tenant=seeblick,
            source=Source.EXTERNAL_POS,
            received_at=NOON,
            api_key=kiosk,
            sale=breakfast(
                external_ref="T-2",
                total_amount=Decimal("-5.50"),
                items=(coffee(quantity=Decimal(-1), line_total=Decimal("-5.50")),),
                payments=(paid("-5.50"),),
            ),
        )
        record_transaction(tenant=waldrand, source=Source.EXTERNAL_POS, received_at=NOON, sale=breakfast())

        chf = Decimal
        assert day_totals(seeblick, DAY) == DayTotals(
            business_date=DAY,
            currency="CHF",
            tills=(
                TillTotal(
                    source=Source.EXTERNAL_POS,
                    api_key=kiosk.pk,
                    name="Kiosk",
                    sales=Counted(1, chf("12.50")),
                    refunds=Counted(1, chf("-5.50")),
                    rounding_amount=chf("0.00"),
                    tip_amount=chf("1.00"),
                ),
            ),
            payments=(
                PaymentTotal(Source.EXTERNAL_POS, PaymentMethod.CARD, Counted(1, chf("10.00")), chf("1.00")),
                PaymentTotal(Source.EXTERNAL_POS, PaymentMethod.CASH, Counted(2, chf("-3.00")), chf("0.00")),
            ),
            lines=(
                LineTotal(chf("2.60"), "Backwaren", LineKind.SALE, Counted(1, chf("7.00"))),
                LineTotal(chf("8.10"), "", LineKind.SALE, Counted(1, chf("5.50"))),
                LineTotal(None, "", LineKind.SALE, Counted(1, chf("-5.50"))),
            ),
        )

    def test_of_a_day_without_sales_are_nothing(self, seeblick: Tenant) -> None:
        totals = day_totals(seeblick, DAY)

        assert totals == DayTotals(business_date=DAY, currency="CHF")
        assert (totals.sales, totals.refunds, totals.total_amount) == (Counted(), Counted(), Decimal("0.00"))

    def test_show_amounts_with_two_places(self, seeblick: Tenant) -> None:
        record_transaction(tenant=seeblick, source=Source.EXTERNAL_POS, received_at=NOON, sale=breakfast())

        totals = day_totals(seeblick, DAY)

        assert [str(amount) for amount in (totals.total_amount, totals.tip_amount)] == ["12.50", "0.00"]
        assert [str(each.sold.amount) for each in totals.lines] == ["12.50"]

    def test_never_add_up_two_currencies(self, seeblick: Tenant) -> None:
        record_transaction(tenant=seeblick, source=Source.EXTERNAL_POS, received_at=NOON, sale=breakfast())
        seeblick.currency = "EUR"
        other = breakfast(external_ref="T-2", currency="EUR")
        record_transaction(tenant=seeblick, source=Source.EXTERNAL_POS, received_at=NOON, sale=other)

        with pytest.raises(MixedCurrencies, match="CHF, EUR"):
            day_totals(seeblick, DAY)

    def test_are_of_one_moment(self, seeblick: Tenant) -> None:
        """Of one statement, that is: between two of them a till could sell."""
        with CaptureQueriesContext(connection) as asked:
            day_totals(seeblick, DAY)

        assert len(asked) == 1

    @pytest.mark.sqlite
    def test_lead_from_the_days_sales_to_their_lines_and_payments(self, db: None) -> None:
        """And not from all lines of a campground to the day; PostgreSQL chooses by the sizes it sees."""
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {STATEMENT}", {"tenant": 1, "day": "2026-04-29", "status": "COMPLETED"})
            plan = [row[3] for row in cursor.fetchall()]

        for index, columns in (
            ("transaction_by_day", "tenant_id=? AND business_date=?"),
            ("sqlite_autoindex_kasse_payment_1", "tenant_id=? AND transaction_id=?"),
            ("sqlite_autoindex_kasse_transactionitem_1", "tenant_id=? AND transaction_id=?"),
        ):
            assert any(step.endswith(f"USING INDEX {index} ({columns})") for step in plan), plan


class TestTotalsOfGivenSales:
    @given(tickets=st.lists(TICKETS, max_size=8), taken=st.sets(st.integers(0, 7)))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_are_the_sums_over_them_and_no_others(
        self, seeblick: Tenant, waldrand: Tenant, tickets: list[dict[str, Any]], taken: set[int]
    ) -> None:
        tenants = [seeblick, waldrand]
        with transaction.atomic():
            keys = [[mint(tenant, name=name).key.pk for name in ("Kiosk", "Bistro")] for tenant in tenants]
            ids = store(tickets, tenants, keys)
            only = [ids[number] for number in taken if number < len(ids)]

            for number, tenant in enumerate(tenants):
                counted = [
                    ticket
                    for place, ticket in enumerate(tickets)
                    if (ticket["tenant"], ticket["day"], ticket["status"]) == (number, DAY, Status.COMPLETED)
                    and place in taken
                ]
                assert_sums(day_totals(tenant, DAY, only=only), counted, keys[number])
            transaction.set_rollback(True)

    def test_of_no_sale_are_nothing(self, seeblick: Tenant) -> None:
        record_transaction(tenant=seeblick, source=Source.EXTERNAL_POS, received_at=NOON, sale=breakfast())

        assert day_totals(seeblick, DAY, only=[]) == DayTotals(business_date=DAY, currency="CHF")

    def test_of_the_neighbours_sales_are_nothing(self, seeblick: Tenant, waldrand: Tenant) -> None:
        theirs = record_transaction(tenant=waldrand, source=Source.EXTERNAL_POS, received_at=NOON, sale=breakfast())

        assert day_totals(seeblick, DAY, only=[theirs.stored.id]).tills == ()
        assert day_totals(waldrand, DAY, only=[theirs.stored.id]).sales.count == 1

    def test_are_of_one_moment_too(self, seeblick: Tenant) -> None:
        with CaptureQueriesContext(connection) as asked:
            day_totals(seeblick, DAY, only=[make_id(NOON)] * 5000)

        assert len(asked) == 1


class TestStoredTotals:
    STORED = {
        "version": 1,
        "business_date": "2026-04-29",
        "currency": "CHF",
        "tills": [
            {
                "source": "FRONT_DESK",
                "api_key": None,
                "name": "",
                "sales": {"count": 1, "amount": "12.50"},
                "refunds": {"count": 0, "amount": "0.00"},
                "rounding_amount": "-0.02",
                "tip_amount": "0.00",
            }
        ],
        "payments": [
            {
                "source": "FRONT_DESK",
                "method": "CASH",
                "paid": {"count": 1, "amount": "12.50"},
                "tip_amount": "0.00",
            }
        ],
        "lines": [
            {"vat_rate": None, "category": "", "kind": "SALE", "sold": {"count": 2, "amount": "12.52"}},
        ],
    }

    def test_of_a_version_are_read_for_ever(self) -> None:
        totals = DayTotals.from_json(self.STORED)

        assert totals.total_amount == Decimal("12.50")
        assert totals.by_vat_rate == {None: Counted(2, Decimal("12.52"))}
        assert totals.tills[0].source is Source.FRONT_DESK
        assert totals.business_date == date(2026, 4, 29)
        assert json.loads(json.dumps(totals.to_json())) == self.STORED

    @pytest.mark.parametrize("version", [0, 2, None, "1"])
    def test_of_another_version_are_not_guessed_at(self, version: Any) -> None:
        with pytest.raises(ValueError, match="version"):
            DayTotals.from_json({**self.STORED, "version": version})

    def test_that_are_damaged_are_refused(self) -> None:
        with pytest.raises(ValueError, match="currency"):
            DayTotals.from_json({name: value for name, value in self.STORED.items() if name != "currency"})
