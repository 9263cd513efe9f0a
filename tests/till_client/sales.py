"""What the tests sell: croissants, by number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def croissants(number: int, **changes: Any) -> dict[str, Any]:
    """Sale ``number`` of the kiosk; its amount tells it from its neighbours."""
    amount = Decimal(350 + 5 * (number % 200)) / 100
    line = {"description": "Croissant", "quantity": 1, "unit_price": amount, "line_total": amount}
    return {
        "external_ref": f"kiosk-{number}",
        "payment_method": "CARD",
        "total_amount": amount,
        "items": [line],
        "occurred_at": "2026-04-29T10:14:32+02:00",
        **changes,
    }


def refused(number: int) -> dict[str, Any]:
    """A sale that the bridge never takes: its sum is not that of its lines."""
    return croissants(number, external_ref=f"bad-{number}", total_amount=Decimal("1000.00"))
