"""A sale as broken tills misspell it, and as broken lines deliver it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.contract.spelling import Literal, Object

NO_NUMBERS = [
    "1e3",
    "1E0",
    "+1",
    "007",
    "-007",
    "00",
    "-0",
    "-0.00",
    "NaN",
    "Infinity",
    ".5",
    "5.",
    "0x1",
    "1_0",
    "１",
    "true",
    "false",
    "null",
    "undefined",
    "123456789",
    "0.12345",
    "-1",
    "0",
    "12.500",
    "99999999.99",
    "100000000",
    "'7.00'",
    "[]]",
    "7,00",
]
NO_TEXTS = [
    "",
    " ",
    " 7.00",
    "7.00 ",
    ".",
    "..",
    "/T-1",
    "T-1/",
    "T\u202e1",
    "T\u00ad1",
    "T\x001",
    "T\x07",
    "\x7f",
    "\x85",
]
NO_TEXTS += [
    "\x9f",
    "\t",
    "\n",
    "\u2028",
    "\ud800",
    "\udc00x",
    "\ud83d\ude00",
    "😀",
    "\ufeff",
    "a:b",
    ":",
    "::",
    "1" * 400,
]
NO_CODES = ["CASH", "MIXED", "cash", "SALE", "GIFT", "CHF", "EUR", "chf", "null"]
LENGTHS = [*("x" * length for length in (64, 65, 80, 81, 255, 256)), "😀" * 255]
NO_INSTANTS = [
    "1999-12-31T23:59:59Z",
    "2000-01-01T00:00:00+00:01",
    "2026-04-29T08:14:32",
    "2026-02-29T08:14:32Z",
    "2026-04-29T24:00:00Z",
    "2026-04-29t08:14:32z",
    "2026-04-29T08:14:60Z",
    "9999-12-31T23:59:59Z",
    "2026-04-29T08:19:35.120Z",
    "2026-04-29T08:19:35.121Z",
    "2026-04-29T08:14:32.1234567+02:00",
    "0001-01-01T00:00:00+23:59",
]
WRONG = [*map(Literal, NO_NUMBERS), *NO_NUMBERS, *NO_TEXTS, *NO_CODES, *LENGTHS, *NO_INSTANTS]
"""Each is at fault in some field; in another it may be in order."""
STRANGE_KEYS = ["total", "Total_amount", "", "a:b", "external_ref ", "ｉtems", "total_amount\x00", "amount", "kind"]


def objects_in(tree: Any) -> Iterator[Object]:
    """Every object of a tree, the outermost first."""
    if isinstance(tree, Object):
        yield tree
        for _key, value in tree.pairs:
            yield from objects_in(value)
    elif isinstance(tree, list):
        for each in tree:
            yield from objects_in(each)


def a_key_twice(tree: Any, chance: Random) -> None:
    """With the same value or another; a till that joins two objects does so."""
    pairs = _some(tree, chance).pairs
    if pairs:
        key, value = chance.choice(pairs)
        again = value if chance.random() < 0.5 else chance.choice(WRONG)
        pairs.insert(chance.randrange(len(pairs) + 1), (key, again))


def a_strange_key(tree: Any, chance: Random) -> None:
    """A field that we do not know."""
    _some(tree, chance).pairs.append((chance.choice(STRANGE_KEYS), chance.choice(WRONG)))


def a_missing_key(tree: Any, chance: Random) -> None:
    """A field that is not sent."""
    pairs = _some(tree, chance).pairs
    if pairs:
        pairs.pop(chance.randrange(len(pairs)))


def a_wrong_value(tree: Any, chance: Random) -> None:
    """A value that may be none of its field's."""
    _replace(tree, chance, chance.choice(WRONG))


def a_wrong_kind(tree: Any, chance: Random) -> None:
    """An object, a list, something deep, or far too much."""
    kinds: list[Any] = [Object([]), [], [[]], Object([("a", "b")]), _deep(chance.randrange(1, 12)), [Object([])] * 501]
    _replace(tree, chance, chance.choice(kinds))


def _deep(levels: int) -> Any:
    tree: Any = Literal("1")
    for level in range(levels):
        tree = Object([("a", tree)]) if level % 2 else [tree]
    return tree


def _some(tree: Any, chance: Random) -> Object:
    return chance.choice(list(objects_in(tree)))


def _replace(tree: Any, chance: Random, value: Any) -> None:
    pairs = _some(tree, chance).pairs
    if pairs:
        place = chance.randrange(len(pairs))
        pairs[place] = (pairs[place][0], value)


MUTATIONS = [a_key_twice, a_key_twice, a_strange_key, a_missing_key, a_wrong_value, a_wrong_value, a_wrong_kind]

INSERTED = [b":", b'"', b"\\", b",", b"{", b"}", b"[", b"]", b"\x00", b"\n", b"\t", b"\x1f", b"\x7f", b"\xc2\x85", b"0"]
INSERTED += [
    b"\\u003a",
    b"\\u0000",
    b"\\ud800",
    b"\\u0009",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b" ",
    b"-",
    b"\\:",
]


def damaged(body: bytes, chance: Random) -> bytes:
    """A body in which a few bytes were lost, added, changed or sent twice on the way."""
    for _ in range(chance.randrange(1, 3)):
        start = chance.randrange(len(body) + 1)
        end = min(len(body), start + chance.choice([0, 1, 1, 2, 8, 40]))
        instead = chance.choice([b"", bytes([chance.randrange(256)]), chance.choice(INSERTED), body[start:end] * 2])
        body = body[:start] + instead + body[end:]
    return body
