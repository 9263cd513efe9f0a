"""A closed account of Lightspeed Restaurant (K-Series) as a neutral sale. Pure.

The vendor's documents contradict each other, so everything is taken in each of its documented forms: ids as text or
number, ``taxLines`` as an object, a list or not at all, ``uuid`` in either alphabet, discounts as negative lines of
either dialect. Corrections need no rule: a void is the same account negated, a changed tip a void and a new account.

Source: the vendor's published "Transaction details" and its PMS integration description; ADR 0013.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.balancing import balanced
from adapters.neutral import DISCOUNT, SALE, SERVICE_CHARGE, Line, NeutralSale, Tender, Terms, Unmappable
from adapters.reading import (
    instant_in,
    money,
    name_for,
    number_in,
    price,
    quantity_of,
    rate,
    rows_in,
    text_in,
    uuid_in_base64,
)
from kasse.money import ZERO
from kasse.paying import OTHER, method_of

Row = Mapping[str, Any]
CHARGED_TO_ROOM = {"ikpms": "ON_TAB"}
DISCOUNTS = frozenset({"linediscount", "accountdiscount", "percentitem"})
HUNDRED = Decimal(100)
DASHED = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def map_event(document: Row, terms: Terms) -> Sequence[NeutralSale]:
    """The sale of an account; none for an account on which nothing was sold or paid.

    Raises:
        Unmappable: no identity, another business than the connection's, or an amount that is none.
    """
    scope = _scope(document, terms)
    own = _own_ids(document)
    lines = [_line(row) for row in rows_in(document, "transactions")]
    tenders = [_tender(row, terms) for row in rows_in(document, "payments")]
    if not lines and not tenders:
        return []
    lines += _service_charge(document, lines, tenders)
    total = _paid(tenders) if tenders else sum((line.line_total for line in lines), ZERO)
    tenders = tenders or [Tender(method=OTHER, amount=total)]
    lines = lines or [_whole(document, total)]
    fitting, rounding, review = balanced(lines, total=total)
    return [
        NeutralSale(
            names=tuple(name_for("lightspeed", scope, each) for each in own),
            total=total,
            lines=fitting,
            tenders=tuple(tenders),
            rounding=rounding,
            occurred_at=_closed_at(document),
            refund_of=_refund_of(document, scope, own) if total < 0 else "",
            review=(*review, *_unknown_methods(tenders)),
            details={"receipt": text_in(document, "receiptId"), "table": text_in(document, "name")},
        )
    ]


def _scope(document: Row, terms: Terms) -> str:
    """The business: account numbers are its own, and no other's."""
    named = text_in(document, "businessExternalReference")
    if terms.scope and named and named != terms.scope:
        raise Unmappable("other_business", "businessExternalReference")
    return terms.scope or named or "main"


def _own_ids(document: Row) -> list[str]:
    """The fiscal number if there is one, and the id; the first is the stronger name."""
    ids = [text_in(document, "fiscId"), _dashed(text_in(document, "uuid"))]
    found = [each for each in ids if each]
    if not found:
        raise Unmappable("no_identity", "fiscId")
    return found


def _dashed(text: str) -> str:
    """A uuid in its usual form, from base64 too; another text as it is."""
    return text.lower() if DASHED.fullmatch(text) else uuid_in_base64(text) or text


def _line(row: Row) -> Line:
    amount, unit = number_in(row, "amount"), number_in(row, "unitAmount")
    sent_quantity = number_in(row, "quantity")
    if amount is None:
        if unit is None:
            raise Unmappable("not_a_number", "amount")
        amount = unit * (1 if sent_quantity is None else sent_quantity)
    if sent_quantity is None and unit:
        sent_quantity = amount / unit
    taxes = rows_in(row, "taxLines")
    gross = money(_gross(row, taxes, amount))
    quantity = quantity_of(sent_quantity, amount=amount)
    return Line(
        description=text_in(row, "description") or "Lightspeed",
        quantity=quantity,
        unit_price=price(unit if unit is not None and gross == money(amount) else gross / quantity),
        line_total=gross,
        sku=text_in(row, "sku", limit=64),
        vat_rate=_vat_rate(row, taxes),
        category=text_in(row, "groupName", limit=80),
        kind=DISCOUNT if _is_discount(row, gross, quantity) else SALE,
    )


