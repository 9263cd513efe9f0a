"""Making a vendor's sums meet: the ledger takes no sale whose lines are not its total. Pure.

Up to 5 Rappen are cash rounding. A larger difference is booked as a line of its own, so that the total stays what
was paid and nobody has to invent which article was wrong; the sale is marked for review.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from adapters.neutral import DISCOUNT, SALE, Line
from kasse.money import FIVE_RAPPEN, ZERO

DOES_NOT_RECONCILE = "does_not_reconcile"


def balanced(lines: Sequence[Line], *, total: Decimal) -> tuple[tuple[Line, ...], Decimal, tuple[str, ...]]:
    """The lines, the rounding, and what to review, so that lines + rounding = ``total``."""
    difference = total - sum((line.line_total for line in lines), ZERO)
    if abs(difference) <= FIVE_RAPPEN and lines:
        return tuple(lines), difference, ()
    if not difference:
        return tuple(lines), ZERO, ()
    return (*lines, _difference_line(difference)), ZERO, (DOES_NOT_RECONCILE,)


def _difference_line(difference: Decimal) -> Line:
    """A difference is no discount unless it takes money off; its VAT rate nobody knows."""
    kind = SALE if difference > 0 else DISCOUNT
    return Line.of_whole(difference, description="Difference between lines and payments", kind=kind)


def shares_by_rate(amount: Decimal, lines: Sequence[Line], *, unit: Decimal) -> list[tuple[Decimal | None, Decimal]]:
    """``amount`` spread over the VAT rates of lines by what each holds, to the last ``unit``; the unknown rate last."""
    totals: dict[Decimal | None, Decimal] = {}
    for line in lines:
        totals[line.vat_rate] = totals.get(line.vat_rate, ZERO) + line.line_total
    rates = sorted(totals, key=lambda each: (each is None, each or ZERO))
    shares = shares_of(int(amount / unit), [int(totals[each] / unit) for each in rates])
    return [(vat_rate, share * unit) for vat_rate, share in zip(rates, shares, strict=True)]


def shares_of(amount: int, weights: Sequence[int]) -> list[int]:
    """``amount`` in whole units, spread by weight with the largest remainder; equally where the weights add up to 0.

    A weight against the sum, such as a returned article among sold ones, takes no part.
    """
    sign = _sign(sum(weights))
    weights = [weight if weight * sign > 0 else 0 for weight in weights]
    whole = sum(weights)
    if not whole:
        weights, whole = [1] * len(weights), len(weights)
    exact = [amount * weight for weight in weights]
    shares = [each // whole for each in exact]
    left = amount - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda place: (-((exact[place] % whole) * _sign(whole)), place))
    for place in by_remainder[:left]:
        shares[place] += 1
    return shares


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
