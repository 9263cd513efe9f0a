"""Files as back offices and hand-made spreadsheets have them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

HEADER = ["Datum", "Zeit", "Beleg-Nr.", "Zahlungsart", "Betrag", "MWST-Satz"]
SHOP = [
    ["29.04.2026", "18:05", "1041", "Bar", "12.50", "2.6%"],
    ["29.04.2026", "18:07", "1042", "Karte", "1'234.50", "8,1"],
    ["29.04.2026", "18:12", "1043", "Bar", "-3.50", "8.1"],
]


def csv_file(*rows: Sequence[str], delimiter: str = ";", encoding: str = "utf-8") -> bytes:
    """Rows as a CSV file."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def workbook(*rows: Sequence[Any], formats: dict[int, str] | None = None) -> bytes:
    """Rows as a workbook, values as they are; ``formats`` are those of columns, from 0."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("Verkäufe")
    for row in rows:
        sheet.append([_cell(sheet, value, (formats or {}).get(place)) for place, value in enumerate(row)])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cell(sheet: Any, value: Any, number_format: str | None) -> Any:
    cell = WriteOnlyCell(sheet, value=value)
    if number_format and not isinstance(value, str):
        cell.number_format = number_format
    return cell


def shop(*rows: Sequence[str]) -> bytes:
    """A file of the shop till: rows of ``SHOP``, unless others are given."""
    return csv_file(HEADER, *(rows or SHOP))


MOMENT = datetime(2026, 4, 29, 18, 5)  # noqa: DTZ001 (a spreadsheet knows no zones)
DAY, TIME = date(2026, 4, 29), time(18, 5)
