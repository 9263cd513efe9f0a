"""One sale as a till keeps it, and the bytes it sends for it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

RAPPEN = Decimal("0.01")
FIVE_RAPPEN = Decimal("0.05")
NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sale; amounts gross, in the tenant's currency. ``line_total`` is authoritative."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    line_total: Decimal
    sku: str = ""
    category: str = ""
    vat_rate: str = ""
    kind: str = "SALE"


@dataclass(frozen=True, slots=True)
class Payment:
    """One part of a ``MIXED`` payment, net of change."""

    method: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Sale:
    """A finished sale or refund; a refund has negative quantities and amounts.

    ``rounding`` is the 5-Rappen difference of a cash sale, ``tip`` lies outside the total.
    A ``plain`` sale is sent with the five fields of the product page and nothing else.
    """

    external_ref: str
    occurred_at: datetime
    payment_method: str
    lines: tuple[Line, ...]
    rounding: Decimal = NOTHING
    tip: Decimal = NOTHING
    payments: tuple[Payment, ...] = ()
    refund_of: str = ""
    currency: str = ""
    register: str = ""
    till_id: str = ""
    receipt_seq: int = 0
    plain: bool = False

    @property
    def total(self) -> Decimal:
        """What the guest owes: all lines and the rounding, two decimals."""
        return sum((line.line_total for line in self.lines), NOTHING) + self.rounding


def to_rappen(amount: Decimal) -> Decimal:
    """Round to 0.01, halves away from zero, as a till does with goods sold by weight."""
    return amount.quantize(RAPPEN, ROUND_HALF_UP)


def cash_rounding(amount: Decimal) -> Decimal:
    """What has to be added so that ``amount`` can be paid in coins; at most 0.02 either way."""
    coins = (amount / FIVE_RAPPEN).quantize(Decimal(1), ROUND_HALF_UP) * FIVE_RAPPEN
    return coins.quantize(RAPPEN) - amount


def body_of(sale: Sale) -> bytes:
    """The request body, UTF-8 JSON; written down once, so that every retry sends the same bytes."""
    fields = {
        "external_ref": sale.external_ref,
        "payment_method": sale.payment_method,
        "total_amount": _money(sale.total),
        "items": [_item(line, plain=sale.plain) for line in sale.lines],
        "occurred_at": _instant(sale.occurred_at, plain=sale.plain),
    }
    if not sale.plain:
        fields |= _optional_fields(sale)
    return json.dumps(fields, ensure_ascii=False).encode()


def _optional_fields(sale: Sale) -> dict[str, Any]:
    """Only what has something to say; a rounding of nothing is left out."""
    fields = {
        "currency": sale.currency,
        "rounding_amount": _money(sale.rounding) if sale.rounding else "",
        "tip_amount": _money(sale.tip) if sale.tip else "",
        "payments": [{"method": part.method, "amount": _money(part.amount)} for part in sale.payments],
        "refund_of": sale.refund_of,
        "till_id": sale.till_id,
        "receipt_seq": sale.receipt_seq,
        "metadata": {"register": sale.register} if sale.register else {},
    }
    return {name: value for name, value in fields.items() if value}


def _item(line: Line, *, plain: bool) -> dict[str, Any]:
    item = {
        "description": line.description,
        "quantity": _quantity(line.quantity),
        "unit_price": f"{line.unit_price:f}",
        "line_total": _money(line.line_total),
    }
    if plain:
        return item
    extras = {"sku": line.sku, "category": line.category, "vat_rate": line.vat_rate}
    if line.kind != "SALE":
        extras["kind"] = line.kind
    return item | {name: value for name, value in extras.items() if value}


def _quantity(quantity: Decimal) -> int | str:
    """Pieces as a JSON number, weights as a string: both are in the contract, both are in use."""
    return int(quantity) if quantity == quantity.to_integral_value() else f"{quantity:f}"


def _instant(moment: datetime, *, plain: bool) -> str:
    """RFC 3339: plain tills speak UTC with ``Z``, the others their own offset."""
    if plain:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return moment.isoformat()


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"
