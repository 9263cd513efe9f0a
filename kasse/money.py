"""Exact arithmetic on amounts. Everything here is pure, and everything is ``Decimal``."""

from __future__ import annotations

from decimal import Decimal

CENT = Decimal("0.01")
FIVE_RAPPEN = Decimal("0.05")
ZERO = Decimal("0.00")


def is_multiple_of(amount: Decimal, step: Decimal) -> bool:
    """Whether an amount of either sign is a whole number of steps."""
    return amount % step == 0


def is_cash_rounding(*, total: Decimal, difference: Decimal) -> bool:
    """Whether a difference between a cash total and its lines is what rounding to 5 Rappen leaves.

    The total is payable in coins, and no more than 2 Rappen were rounded away or added.
    """
    return is_multiple_of(total, FIVE_RAPPEN) and abs(difference) <= Decimal("0.02")


def plain(number: Decimal, *, places: int = 0) -> str:
    """A decimal without exponent, with at least ``places`` places and no further trailing zeros.

    ``plain(Decimal("2.500"))`` is ``2.5``; ``plain(Decimal("3.5"), places=2)`` is ``3.50``.
    """
    text = str(number)
    if "E" in text:
        text = f"{number:f}"
    if places == 2 and text[-3:-2] == ".":
        return text
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole
