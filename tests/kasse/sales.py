"""Finished sales as values, as the contract hands them to the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from kasse.models import PaymentMethod
from kasse.sales import NewItem, NewPayment, NewSale

DAY = date(2026, 4, 29)
MORNING = datetime(2026, 4, 29, 8, 14, 32, tzinfo=UTC)
NOON = datetime(2026, 4, 29, 12, 0, tzinfo=UTC)


def croissant(**changes: Any) -> NewItem:
    """Two croissants for CHF 7.00."""
    fields = {"quantity": Decimal(2), "unit_price": Decimal("3.50"), "line_total": Decimal("7.00"), **changes}
    return NewItem(**{"description": "Croissant", **fields})


def coffee(**changes: Any) -> NewItem:
    """A coffee for CHF 5.50."""
    fields = {"quantity": Decimal(1), "unit_price": Decimal("5.50"), "line_total": Decimal("5.50"), **changes}
    return NewItem(**{"description": "Kaffee", **fields})


def paid(amount: str = "12.50", method: PaymentMethod = PaymentMethod.CASH, tip: str = "0.00") -> NewPayment:
    """One payment, in cash unless said otherwise."""
    return NewPayment(method=method, amount=Decimal(amount), tip_amount=Decimal(tip))


def breakfast(**changes: Any) -> NewSale:
    """Croissants and coffee for CHF 12.50 in cash."""
    fields: dict[str, Any] = {
        "external_ref": "seeblick-2026-04-29-T-1",
        "payment_method": PaymentMethod.CASH,
        "currency": "CHF",
        "total_amount": Decimal("12.50"),
        "rounding_amount": Decimal("0.00"),
        "tip_amount": Decimal("0.00"),
        "items": (croissant(), coffee()),
        "payments": (paid(),),
        "occurred_at": MORNING,
    }
    return NewSale(**{**fields, **changes})
