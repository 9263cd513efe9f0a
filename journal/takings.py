"""From the ledger's totals to what is posted; VAT of a supplement so that all journals of a date make up the day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from journal.postings import Revenue, Takings, Tender, summed
from kasse.models import LineKind
from kasse.money import ZERO
from kasse.net import NetLine, net_of, vat_within
from kasse.totals import DayTotals

GrossByRate = Mapping[Decimal, Decimal]


def takings_of(totals: DayTotals, *, earlier: GrossByRate) -> Takings:
    """What the sales of one journal came to.

    ``earlier`` is the gross at each VAT rate (percent) in former journals of the same date. VAT is rounded once for
    each rate and day: a supplement's is what it adds to the VAT of the day, up to a Rappen off its own.
    """
    lines = tuple(_completing_the_day(net_of(totals.lines), earlier))
    return Takings(
        revenue=tuple(_revenue(line) for line in lines if line.is_revenue),
        tenders=tuple(Tender(each.source, each.method, each.paid.amount, each.tip_amount) for each in totals.payments),
        vouchers_sold=sum((line.gross for line in lines if not line.is_revenue), ZERO),
        rounding=totals.rounding_amount,
    )


def gross_by_rate(totals: DayTotals) -> dict[Decimal, Decimal]:
    """The gross of revenue at each known rate."""
    revenue = (line for line in net_of(totals.lines) if line.is_revenue)
    return summed((line.vat_rate, line.gross) for line in revenue if line.vat_rate is not None)


def _completing_the_day(lines: tuple[NetLine, ...], earlier: GrossByRate) -> Iterator[NetLine]:
    """The lines, the largest of a rate carrying the Rappen by which the day's VAT is not the sum of its parts'."""
    missing = dict(_missing_vat(lines, earlier))
    bearers = {rate: max(_of_rate(lines, rate), key=lambda line: abs(line.gross)) for rate in missing}
    for line in lines:
        rate = line.vat_rate
        if rate is not None and bearers.get(rate) is line:
            yield replace(line, net=line.net - missing[rate], vat=line.vat + missing[rate])
        else:
            yield line


def _missing_vat(lines: tuple[NetLine, ...], earlier: GrossByRate) -> Iterator[tuple[Decimal, Decimal]]:
    for rate in {line.vat_rate for line in lines if line.is_revenue and line.vat_rate is not None}:
        before = earlier.get(rate, ZERO)
        own = list(_of_rate(lines, rate))
        added = vat_within(before + sum((line.gross for line in own), ZERO), rate) - vat_within(before, rate)
        if missing := added - sum((line.vat for line in own), ZERO):
            yield rate, missing


def _of_rate(lines: Iterable[NetLine], rate: Decimal) -> Iterator[NetLine]:
    return (line for line in lines if line.vat_rate == rate and line.is_revenue)


def _revenue(line: NetLine) -> Revenue:
    category = line.category
    if not category and line.kind in {LineKind.SERVICE_CHARGE, LineKind.DISCOUNT}:
        category = line.kind
    return Revenue(category, line.vat_rate, line.net, line.vat)
