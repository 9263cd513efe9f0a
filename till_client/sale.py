"""A sale as bytes: written once, sent as it was written, however often."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from till_client.errors import UnusableSale

LARGEST_SALE = 256 * 1024
LONGEST_REFERENCE = 255


@dataclass(frozen=True, slots=True)
class Sale:
    """What goes over the wire, and the two facts of it that the outbox must know.

    ``total_amount`` is the text that stands in the body; empty when there is none.
    """

    external_ref: str
    total_amount: str
    body: bytes = field(repr=False)


def sale_from(sale: Mapping[str, Any] | bytes) -> Sale:
    """Write a sale down: a mapping, or JSON that is kept byte for byte.

    ``Decimal`` becomes text, ``datetime`` RFC 3339. Whether the bridge will take it is for the bridge to
    say; here only what would spoil it on the way, or could not be found again, is refused.

    Raises:
        UnusableSale: no reference, not JSON, a float, an instant without offset, or over 256 KiB.

    """
    body = sale.removeprefix(b"\xef\xbb\xbf").strip() if isinstance(sale, bytes) else _written(sale)
    if len(body) > LARGEST_SALE:
        raise UnusableSale(f"A sale has at most {LARGEST_SALE // 1024} KiB, this one {len(body) // 1024 + 1}.")
    content = _read(body)
    reference = content.get("external_ref")
    if not (type(reference) is str and 0 < len(reference) <= LONGEST_REFERENCE and _is_text(reference)):
        raise UnusableSale("A sale needs an external_ref: a text of 1 to 255 characters.")
    total = content.get("total_amount")
    return Sale(reference, str(total) if isinstance(total, str) and _is_text(total) else "", body)


def _written(sale: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(_plain(sale), ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise UnusableSale("A text in the sale is not Unicode: it holds half a character.") from None
    except RecursionError:
        raise UnusableSale("The sale is nested too deep.") from None


class _Number(str):
    """A number as the text it is written in; no reference, even if it looks like one."""

    __slots__ = ()


def _read(body: bytes) -> dict[str, Any]:
    """The object, every number as the text it is written in."""
    try:
        content = json.loads(body.decode(), parse_float=_Number, parse_int=_Number)
    except (ValueError, RecursionError):
        raise UnusableSale("A sale is a JSON object in UTF-8.") from None
    if not isinstance(content, dict):
        raise UnusableSale("A sale is a JSON object in UTF-8.")
    return content


def _plain(value: Any) -> Any:
    """The value as JSON has it. A float is no amount: 0.1 + 0.2 is not 0.3 there."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, datetime) and value.tzinfo:
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    raise UnusableSale(f"{type(value).__name__} {value!r}: write amounts as Decimal or text, instants with an offset.")


def _is_text(text: str) -> bool:
    """Whether it can be stored and printed: no half characters, no NUL."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
