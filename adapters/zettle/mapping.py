"""A Zettle purchase as a neutral sale, from a webhook or from the purchase API: both end at the same reference. Pure.

Amounts are whole units of the currency's last place, VAT included. A row's discount is off its total; discounts of the
whole purchase become lines of their own, spread over the VAT rates. Tips lie inside the payments, and come out.

Source: the vendor's published Pusher and purchase API descriptions; ADR 0013.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from adapters.balancing import DOES_NOT_RECONCILE, balanced, shares_by_rate
from adapters.neutral import (
    DISCOUNT,
    SALE,
    SERVICE_CHARGE,
    VOUCHER_SALE,
    Line,
    NeutralSale,
    Tender,
    Terms,
    Unmappable,
)
from adapters.reading import (
    instant_in,
    instant_in_milliseconds,
    money,
    name_for,
    number_in,
    price,
    quantity_of,
    rate,
    required_number,
    rows_in,
    text_in,
    uuid_in_base64,
)
from kasse.money import ZERO
from kasse.paying import OTHER, method_of

Row = Mapping[str, Any]
PURCHASE = "PurchaseCreated"
# Places of a currency after the point, where they are not two.
PLACES = {"JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3}
METHODS = {
    "izettle_cash": "CASH",
    "izettle_card": "CARD",
    "izettle_card_online": "CARD",
    "izettle_invoice": "BANK",
    "store_credit": "VOUCHER",
    "giftcard": "VOUCHER",
    **dict.fromkeys(("swish", "vipps", "mobile_pay", "paypal", "klarna"), OTHER),
}
KINDS = {"GIFTCARD": VOUCHER_SALE}


def map_event(document: Row, terms: Terms) -> Sequence[NeutralSale]:
    """The sale of a message or a purchase; none for a message about anything else.

    Raises:
        Unmappable: no identity, another organisation than the connection's, or an amount that is none.
    """
    if "eventName" not in document:
        return [_sale(document, terms)]
    if text_in(document, "eventName") != PURCHASE:
        return []
    purchase = document.get("payload")
    if not isinstance(purchase, Mapping):
        raise Unmappable("not_an_object", "payload")
    return [_sale(purchase, terms)]


def _sale(purchase: Row, terms: Terms) -> NeutralSale:
    organization = text_in(purchase, "organizationUuid")
    if terms.scope and organization and organization != terms.scope:
        raise Unmappable("other_business", "organizationUuid")
    currency = text_in(purchase, "currency") or terms.currency
    unit = Decimal(1).scaleb(-PLACES.get(currency, 2))
    lines = list(_lines(purchase, unit))
    tenders = [_tender(row, unit, terms) for row in rows_in(purchase, "payments")]
    rows_total = sum((line.line_total for line in lines), ZERO)
    total = sum((tender.amount for tender in tenders), ZERO) if tenders else rows_total
    fitting, rounding, review = balanced(lines or [_whole(purchase, total)], total=total)
    tenders = tenders or [Tender(method=OTHER, amount=total)]
    return NeutralSale(
        names=(name_for("zettle", _identity(purchase, "purchase")),),
        total=total,
        lines=fitting,
        tenders=tuple(tenders),
        rounding=rounding,
        occurred_at=_instant(purchase),
        currency=currency,
        refund_of=_refund_of(purchase),
        review=tuple(dict.fromkeys((*review, *_doubts(purchase, unit, total, tenders)))),
        details={
            "receipt": text_in(purchase, "purchaseNumber") or text_in(purchase, "globalPurchaseNumber"),
            "cashier": text_in(purchase, "userDisplayName"),
        },
    )


def _identity(purchase: Row, what: str) -> str:
    """The dashed uuid, wherever and however it stands: the webhook and the API spell the field differently.

    Raises:
        Unmappable: there is none.
    """
    for name in (f"{what}Uuid", f"{what}UUID1", f"{what}UUID"):
        text = text_in(purchase, name)
        if text:
            return _dashed(text)
    raise Unmappable("no_identity", f"{what}Uuid")


def _dashed(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return uuid_in_base64(text) or text


def _refund_of(purchase: Row) -> str:
    try:
        return name_for("zettle", _identity(purchase, "refundsPurchase"))
    except Unmappable:
        return ""


def _instant(purchase: Row) -> datetime | None:
    """Milliseconds since 1970 in a message, an instant in the API."""
    milliseconds = instant_in_milliseconds(purchase, "timestamp")
    return milliseconds or instant_in(purchase, "timestamp") or instant_in(purchase, "created")


def _lines(purchase: Row, unit: Decimal) -> Iterator[Line]:
    """The rows, then the discounts of the whole, then the service charge."""
    is_net = text_in(purchase, "taxationMode").upper() == "EXCLUSIVE"
    rows = [_line(row, unit, is_net=is_net) for row in rows_in(purchase, "products")]
    yield from rows
    left = sum((line.line_total for line in rows), ZERO)
    for discount in rows_in(purchase, "discounts"):
        value = _discount_value(discount, left, unit)
        left -= value
        yield from _spread(discount, value, rows, unit)
    charge = purchase.get("serviceCharge")
    if isinstance(charge, Mapping):
        yield from _service_charge(charge, unit)


def _line(row: Row, unit: Decimal, *, is_net: bool) -> Line:
    """One row; ``unitPrice`` is positive even where the quantity is not."""
    unit_price = required_number(row, "unitPrice") * unit
    sent = number_in(row, "quantity")
    gross = unit_price * (Decimal(1) if sent is None else sent)
    gross -= _row_discount(row, gross, unit)
    vat_rate = _vat_rate(row)
    if is_net and vat_rate:
        gross *= 1 + vat_rate / 100
    total = _whole_units(gross, unit)
    quantity = quantity_of(sent, amount=total)
    name = " ".join(filter(None, (text_in(row, "name"), text_in(row, "variantName"))))
    return Line(
        description=name or "Zettle",
        quantity=quantity,
        unit_price=price(unit_price) if not is_net else price(total / quantity),
        line_total=total,
        sku=text_in(row, "sku", limit=64),
        vat_rate=vat_rate,
        category=text_in(row, "category", limit=80),
        kind=KINDS.get(text_in(row, "type").upper(), SALE),
    )


def _vat_rate(row: Row) -> Decimal | None:
    """In percent; the sum of several, where only those are told."""
    whole = number_in(row, "vatPercentage")
    if whole is not None:
        return rate(whole)
    parts = [number_in(each, "percentage") for each in rows_in(row, "taxRates")]
    known = [each for each in parts if each is not None]
    return rate(sum(known, ZERO)) if known else None


def _row_discount(row: Row, gross: Decimal, unit: Decimal) -> Decimal:
    """What is off a row, with the sign of the row."""
    value = number_in(row, "discountValue")
    discount = row.get("discount")
    if value is not None:
        off = abs(value) * unit
    elif isinstance(discount, Mapping):
        off = abs(_discount_value(discount, gross, unit))
    else:
        return ZERO
    return off if gross >= 0 else -off


def _discount_value(discount: Row, of: Decimal, unit: Decimal) -> Decimal:
    """What a discount takes off, with the sign of what it is taken off."""
    value, amount, percentage = (number_in(discount, name) for name in ("value", "amount", "percentage"))
    if value is not None:
        off = abs(value) * unit
    elif amount is not None:
        off = abs(amount * (number_in(discount, "quantity") or 1)) * unit
    else:
        off = _whole_units(abs(of) * (percentage or ZERO) / 100, unit)
    return off if of >= 0 else -off


def _spread(discount: Row, value: Decimal, rows: Sequence[Line], unit: Decimal) -> Iterator[Line]:
    """A discount of the whole as one line for each VAT rate, by their shares, to the last unit."""
    if not value or not rows:
        return
    for vat_rate, share in shares_by_rate(value, rows, unit=unit):
        if share:
            off = money(-share)
            yield Line(
                description=text_in(discount, "name") or "Rabatt",
                quantity=Decimal(1 if off < 0 else -1),
                unit_price=-abs(off),
                line_total=off,
                vat_rate=vat_rate,
                kind=DISCOUNT,
            )


def _service_charge(charge: Row, unit: Decimal) -> Iterator[Line]:
    quantity = number_in(charge, "quantity")
    total = _whole_units((number_in(charge, "amount") or ZERO) * (1 if quantity is None else quantity) * unit, unit)
    if total:
        name = text_in(charge, "title") or "Service"
        yield Line.of_whole(total, description=name, vat_rate=_vat_rate(charge), kind=SERVICE_CHARGE)


def _tender(row: Row, unit: Decimal, terms: Terms) -> Tender:
    """One payment without its tip, which Zettle counts in."""
    attributes = row.get("attributes")
    tip = number_in(row, "gratuityAmount")
    if tip is None and isinstance(attributes, Mapping):
        tip = number_in(attributes, "gratuityAmount")
    amount = money((number_in(row, "amount") or ZERO) * unit)
    tip = money((tip or ZERO) * unit)
    # Prices are positive in refunds too; a tip that is in what goes back goes back with it, whatever its sign.
    tip = -abs(tip) if amount < 0 else tip
    word = text_in(row, "type", limit=80)
    return Tender(
        method=method_of(word, methods=terms.methods, fixed=METHODS) or OTHER,
        amount=amount - tip,
        tip=tip,
        vendor_word=word,
    )


def _doubts(purchase: Row, unit: Decimal, total: Decimal, tenders: Sequence[Tender]) -> Iterator[str]:
    """The purchase's own amount may hold the tip or not; the vendor does not say. Anything else is odd."""
    amount = number_in(purchase, "amount")
    tips = sum((tender.tip for tender in tenders), ZERO)
    if amount is not None and money(amount * unit) not in {total, total + tips}:
        yield DOES_NOT_RECONCILE
    if any(tender.method == OTHER and tender.vendor_word.casefold() not in METHODS for tender in tenders):
        yield "unknown_payment_method"


def _whole(purchase: Row, total: Decimal) -> Line:
    return Line.of_whole(total, description=f"Zettle {text_in(purchase, 'purchaseNumber')}".strip())


def _whole_units(amount: Decimal, unit: Decimal) -> Decimal:
    """Rounded half up, away from zero, to the currency's last place, and to the Rappen at most."""
    return money(amount.quantize(unit, ROUND_HALF_UP))
