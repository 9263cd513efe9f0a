"""CSV files: whatever back offices and spreadsheets here write. Pure.

UTF-8, with its mark or without, UTF-16 with its mark, else Windows-1252; parted by semicolon, comma or tab, whichever
parts the most.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice

from pos_bridge.importing.tables import LONGEST_CELL, MOST_COLUMNS, MOST_LINES, FileRefused

UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = (";", ",", "\t", "|")
LOOKED_AT = 20
LONGEST_LINE = MOST_COLUMNS * LONGEST_CELL


def read_csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows with their lines; a row that spans several has the first of them.

    Raises:
        FileRefused: it is no text, its quotes never end, or it goes on for ever.
    """
    # Rows end where CSV says so, and not at every character that Python takes for the end of a line.
    lines = list(islice(io.StringIO(_text_of(content), newline=""), MOST_LINES + 1))
    if len(lines) > MOST_LINES:
        raise FileRefused("too_many_rows")
    if max(map(len, lines), default=0) > LONGEST_LINE:
        raise FileRefused("too_many_columns")
    # Strict: a quote that nobody closes would swallow the rows after it.
    reader = csv.reader(lines, delimiter=_delimiter_of(lines[:LOOKED_AT]), strict=True)
    before = 0
    try:
        for row in reader:
            yield before + 1, row
            before = reader.line_num
    except csv.Error:
        raise FileRefused("not_csv") from None


def _text_of(content: bytes) -> str:
    encoding = "utf-16" if content.startswith(UTF_16_MARKS) else "utf-8-sig"
    for each in (encoding, "cp1252"):
        try:
            text = content.decode(each)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise FileRefused("not_text")
        return text
    raise FileRefused("not_text")


def _delimiter_of(lines: list[str]) -> str:
    """What parts these lines into the most cells, counted outside of quotes."""
    return max(DELIMITERS, key=lambda delimiter: _cells_by(delimiter, lines))


def _cells_by(delimiter: str, lines: list[str]) -> int:
    try:
        return sum(len(row) - 1 for row in csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return 0
