"""From what was taken on a day to debit and credit. Pure: no database, no clock, no SAP.

What the guests paid stands in debit, by tender and with its tips. In credit stand revenue net of VAT, the VAT, vouchers
sold (owed to whoever holds them), tips (owed to the staff) and cash rounding. Where more was given back than taken,
an amount changes its side. Every posting is at least one Rappen; a day of nothing gives none.

Errors::

    Unbalanced      debit is not credit: the ledger's own parts do not add up, so nothing may be sent
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from journal.accounts import UNMAPPED, Account, Chart, revenue_key, tender_key, vat_key
from kasse.money import ZERO

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Revenue:
    """What was earned with one category at one VAT rate (percent, None for unknown)."""

    category: str
    vat_rate: Decimal | None
    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class Tender:
    """What was paid at one source in one way; the tip lies outside the amount."""

    source: str
    method: str
    amount: Decimal
    tip: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Takings:
    """What a day, or a part of it, came to. Refunds are negative."""

    revenue: tuple[Revenue, ...] = ()
    tenders: tuple[Tender, ...] = ()
    vouchers_sold: Decimal = ZERO
    rounding: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Posting:
    """One line: debit or credit of an account, the other one 0.00.

    ``unmapped`` says that nobody has named an account for the key. ``tax_base`` is the net amount, signed like
    ``credit``, on which a line of VAT was computed.
    """

    account: str
    debit: Decimal
    credit: Decimal
    text: str
    key: str
    tax_code: str = ""
    tax_base: Decimal | None = None
    unmapped: bool = False

    @property
    def amount(self) -> Decimal:
        """Debit positive, credit negative."""
        return self.debit - self.credit


class Unbalanced(Exception):
    """Debit is not credit; the sums of both, and by how much they differ."""

    def __init__(self, debit: Decimal, credit: Decimal) -> None:
        super().__init__(f"Debit {debit}, credit {credit}, difference {debit - credit}.")
        self.debit = debit
        self.credit = credit


def post_takings(
    takings: Takings, chart: Chart, *, text_of: Callable[[str], str] = lambda key: key
) -> tuple[Posting, ...]:
    """The postings of what was taken, debit first; ``text_of`` names a key for whoever reads the books.

    Raises:
        Unbalanced: the parts do not add up.
    """
    bases = summed((vat_key(each.vat_rate), each.net) for each in takings.revenue if each.vat_rate is not None)
    sums = summed(_amounts(takings))
    lines = [
        _posting(key, amount, chart, text=text_of(key), tax_base=bases.get(key))
        for key, amount in sums.items()
        if amount
    ]
    prove(lines)
    return tuple(sorted(lines, key=lambda line: (not line.debit, line.account, line.key)))


def prove(lines: Iterable[Posting]) -> None:
    """See that debit is credit, to the Rappen.

    Raises:
        Unbalanced: it is not.
    """
    debit, credit = sums_of(lines)
    if debit != credit:
        raise Unbalanced(debit, credit)


def sums_of(lines: Iterable[Posting]) -> tuple[Decimal, Decimal]:
    """Debit and credit."""
    lines = tuple(lines)
    return sum((line.debit for line in lines), ZERO), sum((line.credit for line in lines), ZERO)


def summed(pairs: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    """The amounts of each key, together."""
    sums: dict[K, Decimal] = {}
    for key, amount in pairs:
        sums[key] = sums.get(key, ZERO) + amount
    return sums


def _amounts(takings: Takings) -> Iterable[tuple[str, Decimal]]:
    """Every amount under its key: debit positive, credit negative."""
    for tender in takings.tenders:
        yield tender_key(tender.source, tender.method), tender.amount + tender.tip
        yield "tips", -tender.tip
    for revenue in takings.revenue:
        yield revenue_key(revenue.category, revenue.vat_rate), -revenue.net
        if revenue.vat_rate is not None:
            yield vat_key(revenue.vat_rate), -revenue.vat
    yield "vouchers", -takings.vouchers_sold
    yield "rounding", -takings.rounding


def _posting(key: str, amount: Decimal, chart: Chart, *, text: str, tax_base: Decimal | None) -> Posting:
    found = chart.account_of(key)
    account = found or chart.account_of(UNMAPPED) or Account("")
    return Posting(
        account=account.number,
        debit=max(amount, ZERO),
        credit=max(-amount, ZERO),
        text=text,
        key=key,
        tax_code=account.tax_code if found else "",
        tax_base=tax_base if key.startswith("vat.") else None,
        unmapped=found is None,
    )
