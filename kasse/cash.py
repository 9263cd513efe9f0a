"""Cash that somebody has counted, and what should have been there. Pure; amounts are ``Decimal`` with two places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kasse.money import ZERO, plain

SWISS = (1000_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50, 20, 10, 5)
EURO = (500_00, 200_00, 100_00, 50_00, 20_00, 10_00, 5_00, 2_00, 1_00, 50, 20, 10, 5, 2, 1)
DENOMINATIONS = {
    currency: tuple(Decimal(hundredths).scaleb(-2) for hundredths in values)
    for currency, values in (("CHF", SWISS), ("EUR", EURO))
}
"""Notes and coins in circulation, the largest first; of other currencies only the sum is asked for."""


@dataclass(frozen=True, slots=True)
class CountedCash:
    """So many of each note and coin, and ``other``: what was counted as a sum, rolls of coins for one."""

    pieces: tuple[tuple[Decimal, int], ...] = ()
    other: Decimal = ZERO

    @classmethod
    def of(cls, pieces: Mapping[Decimal, int], *, other: Decimal = ZERO) -> CountedCash:
        """The largest first; what there is none of is left out."""
        found = sorted(((value, count) for value, count in pieces.items() if count), reverse=True)
        return cls(tuple(found), other)

    @property
    def amount(self) -> Decimal:
        """All of it."""
        return sum((value * count for value, count in self.pieces), self.other)

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it, amounts as texts; ``from_json()`` gives back an equal value."""
        return {
            "pieces": [[plain(value, places=2), count] for value, count in self.pieces],
            "other": plain(self.other, places=2),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> CountedCash:
        """What ``to_json()`` has written."""
        pieces = tuple((Decimal(value), int(count)) for value, count in stored["pieces"])
        return cls(pieces, Decimal(stored["other"]))


@dataclass(frozen=True, slots=True)
class Drawer:
    """What should be in the front desk's drawer in the evening.

    Cash tips are in it until somebody hands them out. The cash of outside tills lies in drawers of their own, unless
    the campground says that it is carried over (``external_counts``).
    """

    opening_float: Decimal
    cash: Decimal
    tips: Decimal
    external_cash: Decimal
    external_counts: bool

    @property
    def expected(self) -> Decimal:
        """What should be there; below zero if more went out than came in."""
        return self.opening_float + self.cash + self.tips + (self.external_cash if self.external_counts else ZERO)
