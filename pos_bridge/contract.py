"""What a till may send, version 1: checked once, all faults at once, then a frozen ``NewSale``.

The serializers are the single statement of the rules: they check, they give Django REST framework's stock
sentences, and the API description is generated from them. What concerns several fields (sums, payments,
the clock) stands below them as plain functions.

Source: wire contract, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import translation
from rest_framework import serializers
from rest_framework.fields import empty

from kasse.models import TENDERS, LineKind, PaymentMethod
from kasse.money import ZERO, is_cash_rounding, plain
from kasse.sales import NewItem, NewPayment, NewSale
from pos_bridge.answers import instant_text
from pos_bridge.decoding import MOST_ITEMS, MOST_PAYMENTS, decode_fields
from pos_bridge.faults import Fault, Path, Refused, faults_in
from pos_bridge.fields import (
    EARLIEST,
    ExactField,
    InstantField,
    MetadataField,
    MoneyField,
    ReceiptField,
    ReferenceField,
    StrictChoiceField,
    TextField,
    TillNameField,
    read_instant,
)
from pos_bridge.remarks import Remark, codes_of, unknown_fields
from pos_bridge.strict_json import Literal

AHEAD = timedelta(minutes=5)
LARGEST_ROUNDING = Decimal("0.05")
METHODS = {str(method): method for method in PaymentMethod}
KINDS: dict[str | None, LineKind] = {None: LineKind.SALE, **{str(kind): kind for kind in LineKind}}
# A till may send null for what it does not have.
OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True, "default": None}


class VatRateField(ExactField):
    """A rate in percent that the campground's table knows on the day of the sale."""

    default_error_messages = {"unknown_vat_rate": "Not a VAT rate of this campground on that day."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"places": 2, "min_value": 0, **kwargs})

    def to_internal_value(self, data: Any) -> Decimal:
        rate = super().to_internal_value(data)
        day: date | None = self.context.get("day")
        if day is not None and rate not in self.context["rates_on"](day):
            self.fail("unknown_vat_rate")
        return rate


class RowSerializer(serializers.Serializer[Any]):
    """An object in a list."""

    default_error_messages = {"invalid": "Not an object."}


def list_of(row: RowSerializer, *, most: int, **options: Any) -> Any:
    """A list with one row at least, and ``most`` at most.

    Not ``many=True``: that would let the rows be null wherever the list may be.
    """
    # The framework's own sentence names the Python class that stands there instead.
    messages: dict[str, Any] = {"not_a_list": "Expected a list of items."}
    return serializers.ListSerializer(child=row, allow_empty=False, max_length=most, error_messages=messages, **options)


class ItemSerializer(RowSerializer):
    """One line of a sale."""

    description = TextField(max_length=255)
    quantity = ExactField(places=3, allow_zero=False)
    unit_price = ExactField(places=4)
    line_total = MoneyField()
    sku = TextField(max_length=64, allow_blank=True, **OPTIONAL)
    vat_rate = VatRateField(**OPTIONAL)
    category = TextField(max_length=80, allow_blank=True, **OPTIONAL)
    kind = StrictChoiceField(choices=LineKind.choices, **OPTIONAL)


class PaymentSerializer(RowSerializer):
    """One tender, net of change."""

    method = StrictChoiceField(choices=[(method.value, method.label) for method in TENDERS])
    amount = MoneyField()
    tip_amount = MoneyField(min_value=0, **OPTIONAL)


class SaleSerializer(serializers.Serializer[Any]):
    """One finished sale or refund, as a till sends it."""

    external_ref = ReferenceField()
    payment_method = StrictChoiceField(choices=PaymentMethod.choices)
    total_amount = MoneyField()
    items = list_of(ItemSerializer(), most=MOST_ITEMS)
    occurred_at = InstantField()
    currency = TextField(**OPTIONAL)
    rounding_amount = MoneyField(**OPTIONAL)
    tip_amount = MoneyField(min_value=0, **OPTIONAL)
    payments = list_of(PaymentSerializer(), most=MOST_PAYMENTS, **OPTIONAL)
    refund_of = ReferenceField(allow_blank=True, **OPTIONAL)
    till_id = TillNameField(allow_blank=True, **OPTIONAL)
    receipt_seq = ReceiptField(**OPTIONAL)
    sent_at = InstantField(**OPTIONAL)
    metadata = MetadataField(**OPTIONAL)


