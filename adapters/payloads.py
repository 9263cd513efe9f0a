"""Bodies of vendors: read, and written down again without credentials, every number as it was sent.

A body that is JSON but breaks one of the strict rules (a repeated key, a control character in a name) is still kept:
its sender is authenticated by what it says, and then it is parked with that reason. Only what is no JSON object at
all is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pos_bridge import intake
from pos_bridge.parking import without_credentials
from pos_bridge.strict_json import DEPTH, Literal, Malformed

# Of what is written down as it is; deeper than any vendor goes.
DEEPEST = DEPTH * 4


def document_or_text(text: str) -> Any:
    """The JSON in a text that stood in a body; the text itself where it is none, or nested too deep."""
    try:
        document = _read(text)
    except (ValueError, RecursionError):
        return text
    return document if _depth(document) <= DEEPEST else text


def read_body(body: bytes) -> Mapping[str, Any]:
    """The object in a body.

    Raises:
        Malformed: it is no JSON object in UTF-8.
    """
    try:
        document = _read(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Malformed("not_utf8", "The body is not UTF-8.") from None
    except RecursionError:
        raise Malformed("too_deep", "The body is nested too deep.") from None
    except ValueError:
        raise Malformed("not_json", "The body is not JSON.") from None
    if not isinstance(document, dict):
        raise Malformed("not_an_object", "The body is not a JSON object.")
    if _depth(document) > DEEPEST:
        raise Malformed("too_deep", "The body is nested too deep.")
    return document


def text_of(document: Any) -> str:
    """JSON of a document without credentials; numbers keep their spelling, texts are in ASCII."""
    return _written(without_credentials(_with_numbers(document)))


def document_in(text: str) -> Mapping[str, Any]:
    """What was kept, read strictly: the way every mapping gets it.

    Raises:
        Malformed: it breaks a rule of ``strict_json``; the sale stays parked.
    """
    return intake.document_in(text.encode())


def digest_of(text: str) -> str:
    """By what equal payloads are known."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Verbatim:
    """A number, or an object with a field twice, that is written as it was read."""

    text: str


class _Repeating(dict[str, Any]):
    """An object in which a field stands twice: its pairs as they were sent; as a dict, the last of each."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeating(pairs)


def _read(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object, parse_float=Literal, parse_int=Literal)


def _with_numbers(value: Any) -> Any:
    """A copy whose numbers are no texts to look for tokens in."""
    if isinstance(value, Literal):
        return _Verbatim(str(value))
    if isinstance(value, _Repeating):
        return _Verbatim("{" + ", ".join(text_of({name: each})[1:-1] for name, each in value.pairs) + "}")
    if isinstance(value, dict):
        return {name: _with_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_numbers(each) for each in value]
    return value


def _written(value: Any) -> str:
    if isinstance(value, _Verbatim):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value)


def laid_out(text: str) -> str:
    """What was kept, with line breaks, for people to read; every number as it was sent."""
    try:
        return _laid_out(_read(text), "\n")
    except ValueError:
        return text


def _laid_out(value: Any, line: str) -> str:
    if isinstance(value, dict) and value:
        pairs = value.pairs if isinstance(value, _Repeating) else value.items()
        rows = [f"{_said(name)}: {_laid_out(each, line + '  ')}" for name, each in pairs]
        return "{" + ",".join(f"{line}  {row}" for row in rows) + line + "}"
    if isinstance(value, list) and value:
        return "[" + ",".join(f"{line}  {_laid_out(each, line + '  ')}" for each in value) + line + "]"
    return str(value) if isinstance(value, Literal) else _said(value)


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _depth(document: Any) -> int:
    """How deep it is nested, level by level."""
    depth, level = 0, [document]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [each for outer in level for each in _parts(outer)]
    return depth


def _parts(outer: dict[str, Any] | list[Any]) -> Iterable[Any]:
    if isinstance(outer, _Repeating):
        return (each for _name, each in outer.pairs)
    return outer.values() if isinstance(outer, dict) else outer
