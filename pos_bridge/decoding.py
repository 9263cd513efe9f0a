"""A well-formed sale read in one pass: from the bytes of a body to checked fields.

Nearly every body that arrives is in order, and for those this does the work of the JSON reader and of all
serializers in a tenth of the time. It never refuses: where it cannot prove that a body keeps every rule, it
returns None, and ``strict_json`` and the serializers of ``contract`` read it again, find all its faults, and
find the words for them. They remain the statement of the rules; that the two agree is tested with both.

Source: wire contract, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from rest_framework.exceptions import ValidationError

from kasse.models import TENDERS, LineKind, PaymentMethod
from pos_bridge.fields import EARLIEST, MetadataField, fault_in_reference, read_instant
from pos_bridge.strict_json import DEPTH, FORBIDDEN, Malformed, read_json

Fields: TypeAlias = dict[str, Any]

MOST_ITEMS = 500
MOST_PAYMENTS = 50
# Escapes that could hide a character we refuse, half of a pair, or a colon, which has to be counted.
DOUBTFUL_ESCAPE = re.compile(r"\\(?:[bf]|u(?:00[0189]|007[fF]|003[aA]|[dD][89a-fA-F]))")
ABSENT = Raw()
NULLS = frozenset({b"", b"null"})
AMOUNT = re.compile(rb'"?(-?[0-9]{1,8}(?:\.[0-9]{1,2})?)"?')
QUANTITY = re.compile(rb'"?(-?[0-9]{1,8}(?:\.[0-9]{1,3})?)"?')
PRICE = re.compile(rb'"?(-?[0-9]{1,8}(?:\.[0-9]{1,4})?)"?')
PAYMENT_METHODS = frozenset(PaymentMethod.values)
TENDER_CODES = frozenset(method.value for method in TENDERS)
LINE_KINDS = frozenset(LineKind.values)

Text: TypeAlias = str | UnsetType | None


class SentItem(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A line as it stands in the body; numbers are still the bytes they were sent as."""

    description: str
    quantity: Raw
    unit_price: Raw
    line_total: Raw
    sku: Text = UNSET
    vat_rate: Raw = ABSENT
    category: Text = UNSET
    kind: Text = UNSET