@dataclass(frozen=True, slots=True)
class Terms:
    """What of the campground and of the moment a sale is checked against."""

    currency: str
    now: datetime
    day_of: Callable[[datetime], date]
    rates_on: Callable[[date], Container[Decimal]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A sale that keeps every rule, and what is to be said about it."""

    sale: NewSale
    remarks: tuple[Remark, ...]


def read_sale(body: bytes, terms: Terms) -> Checked | None:
    """The sale in a body that is in order, in one pass; None where ``check_sale()`` has to look at it."""
    fields = decode_fields(body, lambda instant: terms.rates_on(_day_for_vat(instant, terms)))
    if fields is None or any(_faults_between(fields, terms)):
        return None
    return _conclude(fields, terms)


def check_sale(document: Mapping[str, Any], terms: Terms) -> Checked:
    """Turn a till's document, as ``strict_json.read_json()`` gives it, into a sale.

    Raises:
        Refused: with every fault that can be told at once.
    """
    context = {"day": _day_of(document, terms), "rates_on": terms.rates_on}
    with translation.override("en"):
        # Django REST framework's stock sentences; the cashier's language is another matter.
        serializer = SaleSerializer(data=document, context=context)
        serializer.is_valid()
        faults = list(faults_in(serializer.errors))
        sent = serializer.validated_data if not faults else _valid_part(serializer, document, faults)
    faults += _faults_between(sent, terms)
    if faults:
        raise Refused(faults)
    return _conclude(sent, terms, unknown_fields(_unknown_names(document)))


def _conclude(sent: Mapping[str, Any], terms: Terms, more: Sequence[Remark] = ()) -> Checked:
    rounding, remarks = _rounding(sent)
    remarks += more
    return Checked(_new_sale(sent, terms, rounding, remarks), tuple(remarks))


def _day_of(document: Mapping[str, Any], terms: Terms) -> date | None:
    """The business day that decides which VAT rates hold; None where the instant itself is at fault.

    A sale from the future is checked against the rates of today.
    """
    occurred_at = read_instant(document["occurred_at"]) if _is_text(document.get("occurred_at")) else None
    if occurred_at is None or occurred_at < EARLIEST:
        return None
    return _day_for_vat(occurred_at, terms)


def _day_for_vat(occurred_at: datetime, terms: Terms) -> date:
    return terms.day_of(min(occurred_at, terms.now + AHEAD))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Literal)


def _valid_part(serializer: SaleSerializer, document: Mapping[str, Any], faults: Sequence[Fault]) -> dict[str, Any]:
    """The values that are not at fault, so that the checks which need only these are made all the same.

    Of lines that are at fault elsewhere, the amounts are still good for the sum.
    """
    at_fault = {fault.path[0] for fault in faults}
    sent = {
        name: field.run_validation(document.get(name, empty))
        for name, field in serializer.fields.items()
        if name not in at_fault
    }
    if "items" in at_fault and not any(_spoils_the_sum(fault.path) for fault in faults):
        amount = MoneyField()
        sent["items"] = [{"line_total": amount.run_validation(line["line_total"])} for line in document["items"]]
    return sent


def _spoils_the_sum(path: Path) -> bool:
    """Whether a fault lies in the list of lines, in a line as a whole, or in its amount."""
    return path[0] == "items" and (len(path) < 3 or path[2] == "line_total")


def _faults_between(sent: Mapping[str, Any], terms: Terms) -> Iterator[Fault]:
    """What the moment, the campground or several fields together tell, as far as the values at hand allow."""
    yield from _clock_faults(sent, terms)
    yield from _currency_faults(sent, terms)
    if sent.keys() >= {"payment_method", "total_amount", "items", "rounding_amount"}:
        yield from _sum_faults(sent)
    if sent.keys() >= {"payment_method", "total_amount", "payments", "tip_amount"}:
        yield from _payment_faults(sent)


def _clock_faults(sent: Mapping[str, Any], terms: Terms) -> Iterator[Fault]:
    occurred_at = sent.get("occurred_at")
    if occurred_at is not None and occurred_at > terms.now + AHEAD:
        yield Fault(
            ("occurred_at",),
            "occurred_at_in_future",
            "More than 5 minutes ahead of our clock.",
            {"server_time": instant_text(terms.now)},
        )


def _currency_faults(sent: Mapping[str, Any], terms: Terms) -> Iterator[Fault]:
    currency = sent.get("currency")
    if currency is not None and currency != terms.currency:
        yield Fault(("currency",), "currency_mismatch", f"This campground counts in {terms.currency}.")


def _rounding(sent: Mapping[str, Any]) -> tuple[Decimal, list[Remark]]:
    """The rounding as sent; or, for cash, the difference that rounding to 5 Rappen explains."""
    if sent["rounding_amount"] is not None:
        return sent["rounding_amount"], list(_doubts_about(sent["rounding_amount"]))
    difference = sent["total_amount"] - sum((item["line_total"] for item in sent["items"]), ZERO)
    in_cash = sent["payment_method"] == PaymentMethod.CASH
    if not in_cash or difference == 0 or not is_cash_rounding(total=sent["total_amount"], difference=difference):
        return ZERO, []
    text = plain(difference, places=2)
    return difference, [Remark("rounding_booked", "rounding_amount", f"{text} was booked as cash rounding.", sent=text)]


def _doubts_about(rounding: Decimal) -> Iterator[Remark]:
    """Rounding is booked outside revenue and VAT: more of it than coins explain is worth a look."""
    if abs(rounding) > LARGEST_ROUNDING:
        text = plain(rounding, places=2)
        yield Remark(
            "large_rounding", "rounding_amount", f"{text} is more than rounding to coins explains; booked as sent."
        )


def _new_sale(sent: Mapping[str, Any], terms: Terms, rounding: Decimal, remarks: Sequence[Remark]) -> NewSale:
    payments = _payments(sent)
    return NewSale(
        external_ref=sent["external_ref"],
        payment_method=METHODS[sent["payment_method"]],
        currency=terms.currency,
        total_amount=sent["total_amount"],
        rounding_amount=rounding,
        tip_amount=_tips(payments) if sent["tip_amount"] is None else sent["tip_amount"],
        items=tuple(_new_item(item) for item in sent["items"]),
        payments=payments,
        occurred_at=sent["occurred_at"],
        sent_at=sent["sent_at"],
        refund_of=sent["refund_of"] or "",
        till_id=sent["till_id"] or "",
        receipt_seq=sent["receipt_seq"],
        metadata=sent["metadata"] or {},
        remarks=codes_of(remarks),
    )


def _new_item(sent: Mapping[str, Any]) -> NewItem:
    return NewItem(
        description=sent["description"],
        quantity=sent["quantity"],
        unit_price=sent["unit_price"],
        line_total=sent["line_total"],
        sku=sent["sku"] or "",
        vat_rate=sent["vat_rate"],
        category=sent["category"] or "",
        kind=KINDS[sent["kind"]],
    )


def _payments(sent: Mapping[str, Any]) -> tuple[NewPayment, ...]:
    """As sent; else the one payment that a single method means. A tip that stands alone goes with a single payment."""
    tip = sent["tip_amount"] or ZERO
    parts = sent["payments"]
    if parts is None:
        parts = [{"method": sent["payment_method"], "amount": sent["total_amount"], "tip_amount": tip}]
        parts = [] if sent["payment_method"] == PaymentMethod.MIXED else parts
    lone_tip = tip if len(parts) == 1 else ZERO
    return tuple(
        NewPayment(
            method=METHODS[part["method"]],
            amount=part["amount"],
            tip_amount=part["tip_amount"] or lone_tip,
        )
        for part in parts
    )


def _tips(payments: Sequence[NewPayment]) -> Decimal:
    return sum((payment.tip_amount for payment in payments), ZERO)


def _sum_faults(sent: Mapping[str, Any]) -> Iterator[Fault]:
    rounding, _remarks = _rounding(sent)
    expected = sum((item["line_total"] for item in sent["items"]), rounding)
    if expected != sent["total_amount"]:
        yield _sum_fault("total_mismatch", "The lines and the rounding", expected, sent["total_amount"])


def _payment_faults(sent: Mapping[str, Any]) -> Iterator[Fault]:
    if sent["payments"] is None:
        # The one that the method means is right by construction.
        if sent["payment_method"] == PaymentMethod.MIXED:
            yield Fault(("payments",), "required", "MIXED needs its payments.")
        return
    payments = _payments(sent)
    methods = {payment.method for payment in payments}
    if sent["payment_method"] != PaymentMethod.MIXED and methods != {sent["payment_method"]}:
        yield Fault(("payment_method",), "payments_differ", "The payments name other methods; send MIXED.")
    paid = sum((payment.amount for payment in payments), ZERO)
    if paid != sent["total_amount"]:
        yield _sum_fault("payments_mismatch", "The payments", paid, sent["total_amount"])
    tips = _tips(payments)
    if sent["tip_amount"] is not None and tips not in {ZERO, sent["tip_amount"]}:
        yield _sum_fault("tip_mismatch", "The tips of the payments", tips, sent["tip_amount"])


def _sum_fault(code: str, what: str, expected: Decimal, actual: Decimal) -> Fault:
    amounts = {
        "expected": plain(expected, places=2),
        "actual": plain(actual, places=2),
        "difference": plain(actual - expected, places=2),
    }
    message = f"{what} add up to {amounts['expected']}, not {amounts['actual']}."
    return Fault((), code, message, amounts)


def _unknown_names(document: Mapping[str, Any]) -> Iterator[str]:
    yield from (name for name in document if name not in SaleSerializer._declared_fields)
    parts = {"items": ItemSerializer, "payments": PaymentSerializer}
    for part, serializer in parts.items():
        for index, row in enumerate(document.get(part) or []):
            yield from (f"{part}[{index}].{name}" for name in row if name not in serializer._declared_fields)
