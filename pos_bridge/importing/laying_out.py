"""Putting the guess at a file's columns right: by their titles, letters or numbers, and with the words for payments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kasse.paying import METHODS
from pos_bridge.importing.columns import NO_HEADER, Column, Layout, NotEnough, layout_below, words_of
from pos_bridge.importing.tables import Row

PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}")
LETTERS = re.compile(r"[A-Za-z]{1,2}")


def changed(
    layout: Layout,
    *,
    columns: Mapping[Column, int | None] | None = None,
    payments: Mapping[str, str] | None = None,
    prefix: str = "",
) -> Layout:
    """The layout with other columns (None takes one out), further words for payments, another beginning of references.

    Raises:
        NotEnough: a word stands for no payment method, or references cannot begin so.
    """
    prefix = prefix or layout.prefix
    if not PREFIX.fullmatch(prefix):
        raise NotEnough("bad_prefix")
    said = {word.casefold(): method for word, method in (payments or {}).items()}
    if not set(said.values()) <= set(METHODS):
        raise NotEnough("no_payment_method")
    moved = {**layout.columns, **(columns or {})}
    return replace(
        layout,
        columns={column: place for column, place in moved.items() if place is not None},
        payments={**layout.payments, **said},
        prefix=prefix,
    )


def below_line(layout: Layout, rows: Sequence[Row], line: int, *, currency: str) -> Layout:
    """The guess where the header stands on that line of the file, 0 for none; what was said of payments stays.

    Raises:
        NotEnough: there is no such row, or nothing below it.
    """
    place = next((place for place, row in enumerate(rows[:-1]) if row.line == line), None) if line else NO_HEADER
    if place is None:
        raise NotEnough("no_such_header")
    guess = layout_below(place, rows, currency=currency)
    return replace(guess, payments=layout.payments, prefix=layout.prefix)


def header_line(layout: Layout, rows: Sequence[Row]) -> int:
    """On which line of the file the header stands; 0 where there is none."""
    return 0 if layout.header == NO_HEADER else rows[layout.header].line


def columns_named(layout: Layout, pairs: Iterable[str]) -> dict[Column, int | None]:
    """Columns as a command is told them: ``day=Datum``, ``total=F``, ``tip=7``; ``tip=`` for none.

    Raises:
        NotEnough: there is no such column, or nothing of ours has that name.
    """
    found: dict[Column, int | None] = {}
    for pair in pairs:
        name, _, title = pair.partition("=")
        if name not in set(Column):
            raise NotEnough("no_such_column")
        found[Column(name)] = _place_of(layout, title) if title else None
    return found


def _place_of(layout: Layout, title: str) -> int:
    for place, each in enumerate(layout.titles):
        if each == title or words_of(each) == words_of(title):
            return place
    if title.isascii() and title.isdecimal() and int(title):
        return int(title) - 1
    if LETTERS.fullmatch(title):
        return _number_of(title.upper()) - 1
    raise NotEnough("no_such_column")


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def letters_of(place: int) -> str:
    """A column as a spreadsheet names it: 0 is A, 26 is AA."""
    place, last = divmod(place, 26)
    return (chr(ord("A") + place - 1) if place else "") + chr(ord("A") + last)