class SentPayment(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A payment as it stands in the body."""

    method: str
    amount: Raw
    tip_amount: Raw = ABSENT


class SentSale(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A body as it stands. An unknown field is no fault, but earns a remark, and so goes the longer way."""

    external_ref: str
    payment_method: str
    total_amount: Raw
    items: list[SentItem]
    occurred_at: str
    currency: Text = UNSET
    rounding_amount: Raw = ABSENT
    tip_amount: Raw = ABSENT
    payments: list[SentPayment] | UnsetType | None = UNSET
    refund_of: Text = UNSET
    sent_at: Text = UNSET
    metadata: Raw = ABSENT


_DECODE = msgspec.json.Decoder(SentSale).decode
_ENCODE = msgspec.json.Encoder().encode


class Doubt(Exception):
    """A body, or a value in it, must be looked at more closely."""


def decode_fields(body: bytes, rates_at: Callable[[datetime], Container[Decimal]]) -> Fields | None:
    """The fields of a sale as the serializers would give them, or None where only they can tell.

    ``rates_at`` gives the VAT rates, in percent, that hold for a sale of that instant.
    """
    try:
        return _checked(_read(body), rates_at)
    except (Doubt, UnicodeDecodeError, msgspec.MsgspecError, RecursionError):
        return None


def _read(body: bytes) -> SentSale:
    """The body, with no character and no key in it that the strict reader would refuse."""
    text = body.decode()
    if not text.isprintable() and FORBIDDEN.search(text):
        raise Doubt
    if "\\" in text and DOUBTFUL_ESCAPE.search(text):
        raise Doubt
    sent = _DECODE(body)
    if body.count(b":") != _ENCODE(sent).count(b":"):
        # The decoder keeps the last of two equal keys and says nothing. But each key is followed by one colon, and all
        # others stand in texts: what was kept explains every colon, or something was dropped.
        raise Doubt
    return sent


def _checked(sent: SentSale, rates_at: Callable[[datetime], Container[Decimal]]) -> Fields:
    occurred_at = _instant(sent.occurred_at)
    return {
        "external_ref": _reference(_text(sent.external_ref, 255, blank=False)),
        "payment_method": _code(sent.payment_method, PAYMENT_METHODS),
        "total_amount": _number(sent.total_amount, AMOUNT),
        "items": _items(sent.items, _remembered(lambda: rates_at(occurred_at))),
        "occurred_at": occurred_at,
        "currency": _optional(sent.currency),
        "rounding_amount": _optional_number(sent.rounding_amount, AMOUNT),
        "tip_amount": _not_negative(sent.tip_amount),
        "payments": _payments(sent.payments),
        "refund_of": _optional(sent.refund_of, lambda text: _reference(_text(text, 255))),
        "sent_at": _optional(sent.sent_at, _instant),
        "metadata": _metadata(sent.metadata),
    }


def _remembered(ask: Callable[[], Container[Decimal]]) -> Callable[[], Container[Decimal]]:
    """Ask once, and only if somebody wants to know."""
    answers: list[Container[Decimal]] = []

    def answer() -> Container[Decimal]:
        if not answers:
            answers.append(ask())
        return answers[0]

    return answer


def _items(items: list[SentItem], rates: Callable[[], Container[Decimal]]) -> list[Fields]:
    if not 1 <= len(items) <= MOST_ITEMS:
        raise Doubt
    return [
        {
            "description": _text(item.description, 255, blank=False),
            "quantity": _not_zero(_number(item.quantity, QUANTITY)),
            "unit_price": _number(item.unit_price, PRICE),
            "line_total": _number(item.line_total, AMOUNT),
            "sku": _text(item.sku, 64) if isinstance(item.sku, str) else None,
            "vat_rate": _vat_rate(item.vat_rate, rates),
            "category": _text(item.category, 80) if isinstance(item.category, str) else None,
            "kind": _code(item.kind, LINE_KINDS) if isinstance(item.kind, str) else None,
        }
        for item in items
    ]


def _payments(payments: list[SentPayment] | UnsetType | None) -> list[Fields] | None:
    if payments is None or payments is UNSET:
        return None
    if not 1 <= len(payments) <= MOST_PAYMENTS:
        raise Doubt
    return [
        {
            "method": _code(payment.method, TENDER_CODES),
            "amount": _number(payment.amount, AMOUNT),
            "tip_amount": _not_negative(payment.tip_amount),
        }
        for payment in payments
    ]


def _optional(value: Text, check: Callable[[str], Any] = str) -> Any:
    return check(value) if isinstance(value, str) else None


def _text(text: str, most: int, *, blank: bool = True) -> str:
    if len(text) > most or not (text or blank):
        raise Doubt
    return text


def _reference(text: str) -> str:
    if text and fault_in_reference(text):
        raise Doubt
    return text


def _code(text: str, known: frozenset[str]) -> str:
    if text not in known:
        raise Doubt
    return text


def _number(raw: Raw, shape: re.Pattern[bytes]) -> Decimal:
    match = shape.fullmatch(raw)
    if match is None:
        raise Doubt
    number = Decimal(match[1].decode())
    return number or abs(number)  # −0 is 0


def _optional_number(raw: Raw, shape: re.Pattern[bytes]) -> Decimal | None:
    return None if bytes(raw) in NULLS else _number(raw, shape)


def _not_negative(raw: Raw) -> Decimal | None:
    number = _optional_number(raw, AMOUNT)
    if number is not None and number < 0:
        raise Doubt
    return number


def _not_zero(number: Decimal) -> Decimal:
    if not number:
        raise Doubt
    return number


def _vat_rate(raw: Raw, rates: Callable[[], Container[Decimal]]) -> Decimal | None:
    rate = _not_negative(raw)
    if rate is not None and rate not in rates():
        raise Doubt
    return rate


def _instant(text: str) -> datetime:
    instant = read_instant(text)
    if instant is None or instant < EARLIEST:
        raise Doubt
    return instant


def _metadata(raw: Raw) -> dict[str, Any] | None:
    """Read strictly: it may hold anything, keys that stand twice among it."""
    text = bytes(raw)
    if text in NULLS:
        return None
    if text.count(b"{") + text.count(b"[") >= DEPTH:
        raise Doubt
    try:
        kept: dict[str, Any] = MetadataField().run_validation(read_json(text))
    except (Malformed, ValidationError):
        raise Doubt from None
    return kept
