"""A sale as tills spell it in JSON: blanks, escapes and the order of keys are anybody's.

A document here is a tree of values in which an object is a list of pairs, so that a key may stand twice, and a
number is the text it is sent as. What is drawn by chance in a spelling comes from a seed: the fields of a sale
are Hypothesis's to shrink, the bytes around them need not be.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any, TypeAlias

Pairs: TypeAlias = list[tuple[str, Any]]

BLANKS = ["", "", "", " ", "  ", "\n", "\t", "\r\n"]


class Literal(str):
    """What stands in the body without quotes, as it is: a number, or what is none."""

    __slots__ = ()


class Object:
    """A JSON object; ``pairs`` may name a key more than once."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs


def tree_of(value: Any) -> Any:
    """A Python document as a tree; its decimals are spelt as numbers by whoever wants that."""
    match value:
        case dict():
            return Object([(key, tree_of(each)) for key, each in value.items()])
        case list():
            return [tree_of(each) for each in value]
        case bool() | None:
            return Literal(json.dumps(value))
        case int() | float():
            return Literal(repr(value))
        case _:
            return value


# As a till's author might write it: mostly plain, but blanks, escapes and the order of keys are anybody's.
ESCAPED_NEVER, ESCAPED_ABROAD, ESCAPED_HERE_AND_THERE, ESCAPED_OFTEN = 0.0, None, 0.03, 0.5
HABITS = [ESCAPED_NEVER, ESCAPED_NEVER, ESCAPED_ABROAD, ESCAPED_ABROAD, ESCAPED_HERE_AND_THERE, ESCAPED_OFTEN]
SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


class Speller:
    """Writes trees as JSON, each in a way of its own."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.habit = chance.choice(HABITS)
        self.airy = chance.random() < 0.5
        self.shuffles = chance.random() < 0.5

    def body(self, tree: Any) -> bytes:
        """The whole body."""
        text = self._blank() + self._spell(tree) + self._blank()
        return text.encode("utf-8", "surrogatepass")

    def _spell(self, tree: Any) -> str:
        match tree:
            case Object(pairs=pairs):
                pairs = self.chance.sample(pairs, len(pairs)) if self.shuffles else pairs
                return self._group("{", [f"{self._text(key)}{self._colon()}{self._spell(v)}" for key, v in pairs], "}")
            case list():
                return self._group("[", [self._spell(each) for each in tree], "]")
            case Literal():
                return str(tree)
            case _:
                return self._text(tree)

    def _group(self, opening: str, parts: list[str], closing: str) -> str:
        between = [self._blank() + part + self._blank() for part in parts]
        return opening + (",".join(between) or self._blank()) + closing

    def _blank(self) -> str:
        return self.chance.choice(BLANKS) if self.airy else ""

    def _colon(self) -> str:
        return f"{self._blank()}:{self._blank()}"

    def _text(self, text: str) -> str:
        return '"' + "".join(self._character(each) for each in text) + '"'

    def _character(self, character: str) -> str:
        if character in '"\\' or character < " ":
            return SHORT.get(character) or f"\\u{ord(character):04x}"
        abroad = self.habit is None and not character.isascii()
        if abroad or (self.habit and self.chance.random() < self.habit):
            return self._escaped(character)
        return character

    def _escaped(self, character: str) -> str:
        if character == "/" and self.chance.random() < 0.5:
            return "\\/"
        units = character.encode("utf-16-be", "surrogatepass").hex()
        units = units.upper() if self.chance.random() < 0.5 else units
        return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
