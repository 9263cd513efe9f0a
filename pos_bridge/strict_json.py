"""JSON read strictly, once, before any database sees it: the same rules on SQLite and PostgreSQL.

Python's own reader is lenient where money is at stake: the last of two equal keys wins, ``NaN`` is a
number, decimals become floats. Here numbers stay the text they were sent as (``Literal``), repeated keys and
deep nesting are refused, and so is every character that one database stores and the other does not.

Source: wire contract, section 2, "Numbers"; RFC 8259.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

DEPTH = 8
# NUL, control characters but tab and line ends, and halves of surrogate pairs.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class Literal(str):
    """A JSON number, as the text it was sent as."""

    __slots__ = ()


class Malformed(Exception):
    """Not a document we take; ``code`` is stable, ``reason`` is for people and repeats nothing of the input."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read_json(body: bytes) -> Any:
    """The document in ``body``: dicts, lists, strings, booleans, None, and ``Literal`` for numbers.

    Raises:
        Malformed: not UTF-8, not JSON, ``NaN`` or an infinity, a repeated key, nested deeper than 8, or a
            forbidden character anywhere in a text or key.
    """
    try:
        document = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Malformed("not_utf8", "The body is not UTF-8.") from None
    except RecursionError:
        raise Malformed("too_deep", f"The body is nested deeper than {DEPTH}.") from None
    except ValueError:
        raise Malformed("not_json", "The body is not JSON.") from None
    _check_texts(document)
    return document


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("duplicate_key", "A key stands twice in one object.")
    return found


def _refuse_constant(_text: str) -> NoReturn:
    raise Malformed("not_finite", "NaN and infinities are not numbers.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=Literal, parse_int=Literal, parse_constant=_refuse_constant
)


def _check_texts(document: Any) -> None:
    """Walk the document level by level, without recursion."""
    level = [document]
    for depth in range(DEPTH + 1):
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, dict | list):
                # Even an empty one counts as a level.
                if depth == DEPTH:
                    raise Malformed("too_deep", f"The body is nested deeper than {DEPTH}.")
                deeper.extend(value)
                deeper.extend(value.values() if isinstance(value, dict) else ())
        level = deeper


def _check_text(text: str) -> None:
    if FORBIDDEN.search(text):
        raise Malformed("forbidden_character", "A text holds a NUL, a control character or half a surrogate pair.")
