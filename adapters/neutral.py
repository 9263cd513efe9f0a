"""The neutral sale: what every vendor's mapping makes of a payload, before the ledger has seen it. Pure.

Amounts are gross, in the connection's currency; a refund is negative. Codes are those of the ledger, as texts, so
that a mapping needs nothing but this room.

Errors::

    Unmappable    a payload that cannot become a sale: it is parked with its reason, never lost
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from kasse.money import ZERO

SALE, DISCOUNT, SERVICE_CHARGE, VOUCHER_SALE = "SALE", "DISCOUNT", "SERVICE_CHARGE", "VOUCHER_SALE"
MIXED = "MIXED"


class Unmappable(Exception):
    """Why a payload cannot become a sale; ``code`` is one of ``REASONS``, ``where`` is a field, never a value."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.where = where


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; ``line_total`` is what counts, ``vat_rate`` in percent, None when the vendor does not say."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    line_total: Decimal
    sku: str = ""
    vat_rate: Decimal | None = None
    category: str = ""
    kind: str = SALE

    @classmethod
    def of_whole(cls, amount: Decimal, *, description: str, vat_rate: Decimal | None = None, kind: str = SALE) -> Line:
        """One line for an amount of which no quantity is known: one of it, or one of it taken back."""
        return cls(
            description=description,
            quantity=Decimal(-1 if amount < 0 else 1),
            unit_price=abs(amount),
            line_total=amount,
            vat_rate=vat_rate,
            kind=kind,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """One payment without its tip; the vendor's own word for it stands beside our method."""

    method: str
    amount: Decimal
    tip: Decimal = ZERO
    vendor_word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutralSale:
    """One business event as every vendor's becomes.

    ``names`` are what the event is known by, each fit to be an ``external_ref``, the strongest first. Σ lines +
    ``rounding`` = ``total`` = Σ tenders. ``occurred_at`` is None where the vendor gives no instant, ``currency``
    where it names none. ``review`` says what staff should look at.
    """

    names: tuple[str, ...]
    total: Decimal
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...]
    occurred_at: datetime | None
    currency: str | None = None
    rounding: Decimal = ZERO
    refund_of: str = ""
    review: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def tip(self) -> Decimal:
        """What guests gave on top, over all tenders."""
        return sum((tender.tip for tender in self.tenders), ZERO)

    @property
    def method(self) -> str:
        """The one method of all tenders, else ``MIXED``."""
        methods = {tender.method for tender in self.tenders}
        return methods.pop() if len(methods) == 1 else MIXED


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a connection tells its vendor's mapping: the currency it counts in, its words for payments, whose it is.

    ``since`` is when it was made, for vendors that tell of older sales too.
    """

    currency: str
    methods: Mapping[str, str] = field(default_factory=dict)
    scope: str = ""
    since: datetime | None = None
