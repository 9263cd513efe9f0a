"""A finished sale as a value: checked, exact, first not yet in the ledger (``NewSale``), then in it (``StoredSale``).

All amounts are ``Decimal`` in the tenant's currency, VAT included; a refund is negative. Instants are aware.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from kasse.models import LineKind, PaymentMethod, Source, Status
from kasse.money import ZERO


class NewItem(Struct, frozen=True, kw_only=True):
    """One line. ``line_total`` is authoritative; ``vat_rate`` in percent, None when nobody knows it."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    line_total: Decimal
    sku: str = ""
    vat_rate: Decimal | None = None
    category: str = ""
    kind: LineKind = LineKind.SALE


class NewPayment(Struct, frozen=True, kw_only=True):
    """One tender, net of change; its tip is outside its amount."""

    method: PaymentMethod
    amount: Decimal
    tip_amount: Decimal = ZERO


class NewSale(Struct, frozen=True, kw_only=True):
    """One finished sale or refund.

    Σ ``line_total`` + ``rounding_amount`` = ``total_amount`` = Σ payments; ``tip_amount`` lies outside of it.
    ``payments`` is never empty: a plain cash sale is one payment in cash. ``remarks`` are the codes of what is said
    about it to whoever brings it, parted by blanks; they are no part of what makes it the same sale.
    """

    external_ref: str | None
    payment_method: PaymentMethod
    currency: str
    total_amount: Decimal
    rounding_amount: Decimal
    tip_amount: Decimal
    items: tuple[NewItem, ...]
    payments: tuple[NewPayment, ...]
    occurred_at: datetime
    sent_at: datetime | None = None
    refund_of: str = ""
    till_id: str = ""
    receipt_seq: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    remarks: str = ""


class StoredSale(Struct, frozen=True, kw_only=True):
    """A sale as the ledger holds it: what was sold, with each line's VAT rate resolved, and what we know of it."""

    id: UUID
    tenant_id: int
    source: Source
    fingerprint: str
    api_key_id: int | None
    business_date: date
    received_at: datetime
    sale: NewSale
    status: Status = Status.COMPLETED
