"""Reading a vendor's JSON: numbers as text or number, ids of any type, instants in any of their spellings. Pure.

What is missing is None; what is there and makes no sense is ``Unmappable``, and names the field, never its value.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from adapters.neutral import Unmappable
from kasse.money import CENT

NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")
INSTANT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?P<fraction>\.[0-9]+)?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
PLAIN_NAME = re.compile(r"[A-Za-z0-9._:-]{1,100}")
LARGEST = Decimal(100_000_000)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
EARLIEST = datetime(2000, 1, 1, tzinfo=timezone.utc)
QUANTITY_STEP, PRICE_STEP, RATE_STEP = Decimal("0.001"), Decimal("0.0001"), Decimal("0.01")


def number_in(row: Mapping[str, Any], name: str) -> Decimal | None:
    """A number, or the text of one; None where it is missing or null.

    Raises:
        Unmappable: anything else, or more than a till could mean.
    """
    value = row.get(name)
    if value is None or (value == "" and isinstance(value, str)):
        return None
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise Unmappable("not_a_number", name)
    number = Decimal(value)
    if abs(number) >= LARGEST:
        raise Unmappable("too_large", name)
    return number + 0  # −0 is 0


def required_number(row: Mapping[str, Any], name: str) -> Decimal:
    """A number that has to be there.

    Raises:
        Unmappable: it is missing, or is none.
    """
    number = number_in(row, name)
    if number is None:
        raise Unmappable("not_a_number", name)
    return number


def money(amount: Decimal) -> Decimal:
    """Rounded half up to the Rappen, away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP) + 0


def quantity_of(quantity: Decimal | None, *, amount: Decimal) -> Decimal:
    """A quantity the ledger takes: three places, never 0; a missing one is 1, or −1 where money goes back."""
    rounded = None if quantity is None else quantity.quantize(QUANTITY_STEP, ROUND_HALF_UP) + 0
    return rounded or Decimal(-1 if amount < 0 else 1)


def price(amount: Decimal) -> Decimal:
    """A unit price with four places."""
    return amount.quantize(PRICE_STEP, ROUND_HALF_UP) + 0


def rate(percent: Decimal) -> Decimal:
    """A VAT rate with two places.

    Raises:
        Unmappable: below 0 or above 100.
    """
    if not 0 <= percent <= 100:
        raise Unmappable("not_a_rate", "vat")
    return percent.quantize(RATE_STEP, ROUND_HALF_UP)


def text_in(row: Mapping[str, Any], name: str, *, limit: int = 255) -> str:
    """A text or a number as text, without blanks around it, cut to what a row holds; "" for anything else."""
    value = row.get(name)
    return " ".join(value.split())[:limit].strip() if isinstance(value, str) else ""


def rows_in(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects; one object alone is a list of it, a missing one is empty.

    Raises:
        Unmappable: something else stands there.
    """
    value = row.get(name)
    if value is None:
        return []
    rows = [value] if isinstance(value, Mapping) else value
    if not isinstance(rows, list) or not all(isinstance(each, Mapping) for each in rows):
        raise Unmappable("not_a_list", name)
    return rows


def instant_in(row: Mapping[str, Any], name: str) -> datetime | None:
    """An instant in UTC; one without a zone is UTC already, a missing one None.

    Raises:
        Unmappable: it is none, or lies before 2000.
    """
    text = text_in(row, name)
    if not text:
        return None
    match = INSTANT.fullmatch(text)
    instant = match and _instant(match)
    if not instant or instant < EARLIEST:
        raise Unmappable("not_an_instant", name)
    return instant


def instant_in_milliseconds(row: Mapping[str, Any], name: str) -> datetime | None:
    """An instant in whole milliseconds since 1970; None where no such number stands.

    Raises:
        Unmappable: it lies before 2000, as do seconds that are taken for milliseconds.
    """
    value = row.get(name)
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,14}", value):
        return None
    instant = EPOCH + timedelta(milliseconds=int(value))
    if instant < EARLIEST:
        raise Unmappable("not_an_instant", name)
    return instant


def _instant(match: re.Match[str]) -> datetime | None:
    fraction = (match["fraction"] or ".0")[:7].ljust(7, "0")
    try:
        local = datetime.fromisoformat(f"{match['day']}T{match['time']}{fraction}")
        return (local - _offset(match["offset"] or "Z")).replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        return None


def _offset(text: str) -> timedelta:
    if text in {"Z", "z"}:
        return timedelta(0)
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return -offset if text[0] == "-" else offset


def uuid_in_base64(text: str) -> str | None:
    """A uuid in its usual form, from its 16 bytes in either alphabet of base64, padded or not; None for other texts."""
    plain = text.replace("+", "-").replace("/", "_").rstrip("=")
    try:
        raw = urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except ValueError:
        return None
    return str(UUID(bytes=raw)) if len(raw) == 16 else None


def name_for(*parts: str) -> str:
    """A reference made of parts that survives a path; a part that would not is replaced by its digest."""
    return ":".join(part if PLAIN_NAME.fullmatch(part) else _digest(part) for part in parts)


def _digest(text: str) -> str:
    return f"~{hashlib.sha256(text.encode()).hexdigest()[:32]}"
