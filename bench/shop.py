"""What every target sells: eight campgrounds, two tills each, sixty articles, and one sale of about 500 bytes.

Knows no framework: the peers import it too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

CAMPGROUNDS = ("seeblick", "waldrand", "bergruh", "talblick", "sonnenhang", "uferwiese", "lindenhof", "steinbach")
TILLS_PER_CAMPGROUND = 2
# Far more than a run can use, yet a number: every call is counted, as for any till.
BUDGET = 10_000_000
VAT_RATES = ("2.60", "3.80", "8.10")
VAT_VALID_FROM = "2024-01-01"
ARTICLES = 60
# ``ck_`` and the eight characters that a till shows in clear.
PREFIX_LENGTH = 11
# Eight characters that the load generator replaces by a number of its own.
PLACE = "@" * 8


@dataclass(frozen=True, slots=True)
class Keys:
    """The raw tokens of one target: one for each till, and two that must not be able to sell."""

    tills: list[str]
    read_only: str
    revoked: str

    def as_dict(self) -> dict[str, Any]:
        """To be handed to another process as JSON."""
        return asdict(self)


def articles() -> list[dict[str, str]]:
    """The catalogue of every campground: more than one page of it."""
    kinds = (("Croissant", "Backwaren", "3.50", "2.60"), ("Gasflasche 5 kg", "Shop", "28.90", "8.10"))
    return [
        {
            "sku": f"{name[:4].upper()}-{number:02}",
            "name": f"{name} {number}",
            "category": category,
            "unit_price": price,
            "vat_rate": rate,
        }
        for number in range(1, ARTICLES // len(kinds) + 1)
        for name, category, price, rate in kinds
    ]


def sale(reference: str, occurred_at: datetime) -> dict[str, Any]:
    """Two croissants and a gas bottle, paid in cash."""
    return {
        "external_ref": reference,
        "payment_method": "CASH",
        "total_amount": "35.90",
        "items": [
            {
                "description": "Croissant",
                "quantity": 2,
                "unit_price": "3.50",
                "line_total": "7.00",
                "vat_rate": "2.60",
                "sku": "CROI-01",
                "category": "Backwaren",
            },
            {
                "description": "Gasflasche 5 kg",
                "quantity": 1,
                "unit_price": "28.90",
                "line_total": "28.90",
                "vat_rate": "8.10",
                "sku": "GASF-01",
                "category": "Shop",
            },
        ],
        "payments": [{"method": "CASH", "amount": "35.90"}],
        "occurred_at": instant_text(occurred_at),
    }


def other_money(document: dict[str, Any]) -> dict[str, Any]:
    """The same reference and method, ten francs more: what must be a conflict."""
    first, second = document["items"]
    return {
        **document,
        "total_amount": "45.90",
        "items": [first, {**second, "unit_price": "38.90", "line_total": "38.90"}],
        "payments": [{"method": "CASH", "amount": "45.90"}],
    }


def instant_text(instant: datetime) -> str:
    """UTC with ``Z``, whole seconds."""
    return instant.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
