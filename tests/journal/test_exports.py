"""The journal as files: the same bytes, always, and readable by the programs they are for."""

from __future__ import annotations

import csv
import time
from datetime import datetime
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from openpyxl import load_workbook

from journal.exports import HEADINGS, as_csv, as_xlsx, reversed_lines
from journal.models import Revision
from journal.settings_models import JournalSettings
from kasse.models import PaymentMethod
from tenants.models import Tenant
from tests.journal.books import StandingClock, books_of, open_revision, post_it
from tests.kasse.selling import sell

EXPECTED = """\
Datum;Beleg;Text;Konto;Soll;Haben;Währung;MWST-Code;Schlüssel
29.04.2026;CKONA-260429-0-1;{cash};1000;12.50;;CHF;;tender.front_desk.cash
29.04.2026;CKONA-260429-0-1;{vat};2200;;0.94;CHF;;vat.8.1
29.04.2026;CKONA-260429-0-1;{shop};3200;;11.56;CHF;;revenue.shop.8.1
"""


@pytest.fixture
def posted(seeblick: Tenant, waldrand: Tenant, clock: StandingClock) -> Revision:
    """A journal of one sale."""
    books = books_of(seeblick)
    sell(waldrand, "99.00")
    sell(seeblick, "12.50")
    return post_it(open_revision(books, clock), books, clock)


class TestCsv:
    def test_is_what_swiss_programs_import(self, posted: Revision) -> None:
        text = {line.key: line.text for line in posted.postings}
        written = as_csv(posted.journal, posted.reference, posted.postings)
        expected = EXPECTED.format(
            cash=text["tender.front_desk.cash"], vat=text["vat.8.1"], shop=text["revenue.shop.8.1"]
        )

        assert written.startswith(b"\xef\xbb\xbf")
        assert written.decode("utf-8-sig") == expected.replace("\n", "\r\n")

    def test_adds_up_for_whoever_reads_it(self, posted: Revision) -> None:
        text = as_csv(posted.journal, posted.reference, posted.postings).decode("utf-8-sig")
        rows = list(csv.DictReader(StringIO(text), delimiter=";"))

        assert sum(Decimal(row["Soll"] or 0) - Decimal(row["Haben"] or 0) for row in rows) == 0

    def test_of_a_reversal_has_the_sides_changed(self, posted: Revision) -> None:
        back = reversed_lines(posted.postings)

        assert [(line.debit, line.credit) for line in back] == [(line.credit, line.debit) for line in posted.postings]

    def test_lets_no_category_become_a_formula(self, seeblick: Tenant, clock: StandingClock) -> None:
        books = books_of(seeblick)
        sell(seeblick, "12.50", category='=HYPERLINK("http://x.example")')
        posted = post_it(open_revision(books, clock), books, clock)
        text = as_csv(posted.journal, posted.reference, posted.postings).decode("utf-8-sig")

        assert not any(cell.startswith(("=", "+", "-", "@")) for line in text.splitlines() for cell in line.split(";"))


class TestXlsx:
    def test_has_the_rows_of_the_csv_as_days_and_numbers(self, posted: Revision) -> None:
        book = load_workbook(BytesIO(as_xlsx(posted.journal, posted.reference, posted.postings)))
        rows = list(book.worksheets[0].iter_rows(values_only=True))

        assert rows[0] == HEADINGS
        assert rows[1][0] == datetime(2026, 4, 29)  # noqa: DTZ001 (a day in a cell)
        assert [row[3:6] for row in rows[1:]] == [("1000", 12.5, None), ("2200", None, 0.94), ("3200", None, 11.56)]


class TestBytes:
    def test_are_the_same_whenever_they_are_written(self, posted: Revision, monkeypatch: pytest.MonkeyPatch) -> None:
        first = [write(posted.journal, posted.reference, posted.postings) for write in (as_csv, as_xlsx)]
        time.sleep(1.1)  # what openpyxl and zipfile would write into it has a resolution of one second or two
        later = time.time() + 86_400
        monkeypatch.setattr(time, "time", lambda: later)
        again = Revision.objects.select_related("journal__tenant").get(pk=posted.pk)

        assert [write(again.journal, again.reference, again.postings) for write in (as_csv, as_xlsx)] == first

    def test_differ_from_journal_to_journal(self, posted: Revision, seeblick: Tenant, clock: StandingClock) -> None:
        sell(seeblick, "8.00", method=PaymentMethod.CARD)
        books = JournalSettings.objects.select_related("tenant").get(tenant=seeblick)
        other = post_it(open_revision(books, clock), books, clock)

        assert as_xlsx(other.journal, other.reference, other.postings) != as_xlsx(
            posted.journal, posted.reference, posted.postings
        )
