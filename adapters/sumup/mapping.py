"""A SumUp transaction with its events as neutral sales: the sale, and a refund for each refunding event. Pure.

The document is the transaction as its details have it. Where a row of the history has led to it that speaks of a
refund, or the details could not be had, that row stands in it as ``history``.

Amounts hold VAT and the tip. A till on which only an amount was keyed in sends no products: then the sale is one line,
its VAT rate unknown. A refund is spread over the VAT rates of its sale. A sale older than the connection is not
booked; what is given back of it is.

Source: the vendor's published API description; ADR 0013.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.balancing import balanced, shares_by_rate
from adapters.neutral import Line, NeutralSale, Tender, Terms, Unmappable
from adapters.reading import (
    instant_in,
    money,
    name_for,
    number_in,
    price,
    quantity_of,
    rate,
    required_number,
    rows_in,
    text_in,
)
from kasse.money import CENT, ZERO
from kasse.paying import OTHER, method_of

Row = Mapping[str, Any]
# What has been paid; that some of it went back later is an event of its own.
PAID = frozenset({"SUCCESSFUL", "PAID_OUT", "REFUNDED", "PARTIALLY_REFUNDED", "CHARGE_BACK", "CHARGEBACK"})
REFUNDS = frozenset({"REFUND", "CHARGE_BACK", "CHARGEBACK"})
# An event that did not come to pass.
FUTILE = frozenset({"FAILED", "CANCELLED", "PENDING", "SCHEDULED"})
METHODS = {
    "cash": "CASH",
    **dict.fromkeys(("pos", "ecom", "moto", "recurring"), "CARD"),
    **dict.fromkeys(("direct_debit", "boleto"), "BANK"),
    **dict.fromkeys(("bitcoin", "balance", "apm"), OTHER),
}


def map_event(document: Row, terms: Terms) -> Sequence[NeutralSale]:
    """The sales of a transaction; none while it has not been paid.

    Raises:
        Unmappable: no identity, another merchant than the connection's, or an amount that is none.
    """
    merchant = text_in(document, "merchant_code")
    if terms.scope and merchant and merchant != terms.scope:
        raise Unmappable("other_business", "merchant_code")
    if "amount" not in document and isinstance(document.get("history"), Mapping):
        raise Unmappable("details_missing")
    if text_in(document, "status").upper() not in PAID:
        return []
    sale = _sale(document, terms)
    refunds = list(_refunds(document, sale))
    if isinstance(document.get("history"), Mapping) and not refunds:
        raise Unmappable("refund_unclear", "events")
    is_older = terms.since is not None and sale.occurred_at is not None and sale.occurred_at < terms.since
    return refunds if is_older else [sale, *refunds]


def identity_of(document: Row) -> str:
    """The id of a transaction; its details, its row in the history and its receipt spell the field differently.

    Raises:
        Unmappable: there is none.
    """
    identity = text_in(document, "id") or text_in(document, "transaction_id")
    if not identity:
        raise Unmappable("no_identity", "id")
    return identity.casefold()


def _sale(document: Row, terms: Terms) -> NeutralSale:
    tip = money(number_in(document, "tip_amount") or ZERO)
    total = money(required_number(document, "amount")) - tip
    lines = [_line(row) for row in rows_in(document, "products")] or [_keyed_in(document, total)]
    fitting, rounding, review = balanced(lines, total=total)
    method = _method(document, terms)
    return NeutralSale(
        names=(name_for("sumup", identity_of(document)),),
        total=total,
        lines=fitting,
        tenders=(Tender(method=method or OTHER, amount=total, tip=tip, vendor_word=_word(document)),),
        rounding=rounding,
        occurred_at=instant_in(document, "timestamp"),
        currency=text_in(document, "currency") or terms.currency,
        review=(*review, *(() if method else ("unknown_payment_method",))),
        details={
            "receipt": text_in(document, "transaction_code"),
            # Tenders of one sale are transactions of their own; the part before the semicolon is what they share.
            "group": text_in(document, "client_transaction_id").partition(";")[0],
        },
    )


def _line(row: Row) -> Line:
    """One product; each of its amounts may be missing, or be text."""
    quantity = number_in(row, "quantity")
    count = Decimal(1) if quantity is None else quantity
    gross_price, net_price = number_in(row, "price_with_vat"), number_in(row, "price")
    total = number_in(row, "total_with_vat")
    vat_rate = _vat_rate(row)
    if total is None:
        unit = gross_price if gross_price is not None else required_number(row, "price") * _factor(vat_rate)
        total = unit * count
    total = money(total)
    count = quantity_of(quantity, amount=total)
    if gross_price is None:
        gross_price = net_price * _factor(vat_rate) if net_price is not None else total / count
    return Line(
        description=text_in(row, "name") or "SumUp",
        quantity=count,
        unit_price=price(gross_price),
        line_total=total,
        vat_rate=vat_rate,
    )


def _vat_rate(row: Row) -> Decimal | None:
    """In percent; what is below 1 is a fraction."""
    sent = number_in(row, "vat_rate")
    if sent is None:
        return None
    return rate(sent * 100 if 0 < sent < 1 else sent)


def _factor(vat_rate: Decimal | None) -> Decimal:
    return 1 + (vat_rate or ZERO) / 100


def _keyed_in(document: Row, total: Decimal) -> Line:
    return Line.of_whole(total, description=f"SumUp {text_in(document, 'transaction_code')}".strip())


def _method(document: Row, terms: Terms) -> str | None:
    """By the way it was entered, if that says more than the kind of payment: TWINT comes as something else."""
    entered = text_in(document, "entry_mode", limit=80)
    if "twint" in entered.casefold():
        return method_of(entered, methods=terms.methods)
    return method_of(text_in(document, "payment_type", limit=80), methods=terms.methods, fixed=METHODS)


def _word(document: Row) -> str:
    words = (text_in(document, name, limit=80) for name in ("payment_type", "entry_mode", "card_type"))
    return " ".join(filter(None, words))


def _refunds(document: Row, sale: NeutralSale) -> Iterator[NeutralSale]:
    """What went back, each once, the first first; the goods before the tip."""
    goods = sale.total
    for event in sorted(refund_events(document), key=_order):
        back = abs(money(required_number(event, "amount")))
        of_goods = min(back, max(goods, ZERO))
        goods -= of_goods
        yield _refund(event, document, sale, of_goods, tip=back - of_goods)


def refund_events(document: Row) -> list[Row]:
    """The events that took money back. They stand in one of two lists, or in both.

    Raises:
        Unmappable: one has no id, so nobody could tell it from another.
    """
    found: dict[str, Row] = {}
    for event in (*rows_in(document, "events"), *rows_in(document, "transaction_events")):
        kind = (text_in(event, "type") or text_in(event, "event_type")).upper()
        if kind in REFUNDS and text_in(event, "status").upper() not in FUTILE:
            if not text_in(event, "id"):
                raise Unmappable("no_identity", "events.id")
            found.setdefault(text_in(event, "id"), event)
    return list(found.values())


def _order(event: Row) -> tuple[str, str]:
    return text_in(event, "timestamp") or text_in(event, "date"), text_in(event, "id")


def _refund(event: Row, document: Row, sale: NeutralSale, goods: Decimal, *, tip: Decimal) -> NeutralSale:
    (tender,) = sale.tenders
    return NeutralSale(
        names=(name_for("sumup", identity_of(document), "refund", text_in(event, "id")),),
        total=-goods,
        lines=tuple(_returned(document, sale, goods)),
        tenders=(Tender(method=tender.method, amount=-goods, tip=-tip, vendor_word=tender.vendor_word),),
        occurred_at=instant_in(event, "timestamp") or instant_in(event, "date") or sale.occurred_at,
        currency=sale.currency,
        refund_of=sale.names[0],
        review=tuple(each for each in sale.review if each == "unknown_payment_method"),
        details=sale.details,
    )


def _returned(document: Row, sale: NeutralSale, goods: Decimal) -> Iterator[Line]:
    """One line for each VAT rate of the sale, by their shares: which articles came back nobody says."""
    shares = shares_by_rate(goods, sale.lines, unit=CENT)
    for vat_rate, share in shares:
        if share or len(shares) == 1:
            yield Line(
                description=f"Refund {text_in(document, 'transaction_code')}".strip(),
                quantity=Decimal(-1),
                unit_price=share,
                line_total=-share,
                vat_rate=vat_rate,
            )
