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
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from rest_framework.exceptions import ValidationError

from kasse.models import LARGEST_RECEIPT, TENDERS, LineKind, PaymentMethod
from pos_bridge.fields import (
    EARLIEST,
    LONGEST_REFERENCE,
    LONGEST_TILL,
    MetadataField,
    fault_in_reference,
    read_instant,
)
from pos_bridge.strict_json import DEPTH, FORBIDDEN, Malformed, read_json

Fields: TypeAlias = dict[str, Any]

MOST_ITEMS = 500
MOST_PAYMENTS = 50
# Escapes that could hide a character we refuse, half of a pair, or a colon, which has to be counted.
DOUBTFUL_ESCAPE = re.compile(r"\\(?:[bf]|u(?:00[0189]|007[fF]|003[aA]|[dD][89a-fA-F]))")
ABSENT = Raw()
NULLS = frozenset({b"", b"null"})
_NUMBER = r'"?(-?[0-9]{1,8}(?:\.[0-9]{1,%d})?)"?'
_AMOUNT, _QUANTITY, _PRICE = (_NUMBER % places for places in (2, 3, 4))
_PERHAPS = f"(?:{_AMOUNT}|null)?"
# The numbers of a row are read at once, with a stroke between them, which stands in none.
STROKE = b"|"
OF_A_SALE = re.compile(rf"{_AMOUNT}\|{_PERHAPS}\|{_PERHAPS}")
OF_A_LINE = re.compile(rf"{_QUANTITY}\|{_PRICE}\|{_AMOUNT}\|{_PERHAPS}")
OF_A_PAYMENT = re.compile(rf"{_AMOUNT}\|{_PERHAPS}")
RECEIPT = re.compile(rb'"?([0-9]{1,16})"?')

Text: TypeAlias = str | UnsetType | None


class SentItem(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A line as it stands in the body; numbers are still the bytes they were sent as."""

    description: Annotated[str, Meta(min_length=1, max_length=255)]
    quantity: Raw
    unit_price: Raw
    line_total: Raw
    sku: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET
    vat_rate: Raw = ABSENT
    category: Annotated[str, Meta(max_length=80)] | UnsetType | None = UNSET
    kind: LineKind | UnsetType | None = UNSET


class SentPayment(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A payment as it stands in the body."""

    method: PaymentMethod
    amount: Raw
    tip_amount: Raw = ABSENT


class SentSale(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A body as it stands. An unknown field is no fault, but earns a remark, and so goes the longer way."""

    external_ref: Annotated[str, Meta(min_length=1, max_length=LONGEST_REFERENCE)]
    payment_method: PaymentMethod
    total_amount: Raw
    items: Annotated[list[SentItem], Meta(min_length=1, max_length=MOST_ITEMS)]
    occurred_at: str
    currency: Text = UNSET
    rounding_amount: Raw = ABSENT
    tip_amount: Raw = ABSENT
    payments: Annotated[list[SentPayment], Meta(min_length=1, max_length=MOST_PAYMENTS)] | UnsetType | None = UNSET
    refund_of: Annotated[str, Meta(max_length=LONGEST_REFERENCE)] | UnsetType | None = UNSET
    till_id: Annotated[str, Meta(max_length=LONGEST_TILL)] | UnsetType | None = UNSET
    receipt_seq: Raw = ABSENT
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
    total, rounding, tip = _numbers(OF_A_SALE, sent.total_amount, sent.rounding_amount, sent.tip_amount)
    rates = rates_at(occurred_at)
    return {
        "external_ref": _reference(sent.external_ref),
        "payment_method": sent.payment_method,
        "total_amount": total,
        "items": [_item(item, rates) for item in sent.items],
        "occurred_at": occurred_at,
        "currency": None if sent.currency is UNSET else sent.currency,
        "rounding_amount": rounding,
        "tip_amount": _not_negative(tip),
        "payments": [_payment(payment) for payment in sent.payments] if sent.payments else None,
        "refund_of": _reference(sent.refund_of) if sent.refund_of else None,
        "till_id": _reference(sent.till_id) if sent.till_id else None,
        "receipt_seq": None if sent.receipt_seq is ABSENT else _receipt(sent.receipt_seq),
        "sent_at": None if sent.sent_at is None or sent.sent_at is UNSET else _instant(sent.sent_at),
        "metadata": None if sent.metadata is ABSENT else _metadata(sent.metadata),
    }


def _item(item: SentItem, rates: Container[Decimal]) -> Fields:
    numbers = _numbers(OF_A_LINE, item.quantity, item.unit_price, item.line_total, item.vat_rate)
    quantity, unit_price, line_total, vat_rate = numbers
    if not quantity or (vat_rate is not None and vat_rate not in rates):
        raise Doubt
    return {
        "description": item.description,
        "quantity": quantity,
        "unit_price": unit_price,
        "line_total": line_total,
        "sku": item.sku or None,
        "vat_rate": vat_rate,
        "category": item.category or None,
        "kind": item.kind or None,
    }


def _payment(payment: SentPayment) -> Fields:
    amount, tip = _numbers(OF_A_PAYMENT, payment.amount, payment.tip_amount)
    if payment.method not in TENDERS:
        raise Doubt
    return {"method": payment.method, "amount": amount, "tip_amount": _not_negative(tip)}


def _numbers(shape: re.Pattern[str], *sent: Raw) -> list[Any]:
    """Exact numbers out of what was sent of a row; None for each that was not."""
    text = STROKE.join(sent).decode()
    found = shape.fullmatch(text)
    if found is None:
        raise Doubt
    numbers = [None if each is None else Decimal(each) for each in found.groups()]
    # Adding nought turns −0 into 0.
    return numbers if "-" not in text else [None if each is None else each + 0 for each in numbers]


def _not_negative(number: Decimal | None) -> Decimal | None:
    if number is not None and number < 0:
        raise Doubt
    return number


def _reference(text: str) -> str:
    if fault_in_reference(text):
        raise Doubt
    return text


def _receipt(raw: Raw) -> int | None:
    if bytes(raw) in NULLS:
        return None
    match = RECEIPT.fullmatch(raw)
    if match is None or not 1 <= int(match[1]) <= LARGEST_RECEIPT:
        raise Doubt
    return int(match[1])


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
