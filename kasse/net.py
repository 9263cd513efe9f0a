"""Net and VAT out of what guests paid. Pure; amounts are ``Decimal`` with two places.

* VAT is taken out **once for each rate and day**: the day's gross at that rate, refunds included, times
  rate / (100 + rate), rounded half away from zero to the Rappen. Whoever multiplies the day's figure by hand gets
  what stands here.
* It is then spread over the lines of that rate by largest remainder: each part is less than a Rappen away from its
  own exact VAT, and the parts add up.
* A line whose rate nobody knows has no VAT taken out, and says so: ``vat_rate`` is None. Nothing is guessed.
* A voucher sold is money owed, not earned: no VAT, whatever rate the till wrote beside it, and no revenue.

Tips and cash rounding are on no line, and so outside of all this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from kasse.money import ZERO

if TYPE_CHECKING:
    from kasse.models import LineKind
    from kasse.totals import LineTotal

VOUCHER_SOLD = "VOUCHER_SALE"


@dataclass(frozen=True, slots=True)
class NetLine:
    """The lines of one VAT rate (percent, None for unknown), category and kind: ``gross`` = ``net`` + ``vat``."""

    vat_rate: Decimal | None
    category: str
    kind: LineKind
    gross: Decimal
    net: Decimal
    vat: Decimal

    @property
    def is_revenue(self) -> bool:
        """Whether it was earned: all but vouchers sold."""
        return self.kind != VOUCHER_SOLD


@dataclass(frozen=True, slots=True)
class RateTotal:
    """The revenue at one VAT rate (percent, None for unknown): ``gross`` = ``net`` + ``vat``."""

    vat_rate: Decimal | None
    gross: Decimal
    net: Decimal
    vat: Decimal


def net_of(lines: Iterable[LineTotal]) -> tuple[NetLine, ...]:
    """The lines with VAT taken out, in their order; the order makes no difference to the amounts.

    They have to be all lines of the day: two halves of it, rounded by themselves, may differ by a Rappen.
    """
    ordered = tuple(lines)
    shares: dict[int, Decimal] = {}
    for rate, places in _places_by_rate(ordered).items():
        shares.update(zip(places, _spread([ordered[place] for place in places], rate), strict=True))
    return tuple(_net_line(line, shares.get(place, ZERO)) for place, line in enumerate(ordered))


def by_rate(lines: Iterable[NetLine]) -> tuple[RateTotal, ...]:
    """The revenue of each rate, the lowest first, that of unknown rate last."""
    grouped: dict[Decimal | None, list[NetLine]] = defaultdict(list)
    for line in lines:
        if line.is_revenue:
            grouped[line.vat_rate].append(line)
    return tuple(
        RateTotal(
            vat_rate=rate,
            gross=sum((line.gross for line in grouped[rate]), ZERO),
            net=sum((line.net for line in grouped[rate]), ZERO),
            vat=sum((line.vat for line in grouped[rate]), ZERO),
        )
        for rate in sorted(grouped, key=lambda rate: (rate is None, rate or ZERO))
    )


def vat_within(gross: Decimal, rate: Decimal) -> Decimal:
    """The VAT that an amount of either sign holds at a rate in percent, rounded half away from zero to 0.01."""
    rappen = floor(abs(_exact_rappen(gross, rate)) + Fraction(1, 2))
    return _francs(-rappen if gross < 0 else rappen)


def _places_by_rate(lines: Sequence[LineTotal]) -> dict[Decimal, list[int]]:
    """Where the taxed lines of each rate stand."""
    places: dict[Decimal, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        if line.vat_rate is not None and line.kind != VOUCHER_SOLD:
            places[line.vat_rate].append(place)
    return places


def _spread(lines: Sequence[LineTotal], rate: Decimal) -> Iterator[Decimal]:
    """The VAT of the sum of lines, spread over them; of equal remainders the smallest line gets the Rappen first."""
    sign = _sign(lines)
    exact = [_exact_rappen(line.sold.amount, rate) * sign for line in lines]
    parts = [floor(each) for each in exact]
    missing = floor(sum(exact, Fraction(1, 2))) - sum(parts)
    turns = sorted(range(len(lines)), key=lambda place: (parts[place] - exact[place], exact[place], _key(lines[place])))
    for place in turns[:missing]:
        parts[place] += 1
    return (_francs(part * sign) for part in parts)


def _sign(lines: Sequence[LineTotal]) -> int:
    """-1 for the mirror image of a day, a day of refunds for one: it is turned round, spread, and turned back."""
    total = sum((line.sold.amount for line in lines), ZERO)
    forward = sorted((*_key(line), line.sold.amount) for line in lines)
    mirrored = sorted((*_key(line), -line.sold.amount) for line in lines)
    return 1 if (total, forward) >= (-total, mirrored) else -1


def _key(line: LineTotal) -> tuple[str, str]:
    return line.category, line.kind


def _exact_rappen(gross: Decimal, rate: Decimal) -> Fraction:
    return Fraction(gross) * 100 * Fraction(rate) / (100 + Fraction(rate))


def _francs(rappen: int) -> Decimal:
    return Decimal(rappen).scaleb(-2)


def _net_line(line: LineTotal, vat: Decimal) -> NetLine:
    gross = line.sold.amount
    return NetLine(line.vat_rate, line.category, line.kind, gross=gross, net=gross - vat, vat=vat)
