"""The rows of a file as receipts: one document of the contract each, or what is wrong with it. Pure.

Rows with the same till, day and receipt number, or with the same reference, are the lines of one receipt, wherever they
stand. Its reference is made of nothing else, so a second import of the same receipt meets the first::

    import-2026-04-29-1041            import-<day>-<receipt number>
    import-Bistro-2026-04-29-1041     import-<till>-<day>-<receipt number>, where the file names the till

What is said of the receipt as a whole (total, payment, tip, …) may stand on each of its rows or on some, but only one
way. Whether what comes out is a sale is for the contract to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from kasse.money import ZERO, plain
from kasse.paying import METHODS, method_of
from pos_bridge.importing.cells import Moment, Unreadable, is_currency, moment_in, number_in, rate_in
from pos_bridge.importing.columns import Column, Layout
from pos_bridge.importing.tables import Row

UNNAMED_ITEM = "Import"
LONGEST_DESCRIPTION, LONGEST_CATEGORY, LONGEST_SHOWN = 255, 80, 60
PRICE_STEP = Decimal("0.0001")
T = TypeVar("T")
RUNNING_NUMBER = re.compile(r"(?=.*[1-9])[0-9]{1,15}")
CODES = {code.casefold(): code for code in METHODS}
# As in 04/29/2026. Where one day is written so, the others may be as well, and then 04/05/2026 is in April.
MONTH_FIRST = re.compile(r"(0?[1-9]|1[0-2])/(1[3-9]|2[0-9]|3[01])/")
SLASHES = re.compile(r"[0-9]{1,2}/[0-9]{1,2}/")
NUMBERS = (Column.TOTAL, Column.LINE_TOTAL, Column.QUANTITY, Column.UNIT_PRICE, Column.TIP, Column.ROUNDING)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong: on which line of the file, in which column, if in one, what, and what stands there."""

    line: int
    column: Column | None
    code: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt of the file: its lines there, and its document; without one, its flaws say why."""

    reference: str
    lines: tuple[int, ...]
    document: dict[str, Any] | None
    flaws: tuple[Flaw, ...] = ()


@dataclass(slots=True)
class _Line:
    """One row: its cells by column, what they say, and what is wrong with them."""

    line: int
    texts: Mapping[Column, str]
    moment: Moment | None = None
    numbers: dict[Column, Decimal] = field(default_factory=dict)
    rate: Decimal | None = None
    flaws: list[Flaw] = field(default_factory=list)

    def text(self, column: Column) -> str:
        return self.texts.get(column, "")

    def object_to(self, column: Column | None, code: str) -> None:
        value = self.text(column) if column else ""
        self.flaws.append(Flaw(self.line, column, code, value[:LONGEST_SHOWN]))


def receipts_in(rows: Sequence[Row], layout: Layout, *, currency: str, zone: ZoneInfo) -> list[Receipt]:
    """Every receipt of a file, in the order in which they begin; a row that is of none stands for itself."""
    lines = [_read(row, layout, currency, zone) for row in rows[layout.header + 1 :]]
    groups: dict[str | int, list[_Line]] = {}
    for line in lines:
        groups.setdefault(_reference(line, layout) or line.line, []).append(line)
    _doubt_days(lines)
    _doubt_neighbours(lines)
    return [_receipt(name if isinstance(name, str) else "", group, layout) for name, group in groups.items()]


def payment_words(rows: Sequence[Row], layout: Layout) -> list[str]:
    """The words for payments in a file, as first written, each once; "" stands for none."""
    place = layout.columns.get(Column.PAYMENT)
    written = (_cell(row, place) for row in rows[layout.header + 1 :])
    found: dict[str, str] = {}
    for word in written:
        found.setdefault(word.casefold(), word)
    return list(found.values())


def meaning_of(word: str, layout: Layout) -> str | None:
    """The payment method that a word of the file means; None where nobody knows."""
    return layout.payments.get(word.casefold()) or method_of(word, methods={}, fixed=CODES)


def _cell(row: Row, place: int | None) -> str:
    return row.cells[place] if place is not None and place < len(row.cells) else ""


def _read(row: Row, layout: Layout, currency: str, zone: ZoneInfo) -> _Line:
    line = _Line(row.line, {column: _cell(row, place) for column, place in layout.columns.items()})
    if line.text(Column.DAY):
        line.moment = _said(line, Column.DAY, lambda text: moment_in(text, line.text(Column.TIME), zone))
    else:
        line.object_to(Column.DAY, "missing")
    for column in NUMBERS:
        number = _said(line, column, lambda text: number_in(text, currency=currency))
        if number is not None:
            line.numbers[column] = number
    line.rate = _said(line, Column.VAT_RATE, rate_in)
    if line.text(Column.CURRENCY) and not is_currency(line.text(Column.CURRENCY), currency):
        line.object_to(Column.CURRENCY, "other_currency")
    return line


def _said(line: _Line, column: Column, read: Callable[[str], T]) -> T | None:
    """What a cell says; None where it is empty, or makes no sense, which is a flaw of the line."""
    try:
        return read(line.text(column)) if line.text(column) else None
    except Unreadable as unreadable:
        in_its_own = unreadable.code == "not_a_time" and line.text(Column.TIME)
        line.object_to(Column.TIME if in_its_own else column, unreadable.code)
        return None


def _reference(line: _Line, layout: Layout) -> str | None:
    """The reference of the receipt that a row belongs to; None where nobody can tell."""
    if line.text(Column.REFERENCE):
        return line.text(Column.REFERENCE)
    if not line.text(Column.RECEIPT):
        line.object_to(Column.RECEIPT if Column.RECEIPT in layout.columns else Column.REFERENCE, "missing")
    elif line.moment:
        parts = (layout.prefix, line.text(Column.TILL), line.moment.day.isoformat(), line.text(Column.RECEIPT))
        return "-".join(part for part in parts if part)
    return None


def _doubt_days(lines: Sequence[_Line]) -> None:
    """Where one day of the file is written with the month first, no other is read with the day first."""
    if any(MONTH_FIRST.match(line.text(Column.DAY)) for line in lines):
        for line in lines:
            if line.moment and SLASHES.match(line.text(Column.DAY)):
                line.object_to(Column.DAY, "month_first")


def _doubt_neighbours(lines: Sequence[_Line]) -> None:
    """A row whose day nobody can read may be a line of the receipt beside it, which then lacks that line."""
    for _, run in groupby(lines, key=lambda line: (line.text(Column.TILL), line.text(Column.RECEIPT))):
        beside = list(run)
        if any(line.moment is None for line in beside):
            for line in beside:
                if line.moment is not None and line.text(Column.RECEIPT):
                    line.object_to(None, "beside_unreadable")


def _receipt(reference: str, group: Sequence[_Line], layout: Layout) -> Receipt:
    document = _document(reference, group, layout) if group[0].moment else None
    flaws = tuple(flaw for line in group for flaw in line.flaws)
    return Receipt(reference, tuple(line.line for line in group), None if flaws else document, flaws)


def _document(reference: str, group: Sequence[_Line], layout: Layout) -> dict[str, Any]:
    """As a till would send it; what cannot be told is a flaw of its line."""
    rounding, tip = _one_number(group, Column.ROUNDING), _one_number(group, Column.TIP)
    items = [_item(line, rounding or ZERO, alone=len(group) == 1) for line in group]
    total = _one_number(group, Column.TOTAL)
    if total is None:
        total = sum((Decimal(item["line_total"]) for item in items), rounding or ZERO)
    moment, receipt = group[0].moment, _one_text(group, Column.RECEIPT)
    document = {
        "external_ref": reference,
        "payment_method": _payment(group, layout),
        "total_amount": plain(total, places=2),
        "items": items,
        "occurred_at": moment.at.isoformat() if moment else None,
        "rounding_amount": None if rounding is None else plain(rounding),
        "tip_amount": None if tip is None else plain(tip),
        "till_id": _one_text(group, Column.TILL),
        "receipt_seq": receipt if RUNNING_NUMBER.fullmatch(receipt) else None,
    }
    return {name: value for name, value in document.items() if value is not None and value != ""}


def _item(line: _Line, rounding: Decimal, *, alone: bool) -> dict[str, str]:
    amount = _amount(line, rounding, alone=alone)
    quantity = line.numbers.get(Column.QUANTITY, Decimal(-1 if amount < 0 else 1))
    price = line.numbers.get(Column.UNIT_PRICE)
    if price is None:
        price = (amount / quantity).quantize(PRICE_STEP, ROUND_HALF_UP) if quantity else amount
    item = {
        "description": line.text(Column.DESCRIPTION)[:LONGEST_DESCRIPTION].strip() or UNNAMED_ITEM,
        "quantity": plain(quantity),
        "unit_price": plain(price),
        "line_total": plain(amount, places=2),
        "vat_rate": "" if line.rate is None else plain(line.rate),
        "sku": line.text(Column.SKU),
        "category": line.text(Column.CATEGORY)[:LONGEST_CATEGORY].strip(),
    }
    return {name: value for name, value in item.items() if value}


def _amount(line: _Line, rounding: Decimal, *, alone: bool) -> Decimal:
    """What a line came to: as it says, else the receipt's whole if it has no other line, else quantity times price."""
    numbers = line.numbers
    if Column.LINE_TOTAL in numbers:
        return numbers[Column.LINE_TOTAL]
    if alone and Column.TOTAL in numbers:
        return numbers[Column.TOTAL] - rounding
    if Column.UNIT_PRICE in numbers:
        return numbers[Column.UNIT_PRICE] * numbers.get(Column.QUANTITY, 1)
    if not any(flaw.column in {Column.LINE_TOTAL, Column.TOTAL, Column.UNIT_PRICE} for flaw in line.flaws):
        line.object_to(*_what_is_missing(line, alone=alone))
    return ZERO


def _what_is_missing(line: _Line, *, alone: bool) -> tuple[Column, str]:
    if Column.LINE_TOTAL in line.texts:
        return Column.LINE_TOTAL, "missing"
    return Column.TOTAL, "missing" if alone else "several_rows"


def _payment(group: Sequence[_Line], layout: Layout) -> str | None:
    method = meaning_of(_one_text(group, Column.PAYMENT), layout)
    if method is None:
        group[0].object_to(Column.PAYMENT, "unknown_payment")
    return method


def _one_number(group: Sequence[_Line], column: Column) -> Decimal | None:
    """What the receipt says, on whichever of its rows."""
    return _one(group, column, lambda line: line.numbers.get(column))


def _one_text(group: Sequence[_Line], column: Column) -> str:
    return _one(group, column, lambda line: line.text(column) or None) or ""


def _one(group: Sequence[_Line], column: Column, said: Callable[[_Line], T | None]) -> T | None:
    found: T | None = None
    for line in group:
        here = said(line)
        if here is not None and found is not None and here != found:
            line.object_to(column, "differs")
        found = here if found is None else found
    return found
