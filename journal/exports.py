"""A journal as files that any bookkeeping can import: the same bytes for the same journal, always.

CSV as Swiss programs read it: semicolons, a point before the Rappen, days as ``29.04.2026``, UTF-8 with a mark, lines
ended by CR LF. XLSX holds the same rows, amounts as numbers and days as days.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO, StringIO
from typing import TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook

from journal.models import Journal
from journal.postings import Posting
from tenants.swiss import day_text

HEADINGS = ("Datum", "Beleg", "Text", "Konto", "Soll", "Haben", "Währung", "MWST-Code", "Schlüssel")
"""Fixed, whatever the reader's language: an import is set up once."""

MONEY_FORMAT, DAY_FORMAT = "#,##0.00", "dd.mm.yyyy"
WIDTHS = (12, 20, 44, 10, 12, 12, 9, 10, 34)
BEGINNING = (1980, 1, 1, 0, 0, 0)
Row: TypeAlias = tuple[date, str, str, str, Decimal | None, Decimal | None, str, str, str]


def reversed_lines(lines: tuple[Posting, ...]) -> tuple[Posting, ...]:
    """The lines that undo these: debit and credit change places."""
    return tuple(replace(line, debit=line.credit, credit=line.debit) for line in lines)


def as_csv(journal: Journal, reference: str, lines: tuple[Posting, ...]) -> bytes:
    """The rows as CSV; ``reference`` stands on each of them."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for day, *cells in _rows(journal, reference, lines):
        writer.writerow([day_text(day), *("" if cell is None else cell for cell in cells)])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(journal: Journal, reference: str, lines: tuple[Posting, ...]) -> bytes:
    """The rows as a workbook."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101 (for the type checker: a new book has one)
    sheet.title = reference
    sheet.append(HEADINGS)
    for row in _rows(journal, reference, lines):
        sheet.append(row)
    for cells in sheet.iter_rows(min_row=2):
        cells[0].number_format = DAY_FORMAT
        cells[4].number_format = cells[5].number_format = MONEY_FORMAT
    for column, width in zip("ABCDEFGHI", WIDTHS, strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A2"
    book.properties.creator = "CampOne"
    book.properties.created = datetime.combine(journal.business_date, time())
    written = BytesIO()
    book.save(written)
    return _without_time(written.getvalue(), journal.business_date)


def _rows(journal: Journal, reference: str, lines: tuple[Posting, ...]) -> Iterator[Row]:
    for line in lines:
        yield (
            journal.business_date,
            reference,
            line.text,
            line.account,
            line.debit or None,
            line.credit or None,
            journal.currency,
            line.tax_code,
            line.key,
        )


def _without_time(packed: bytes, day: date) -> bytes:
    """The same workbook without the moment of its making, which the library writes into it in two places."""
    fixed = BytesIO()
    with ZipFile(BytesIO(packed)) as source, ZipFile(fixed, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                modified = rf"\g<1>{day.isoformat()}T00:00:00Z\g<2>".encode()
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)", modified, content)
            part = ZipInfo(name, BEGINNING)
            part.compress_type = ZIP_DEFLATED
            part.external_attr = 0o600 << 16
            target.writestr(part, content)
    return fixed.getvalue()
