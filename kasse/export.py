"""The filtered list as a file, all of its pages: CSV of any length, or an Excel workbook of at most ``MOST_ROWS``.

CSV is as spreadsheets here open it: semicolons, a comma before the Rappen, CRLF, and a mark at its beginning that says
UTF-8. What a till has written stays text: a spreadsheet that would take it for a formula is kept from it, by an
apostrophe in CSV and by the type of the cell in Excel. Amounts stay numbers, negative ones too.

The list is read in chunks, each where the last one ended: memory does not depend on its length, and no other work
waits for it. What is sold meanwhile stands before its beginning.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from kasse.listing import Place, page_of
from kasse.marks import marks_of
from kasse.models import Payment, PaymentMethod, Source, Status, Transaction, TransactionItem
from kasse.money import plain
from tenants.models import Tenant
from tenants.swiss import day_text, moment_text, number_text

MOST_ROWS = 50_000
"""What a workbook may hold. Excel itself ends at 1'048'576 rows, but so many would be ten minutes in the making."""
CHUNK = 1000
LONGEST_TEXT = 1000
# openpyxl looks for control characters alone, but XML knows two more that no document may hold.
NOT_IN_XML = re.compile(f"{ILLEGAL_CHARACTERS_RE.pattern}|[\ufffe\uffff]")
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Value: TypeAlias = str | int | Decimal | date | datetime | None
FORMATS = {
    0: "dd.mm.yyyy",
    **dict.fromkeys((1, 2), "dd.mm.yyyy hh:mm:ss"),
    **dict.fromkeys((12, 13, 14), "#,##0.00"),
}
"""How Excel shows the days, times and amounts of a row."""
WIDTHS = (12, 20, 20, 38, 30, 14, 20, 12, 16, 28, 8, 60, 12, 10, 10, 9, 30, 20, 16, 16)


def titles() -> list[str]:
    """The first line, in the language of the page."""
    return [
        _("Business day"),
        _("Time"),
        _("Received"),
        _("ID"),
        _("Reference"),
        _("Source"),
        _("Till"),
        _("Status"),
        _("Payment method"),
        _("Payments"),
        _("Lines"),
        _("Articles"),
        _("Amount"),
        _("Rounding"),
        _("Tip"),
        _("Currency"),
        _("Refund of"),
        _("Marks"),
        _("Device"),
        _("Receipt number"),
    ]


def export_rows(tenant: Tenant, sales: QuerySet[Transaction], tills: Mapping[int, str]) -> Iterator[Sequence[Value]]:
    """A row for each sale in the order of the list; times on the campground's clock, without a zone.

    The rows are in the language of this call, whichever it is when they are read.
    """
    return _rows(tenant, sales, tills, translation.get_language())


def _rows(
    tenant: Tenant, sales: QuerySet[Transaction], tills: Mapping[int, str], language: str | None
) -> Iterator[Sequence[Value]]:
    for chunk in _chunks(sales):
        with translation.override(language):
            parts = _Parts(tenant, [sale.pk for sale in chunk])
            rows = [_row(sale, parts, tills, tenant.zone_info) for sale in chunk]
        yield from rows


def csv_lines(titles: Sequence[str], rows: Iterator[Sequence[Value]]) -> Iterator[bytes]:
    """The file in pieces, its title first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write("\N{ZERO WIDTH NO-BREAK SPACE}")
    for row in chain([titles], rows):
        writer.writerow([as_csv(value) for value in row])
        if buffer.tell() > 2**15:
            yield _taken(buffer)
    yield _taken(buffer)


def as_csv(value: Value) -> str:
    """A cell of a CSV file."""
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(FORMULA_BEGINNINGS) else value
    if isinstance(value, Decimal):
        return plain(value, places=2).replace(".", ",")
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return day_text(value)
    return "" if value is None else str(value)


def workbook_of(titles: Sequence[str], rows: Iterator[Sequence[Value]]) -> IO[bytes]:
    """The file, at its beginning; the rows go to the disk as they come."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(_("Transactions"))
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFGHIJKLMNOPQRST", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    cells = _Cells(sheet)
    for row in chain([titles], rows):
        sheet.append(cells.of(row))
    file = TemporaryFile()  # noqa: SIM115 (whoever sends it closes it, and it is gone)
    book.save(file)
    file.seek(0)
    return file


class _Cells:
    """Numbers and days as such, with their formats; texts as texts, whatever they begin with.

    A row is written when it is appended, so its cells are used again for the next one: making them took longer than
    all the rest.
    """

    def __init__(self, sheet: Any) -> None:
        self._cells = [WriteOnlyCell(sheet) for _ in WIDTHS]
        for place, written in FORMATS.items():
            self._cells[place].number_format = written

    def of(self, row: Sequence[Value]) -> list[Any]:
        """The cells of a row, good until the next one."""
        for cell, value in zip(self._cells, row, strict=True):
            if isinstance(value, str):
                cell.value = NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", value)
                cell.data_type = "s"
            else:
                cell.value = value
        return self._cells


def file_name(days: Sequence[date | None], form: str) -> str:
    """``transaktionen-2026-04-01-2026-04-30.csv``; a side without a bound is left out."""
    named = dict.fromkeys(day.isoformat() for day in days if day)
    return "-".join(["transaktionen", *named]) + f".{form}"


def _chunks(sales: QuerySet[Transaction]) -> Iterator[Sequence[Transaction]]:
    after: Place | None = None
    while True:
        page = page_of(sales, after=after, size=CHUNK)
        if page.sales:
            yield page.sales
        if page.older is None:
            return
        after = page.older


class _Parts:
    """Lines and payments of a chunk of sales, two statements for all of them."""

    def __init__(self, tenant: Tenant, ids: Sequence[UUID]) -> None:
        self.lines: dict[UUID, list[str]] = defaultdict(list)
        self.payments: dict[UUID, list[str]] = defaultdict(list)
        lines = TransactionItem.objects.of(tenant).filter(transaction__in=ids).order_by("transaction", "position")
        for sale, quantity, text in lines.values_list("transaction_id", "quantity", "description").iterator():
            self.lines[sale].append(f"{number_text(quantity)} × {text}")
        payments = Payment.objects.of(tenant).filter(transaction__in=ids).order_by("transaction", "position")
        names = {method: str(method.label) for method in PaymentMethod}
        for sale, method, amount in payments.values_list("transaction_id", "method", "amount").iterator():
            self.payments[sale].append(f"{names[PaymentMethod(method)]} {plain(amount, places=2)}")


def _row(sale: Transaction, parts: _Parts, tills: Mapping[int, str], zone: ZoneInfo) -> Sequence[Value]:
    lines = parts.lines[sale.pk]
    on_clock: Callable[[datetime], datetime] = lambda at: at.astimezone(zone).replace(tzinfo=None)  # noqa: E731
    return [
        sale.business_date,
        on_clock(sale.occurred_at),
        on_clock(sale.received_at),
        str(sale.pk),
        sale.external_ref or "",
        str(Source(sale.source).label),
        tills.get(sale.api_key_id or 0, ""),
        str(Status(sale.status).label),
        str(PaymentMethod(sale.payment_method).label),
        ", ".join(parts.payments[sale.pk]),
        len(lines),
        _shortened("; ".join(lines)),
        sale.total_amount,
        sale.rounding_amount,
        sale.tip_amount,
        sale.currency,
        sale.refund_of,
        ", ".join(str(mark.label) for mark in marks_of(sale)),
        sale.till_id,
        sale.receipt_seq,
    ]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _taken(buffer: io.StringIO) -> bytes:
    piece = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return piece
