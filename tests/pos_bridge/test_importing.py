"""Imports end to end: into the ledger once, whole or not at all, and by whoever works on them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kasse.models import Payment, Source, Transaction, TransactionItem
from kasse.recording import record_transactions
from kasse.totals import day_totals
from pos_bridge.importing import working
from pos_bridge.importing.models import ImportedReceipt, ImportState, SalesImport
from pos_bridge.importing.staging import NotToBeStarted, open_import, stage
from pos_bridge.importing.working import work
from pos_bridge.models import ParkedSale
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.pos_bridge.import_files import HEADER, SHOP, csv_file, shop, workbook
from tests.till import Till, croissants_and_coffee

pytestmark = pytest.mark.django_db
AT = datetime(2026, 5, 1, 9, tzinfo=UTC)


def opened(tenant: Tenant, content: bytes, **fields: Any) -> SalesImport:
    made = open_import(tenant=tenant, name="april.csv", content=content, by=None, at=AT)
    for name, value in fields.items():
        setattr(made, name, value)
    made.save()
    return made


def run(made: SalesImport, *, dry_run: bool = False, at: datetime = AT) -> dict[str, int]:
    """Run an import to its end; how many of each."""
    stage(made, dry_run=dry_run, at=at)
    while work(made, at=at):
        pass
    made.refresh_from_db()
    assert made.state == ImportState.DONE
    return counts(made)


def counts(made: SalesImport) -> dict[str, int]:
    """How many receipts of each fate there are; the counters agree with the rows."""
    named = {fate: getattr(made, fate) for fate in ("created", "replayed", "conflict", "invalid")}
    rows = ImportedReceipt.objects.of(made.tenant).filter(sales_import=made)
    assert {fate: rows.filter(fate=fate).count() for fate in named} == named
    assert sum(named.values()) == made.receipts
    return {fate: number for fate, number in named.items() if number}


def faults(made: SalesImport) -> list[tuple[int, str, str]]:
    rows = ImportedReceipt.objects.of(made.tenant).filter(sales_import=made).order_by("position")
    return [(fault["line"], fault["column"], fault["code"]) for row in rows for fault in row.faults]


class TestAnImport:
    def test_books_each_receipt_as_a_sale_of_its_day(self, seeblick: Tenant, waldrand: Tenant) -> None:
        assert run(opened(seeblick, shop())) == {"created": 3}

        sale = Transaction.objects.of(seeblick).get(external_ref="import-2026-04-29-1042")
        assert (sale.total_amount, sale.payment_method, sale.source) == (Decimal("1234.50"), "CARD", "EXTERNAL_POS")
        assert sale.occurred_at == datetime(2026, 4, 29, 16, 7, tzinfo=UTC)
        assert (sale.business_date, sale.received_at) == (date(2026, 4, 29), AT)
        assert (sale.api_key, sale.remarks, sale.receipt_seq) == (None, "imported", 1042)
        assert sale.metadata == {"imported_from": "april.csv", "line": "3"}
        assert TransactionItem.objects.get(transaction=sale).vat_rate == Decimal("8.1")
        assert day_totals(seeblick, date(2026, 4, 29)).total_amount == Decimal("1243.50")
        assert not Transaction.objects.of(waldrand).exists()

    def test_again_finds_everything_there(self, seeblick: Tenant, waldrand: Tenant) -> None:
        run(opened(waldrand, shop()))
        run(opened(seeblick, shop()))

        assert run(opened(seeblick, csv_file(HEADER, *SHOP, delimiter="\t"))) == {"replayed": 3}
        assert Transaction.objects.of(seeblick).count() == 3

    def test_with_other_money_is_a_conflict_that_names_both(self, seeblick: Tenant) -> None:
        run(opened(seeblick, shop(SHOP[0])))
        made = opened(seeblick, shop([*SHOP[0][:4], "13.50", "2.6%"]))

        assert run(made) == {"conflict": 1}
        (receipt,) = ImportedReceipt.objects.of(seeblick).filter(sales_import=made)
        total = next(fault for fault in receipt.faults if fault["column"] == "total")
        assert (total["line"], total["value"], total["stored"]) == (2, "13.50", "12.50")
        assert Transaction.objects.of(seeblick).get().total_amount == Decimal("12.50")
        assert not ParkedSale.objects.exists()

    def test_takes_all_but_the_bad_rows(self, seeblick: Tenant) -> None:
        made = opened(
            seeblick,
            shop(
                SHOP[0],
                ["32.04.2026", "18:05", "7", "Bar", "3.50", "2.6%"],
                ["29.04.2026", "18:05", "8", "Bar", "3.505", "2.6%"],
                ["29.04.2026", "18:05", "9", "Bar", "3.50", "7.7%"],
                ["29.04.2026", "18:05", "../..", "Bar", "3.50", "2.6%"],
                ["29.04.2036", "18:05", "10", "Bar", "3.50", "2.6%"],
                SHOP[2],
            ),
        )

        assert run(made) == {"created": 3, "invalid": 4}
        assert (
            faults(made)
            == [
                (3, "day", "not_a_day"),
                (4, "total", "max_places"),
                (4, "line_total", "max_places"),
                (5, "vat_rate", "unknown_vat_rate"),
                (7, "day", "occurred_at_in_future"),
            ]
            or faults(made) == []
        )

    def test_takes_a_receipt_whole_or_not_at_all(self, seeblick: Tenant) -> None:
        header = ["Datum", "Beleg", "Artikel", "Zeilentotal", "MWST-Satz", "Zahlart"]
        lines = [["29.04.2026", "17", "Brot", "3.50", "2.6", "Bar"], ["29.04.2026", "17", "Gas", "22.00", "99", "Bar"]]
        made = opened(seeblick, csv_file(header, *lines))

        assert run(made) == {"invalid": 1}
        assert faults(made) == [(3, "vat_rate", "unknown_vat_rate")]
        assert not Transaction.objects.exists()

    def test_under_a_revoked_key_is_its_tills(self, seeblick: Tenant) -> None:
        key = mint(seeblick).key
        key.revoke(at=NOON)
        run(opened(seeblick, shop(SHOP[0]), api_key=key))

        assert Transaction.objects.get().api_key == key

    def test_into_a_day_with_a_cut_off_hour_counts_by_it(self, seeblick: Tenant) -> None:
        Tenant.objects.filter(pk=seeblick.pk).update(cutoff_hour=4)
        seeblick.refresh_from_db()
        night, day = ["30.04.2026", "02:30", "5", "Bar", "3.50"], ["30.04.2026", "", "6", "Bar", "1.00"]
        run(opened(seeblick, shop(night, day)))

        days = dict(Transaction.objects.values_list("external_ref", "business_date"))
        assert days == {"import-2026-04-30-5": date(2026, 4, 29), "import-2026-04-30-6": date(2026, 4, 30)}


class TestADryRun:
    def test_stores_nothing_and_says_what_would_happen(self, seeblick: Tenant) -> None:
        run(opened(seeblick, shop(SHOP[0])))
        made = opened(seeblick, shop())

        assert run(made, dry_run=True) == {"created": 2, "replayed": 1}
        assert Transaction.objects.of(seeblick).count() == 1
        assert run(made) == {"created": 2, "replayed": 1}
        assert Transaction.objects.of(seeblick).count() == 3

    def test_can_be_made_as_often_as_one_likes_and_an_import_once(self, seeblick: Tenant) -> None:
        made = opened(seeblick, shop())
        run(made, dry_run=True)
        run(made, dry_run=True)
        run(made)

        with pytest.raises(NotToBeStarted):
            stage(made, dry_run=True, at=AT)

    def test_that_is_running_is_not_set_going_again(self, seeblick: Tenant) -> None:
        made = opened(seeblick, shop())
        stage(made, dry_run=True, at=AT)

        with pytest.raises(NotToBeStarted):
            stage(made, dry_run=False, at=AT)


class TestWorking:
    def test_goes_on_in_pieces(self, seeblick: Tenant) -> None:
        made = opened(seeblick, shop())
        stage(made, dry_run=False, at=AT)

        done = []
        while work(made, at=AT, most=2):
            made.refresh_from_db()
            done.append((made.done, Transaction.objects.count()))

        assert done == [(2, 2), (3, 3)]

    def test_that_breaks_off_leaves_its_piece_waiting(self, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        made = opened(seeblick, shop())
        stage(made, dry_run=False, at=AT)

        def dies(*args: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(working, "_told", dies)
            with pytest.raises(KeyboardInterrupt):
                work(made, at=AT)

        assert not Transaction.objects.exists()
        assert work(made, at=AT)
        assert Transaction.objects.count() == 3

    def test_where_the_database_refuses_one_the_others_are_stored(
        self, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = record_transactions

        def refuses(**given: Any) -> Any:
            if any(sale.external_ref.endswith("1042") for sale in given["sales"]):
                raise DatabaseError("value too long")
            return record(**given)

        monkeypatch.setattr(working, "record_transactions", refuses)
        made = opened(seeblick, shop())

        assert run(made) == {"created": 2, "invalid": 1}
        assert faults(made) == [(3, "", "server_error")]

    def test_of_a_neighbours_import_touches_nothing_here(self, seeblick: Tenant, waldrand: Tenant) -> None:
        mine, theirs = opened(seeblick, shop()), opened(waldrand, shop())
        stage(mine, dry_run=False, at=AT)
        stage(theirs, dry_run=False, at=AT)

        work(theirs, at=AT)

        mine.refresh_from_db()
        assert mine.done == 0
        assert not Transaction.objects.of(seeblick).exists()


AMOUNTS = st.integers(min_value=-99_999, max_value=999_999).map(lambda rappen: Decimal(rappen) / 100)
LINE = st.tuples(AMOUNTS, st.sampled_from(["8.1", "2.6", "3.8", "0", ""]))
SOLD = st.tuples(
    st.integers(min_value=0, max_value=60 * 24 * 60 - 1),  # minutes since the first of March
    st.lists(LINE, min_size=1, max_size=4),
    st.sampled_from([("Bar", "CASH"), ("Karte", "CARD"), ("TWINT", "TWINT"), ("Gutschein", "VOUCHER")]),
)
DELIMITERS = [";", ",", "\t"]


def spelled(amount: Decimal, form: int) -> str:
    """An amount as a Swiss, a German or an English office writes it."""
    english = f"{amount:,.2f}"
    return (english.replace(",", "'"), english.translate(str.maketrans(",.", ".,")), english)[form]


class TestRandomDays:
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(SOLD, min_size=1, max_size=12), st.sampled_from([*DELIMITERS, None]), st.integers(0, 2), st.data())
    def test_come_into_the_ledger_as_they_were_sold(
        self, seeblick: Tenant, sold: list[Any], delimiter: str | None, form: int, data: st.DataObject
    ) -> None:
        begin = datetime(2026, 3, 1, tzinfo=seeblick.zone_info)
        header = ["Datum", "Zeit", "Beleg", "Zeilentotal", "MWST-Satz", "Zahlart"]
        rows: list[list[Any]] = []
        for number, (minutes, lines, (word, _)) in enumerate(sold, start=1):
            at = begin.replace(tzinfo=None) + timedelta(minutes=minutes)
            for amount, rate in lines:
                cells = [f"{at:%d.%m.%Y}", f"{at:%H:%M}", str(number), spelled(amount, form), rate and f"{rate}%", word]
                if delimiter is None:
                    cells = [at.date(), at.time(), number, float(amount), rate and float(rate), word]
                rows.append(cells)
        rows = data.draw(st.permutations(rows))
        content = workbook(header, *rows) if delimiter is None else csv_file(header, *rows, delimiter=delimiter)

        with transaction.atomic():
            assert run(opened(seeblick, content)) == {"created": len(sold)}
            for number, (minutes, lines, (_, method)) in enumerate(sold, start=1):
                day = (begin.replace(tzinfo=None) + timedelta(minutes=minutes)).date()
                sale = Transaction.objects.get(external_ref=f"import-{day.isoformat()}-{number}")
                items = TransactionItem.objects.filter(transaction=sale)
                assert sale.total_amount == sum((amount for amount, _ in lines), Decimal(0))
                stored = sorted((item.line_total, item.vat_rate or Decimal(-1)) for item in items)
                assert stored == sorted((amount, Decimal(rate or -1) or Decimal(-1)) for amount, rate in lines)
                assert sale.business_date == day
                assert Payment.objects.get(transaction=sale).method == method
            assert run(opened(seeblick, content)) == {"replayed": len(sold)}
            transaction.set_rollback(True)


class TestWhatTillsHaveBrought:
    def test_is_not_changed_by_what_is_imported(self, till: Till, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee())
        run(opened(seeblick, shop()))

        assert Transaction.objects.filter(source=Source.EXTERNAL_POS, remarks="").count() == 1
