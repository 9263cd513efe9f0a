"""Excel workbooks: the first sheet that holds anything, its cells written out as texts.

Real days and times become ISO texts. A number is written out with the digits that the file has, and nothing is reckoned
with floats. Dirt that a spreadsheet's own arithmetic has left behind the ninth place is taken off, to four places;
whatever else remains is for the contract to refuse. A percentage is written as such. Of a formula the value counts that
Excel saw last; formulas are not computed here, and one that was never computed is an empty cell.

A workbook is a ZIP archive: what it says it would unfold to is bounded before anything is unfolded.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from openpyxl import load_workbook

from kasse.money import plain
from pos_bridge.importing.tables import MOST_COLUMNS, MOST_LINES, FileRefused

BEGINNING = b"PK\x03\x04"
MOST_UNFOLDED = 50 * 2**20
MOST_TAGS = 1_000_000
"""In all parts together: reading one costs some microseconds of the processor, however few bytes it has."""
MOST_PARTS = 500
DIRT = Decimal("1e-9")
FOUR_PLACES = Decimal("0.0001")
HALF_A_SECOND = timedelta(milliseconds=500)
A_DAY = timedelta(days=1)
ANY_DAY = date(2000, 1, 1)
LAST = datetime.max - A_DAY  # noqa: DTZ901 (Excel knows no zones)
LARGEST = Decimal(10) ** 15
# What a number format says beside the form of its number: texts, and a currency with a language, or one of the two.
SAID_ASIDE = re.compile(r'"[^"]*"|\[\$[^\]]*\]|\\.')
CURRENCY = re.compile(r"€|£|(?<=\[\$)\$|\b(?:CHF|EUR|GBP|USD)\b")


def read_workbook(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows with their lines.

    Raises:
        FileRefused: it is no workbook, or would unfold to too much.
    """
    _check_size(content)
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions that it leaves out; nothing of them is of use here.
            warnings.simplefilter("ignore")
            yield from _rows(content)
    except FileRefused:
        raise
    except Exception:  # noqa: BLE001 (whatever a hostile or a broken file makes of its reader)
        raise FileRefused("not_a_workbook") from None


def _check_size(content: bytes) -> None:
    """No part is unfolded further than the archive's list says: beyond, it counts as broken."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise FileRefused("not_a_workbook") from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNFOLDED:
        raise FileRefused("too_large")
    if _tags_in(content) > MOST_TAGS:
        raise FileRefused("too_many_cells")


def _tags_in(content: bytes) -> int:
    """How many the parts hold, or a few more; unfolding them to count takes next to no time."""
    tags = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.infolist():
                with archive.open(part) as opened:
                    tags += sum(piece.count(b"<") for piece in iter(partial(opened.read, 2**20), b""))
    except Exception:  # noqa: BLE001 (as in read_workbook)
        raise FileRefused("not_a_workbook") from None
    return tags


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    book: Any = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    seen = 0
    try:
        for sheet in (each for each in book.worksheets if each.sheet_state == "visible"):
            # What a sheet says of its own size is often wrong; the bounds are ours.
            sheet.reset_dimensions()
            found = False
            for line, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), start=1):
                seen += 1
                if seen > MOST_LINES:
                    raise FileRefused("too_many_rows")
                width = max((place for place, cell in enumerate(row, start=1) if cell.value is not None), default=0)
                cells = [text_of(cell.value, getattr(cell, "number_format", None) or "") for cell in row[:width]]
                found = found or any(cells)
                yield line, cells
            if found:
                return
    finally:
        book.close()


def text_of(value: Any, number_format: str) -> str:
    """A cell's value as text. A day without a time Excel has at midnight; its format tells."""
    match value:
        case None:
            return ""
        case int() | float() if not isinstance(value, bool):
            return _number_text(value, number_format)
        case datetime():
            near = _nearest_second(value)
            is_day = near.time() == time() and "h" not in SAID_ASIDE.sub("", number_format).casefold()
            return near.date().isoformat() if is_day else near.isoformat(sep=" ")
        case time():
            return _nearest_second(datetime.combine(ANY_DAY, value)).time().isoformat()
        case timedelta():
            return _nearest_second(datetime.combine(ANY_DAY, time()) + value % A_DAY).time().isoformat()
        case _:
            return str(value)


def _number_text(value: float, number_format: str) -> str:
    """With the sign of percent, or the currency, that the cell shows beside it."""
    number = Decimal(repr(value))
    if not number.is_finite() or abs(number) >= LARGEST:
        return str(value)
    if "%" in number_format:
        number *= 100
    near = number.quantize(FOUR_PLACES)
    number = near if abs(number - near) <= DIRT else number
    currency = CURRENCY.search(number_format)
    return plain(number + 0) + ("%" if "%" in number_format else "") + (f" {currency[0]}" if currency else "")


def _nearest_second(value: datetime) -> datetime:
    """Excel counts in fractions of a day."""
    return (min(value, LAST) + HALF_A_SECOND).replace(microsecond=0)
