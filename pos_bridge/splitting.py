"""The sales of a batch, each as the bytes it was sent as, so that each is read, and refused, by itself.

Only what makes the body JSON is asked for here. Whatever else may be wrong with a sale (a key that stands twice, a
character that is not taken, half a surrogate pair) is found where a single sale is read, and is that sale's own fault.

Nearly every batch is in order, and is taken apart in one pass; the longer way finds out what a fault is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Raw, Struct

from pos_bridge.faults import Fault, Refused
from pos_bridge.strict_json import DEPTH, Malformed

MOST_SALES = 100
SALES = "transactions"


@dataclass(frozen=True, slots=True)
class Batch:
    """The sales of a batch, in their order, and the names beside them that nobody knows."""

    documents: tuple[bytes, ...]
    unknown: tuple[str, ...] = ()


class SentBatch(Struct, forbid_unknown_fields=True):
    """A batch as it stands in the body; its sales are still the bytes they were sent as."""

    transactions: list[Raw]


_DECODE = msgspec.json.Decoder(SentBatch).decode
_ENCODE = msgspec.json.Encoder().encode


def split_batch(body: bytes) -> Batch:
    """Take a batch apart.

    Raises:
        Malformed: the body is no JSON object, or a name stands twice in it.
        Refused: it holds no list of sales, or an empty one, or too many.
    """
    try:
        text = body.decode()
        documents = _in_one_pass(body)
        batch = Batch(documents) if documents is not None else _closely(text)
    except UnicodeDecodeError:
        raise Malformed("not_utf8", "The body is not UTF-8.") from None
    except RecursionError:
        raise Malformed("too_deep", f"The body is nested deeper than {DEPTH}.") from None
    except (ValueError, IndexError):
        raise Malformed("not_json", "The body is not JSON.") from None
    require_so_many(batch.documents, SALES, most=MOST_SALES)
    return batch


def require_so_many(rows: Sequence[object], field: str, *, most: int) -> None:
    """Refuse a list that is longer than it may be.

    Raises:
        Refused: with how many it may hold.
    """
    if len(rows) > most:
        raise Refused([Fault((field,), "too_many", f"At most {most} in one call.", {"most": most})])


def _in_one_pass(body: bytes) -> tuple[bytes, ...] | None:
    try:
        sent = _DECODE(body)
    except (msgspec.MsgspecError, RecursionError):
        return None
    # Of equal names the decoder keeps the last and says nothing; but every name has its colon. See ``decoding``.
    if not sent.transactions or body.count(b":") != _ENCODE(sent).count(b":"):
        return None
    return tuple(bytes(document) for document in sent.transactions)


# The longer way -------------------------------------------------------------------------------------

# Numbers stay text: they are read again, and Python makes no integer of thousands of digits.
_VALUE = json.JSONDecoder(strict=False, parse_float=str, parse_int=str).raw_decode
_BLANKS = re.compile(r"[ \t\n\r]*")


def _closely(text: str) -> Batch:
    start = _past_blanks(text, 0)
    _value, end = _VALUE(text, start)
    if _past_blanks(text, end) != len(text):
        raise ValueError
    if text[start] != "{":
        raise Malformed("not_an_object", "The body is not a JSON object.")
    members: dict[str, int] = {}
    for name, place, _end in _parts(text, start):
        if name in members:
            raise Malformed("duplicate_key", "A key stands twice in one object.")
        members[name] = place
    documents = tuple(text[first:last].encode() for _, first, last in _parts(text, _place_of_sales(text, members)))
    if not documents:
        raise Refused([Fault((SALES,), "empty", "This list may not be empty.")])
    return Batch(documents, tuple(name for name in members if name != SALES))


def _place_of_sales(text: str, members: dict[str, int]) -> int:
    if SALES not in members:
        raise Refused([Fault((SALES,), "required", "This field is required.")])
    place = members[SALES]
    if text.startswith("null", place):
        raise Refused([Fault((SALES,), "null", "This field may not be null.")])
    if text[place] != "[":
        raise Refused([Fault((SALES,), "not_a_list", "Expected a list of items.")])
    return place


def _parts(text: str, place: int) -> Iterator[tuple[str, int, int]]:
    """The values of the object or list at ``place``, which is known to be JSON: name, where it begins and ends."""
    named = text[place] == "{"
    place = _past_blanks(text, place + 1)
    while text[place] not in "]}":
        name = ""
        if named:
            name, place = _VALUE(text, place)
            place = _past_blanks(text, _past_blanks(text, place) + 1)  # the colon
        _value, end = _VALUE(text, place)
        yield name, place, end
        place = _past_blanks(text, end)
        place = _past_blanks(text, place + 1) if text[place] == "," else place


def _past_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place