def _is_discount(row: Row, gross: Decimal, quantity: Decimal) -> bool:
    """By its type; in the old dialect, by a negative amount beside a quantity that is not."""
    return text_in(row, "type").casefold() in DISCOUNTS or gross < 0 < quantity


def _gross(row: Row, taxes: Sequence[Row], amount: Decimal) -> Decimal:
    """The amount with the taxes that are not in it already; where nothing is said they are."""
    of_line = row.get("taxIncluded")
    if not taxes:
        return amount if of_line is not False else amount * _multiplier(number_in(row, "taxRate"))
    gross = amount
    for tax in taxes:
        included = of_line if tax.get("taxIncluded") is None else tax["taxIncluded"]
        if included is not False:
            continue
        more = number_in(tax, "taxAmount")
        if more is None:
            more = amount * (_multiplier(number_in(tax, "taxRate")) - 1)
        gross += more
    return gross


def _vat_rate(row: Row, taxes: Sequence[Row]) -> Decimal | None:
    """In percent; two taxes on one line are one rate."""
    for places in (taxes, [row]):
        sent = [number_in(each, "taxRate") for each in places]
        known = [each for each in sent if each is not None]
        if known:
            return rate(sum(((_multiplier(each) - 1) * HUNDRED for each in known), ZERO))
    return None


def _multiplier(sent: Decimal | None) -> Decimal:
    """What net is multiplied by: documented as 1.081; a fraction (0.081) and a percentage (8.1) are understood."""
    if sent is None or sent in {0, 1}:
        return Decimal(1)
    if sent < 0:
        raise Unmappable("not_a_rate", "taxRate")
    if sent < 1:
        return 1 + sent
    return sent if sent < 2 else 1 + sent / HUNDRED


def _tender(row: Row, terms: Terms) -> Tender:
    """One payment; its ``amount`` is without the tip."""
    code, name = text_in(row, "methodCode", limit=80), text_in(row, "methodName", limit=80)
    return Tender(
        method=method_of(code, name, methods=terms.methods, fixed=CHARGED_TO_ROOM) or OTHER,
        amount=money(number_in(row, "amount") or ZERO),
        tip=money(number_in(row, "gratuity") or ZERO),
        vendor_word=name or code,
    )


def _paid(tenders: Sequence[Tender]) -> Decimal:
    return sum((tender.amount for tender in tenders), ZERO)


def _unknown_methods(tenders: Sequence[Tender]) -> tuple[str, ...]:
    return ("unknown_payment_method",) if any(tender.method == OTHER for tender in tenders) else ()


def _service_charge(document: Row, lines: Sequence[Line], tenders: Sequence[Tender]) -> list[Line]:
    """An untaxed one is a line of its own. One that is apportioned is in the lines, unless the payments deny it."""
    row = document.get("serviceCharge")
    if not isinstance(row, Mapping):
        return []
    amount = money(number_in(row, "amount") or ZERO)
    untaxed = text_in(row, "type").upper() == "UNTAXED"
    missing = _paid(tenders) - sum((line.line_total for line in lines), ZERO) if tenders else ZERO
    if not amount or (not untaxed and missing != amount):
        return []
    vat_rate = ZERO if untaxed else None
    return [Line.of_whole(amount, description="Service", vat_rate=vat_rate, kind=SERVICE_CHARGE)]


def _whole(document: Row, total: Decimal) -> Line:
    """An account that came without lines."""
    return Line.of_whole(total, description=f"Lightspeed {text_in(document, 'receiptId')}".strip())


def _closed_at(document: Row) -> datetime | None:
    """When it was closed; in old payloads, when it was last paid."""
    paid = [instant_in(row, "paymentDate") for row in rows_in(document, "payments")]
    return instant_in(document, "closeDate") or max(filter(None, paid), default=None)


def _refund_of(document: Row, scope: str, own: Sequence[str]) -> str:
    """The account that it takes back, if the vendor names another than this one."""
    first = _dashed(text_in(document, "initialAccountId"))
    return name_for("lightspeed", scope, first) if first and first not in own else ""
