"""A file as a table of texts: rows with the line on which they stand; what is no table is refused as a whole.

Errors::

    FileRefused    with a code for words: too large, no text, no rows, too many, …
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MOST_BYTES = 10 * 2**20
MOST_ROWS = 20_000
MOST_COLUMNS = 100
MOST_LINES = 5 * MOST_ROWS
LONGEST_CELL = 1000
MOST_TEXT = MOST_BYTES
"""Characters of all cells: a workbook keeps a text once, wherever it stands."""


class FileRefused(Exception):
    """Nothing of the file can be read; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Row(NamedTuple):
    """A row that is not blank, and its line in the file, from 1 on."""

    line: int
    cells: list[str]


def table_of(rows: Iterable[tuple[int, list[str]]]) -> list[Row]:
    """The rows that hold something, without blank columns at their ends.

    Raises:
        FileRefused: there are none, or more than we take.
    """
    table: list[Row] = []
    written = 0
    for line, cells in rows:
        cleaned = [_clean(cell) for cell in cells]
        while cleaned and not cleaned[-1]:
            cleaned.pop()
        if len(cleaned) > MOST_COLUMNS:
            raise FileRefused("too_many_columns")
        if cleaned:
            table.append(Row(line, cleaned))
        written += sum(map(len, cleaned))
        if written > MOST_TEXT:
            raise FileRefused("too_large")
        if len(table) > MOST_ROWS + 1:
            raise FileRefused("too_many_rows")
    if len(table) < 2:
        raise FileRefused("no_rows")
    return table


def _clean(cell: str) -> str:
    """A cell on one line, and of no more than a database, a page and a till's contract can hold."""
    text = cell[:LONGEST_CELL]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return text.strip()
