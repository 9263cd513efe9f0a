"""What a period came to: the sum of its business days, late sales included and shown apart.

Words, as pages say them:

* *takings* are what was to pay, sales less refunds: revenue, vouchers sold and cash rounding together
* *revenue* is what was earned: the lines without vouchers sold, VAT included
* tips are in neither

VAT is rounded once for each rate and day, so a period's VAT is the sum of its days'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any, TypeVar

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour

from kasse.models import LineKind, PaymentMethod, Source, Status, Transaction
from kasse.money import ZERO
from kasse.net import RateTotal
from kasse.period_rows import Part, parts_of
from kasse.periods import Span
from kasse.totals import Counted, MixedCurrencies, PaymentTotal, TillTotal, gather
from tenants.models import Tenant

NOTHING = Counted()
IS_SALE = Q(total_amount__gte=0)
TENTH = Decimal("0.1")
T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Takings:
    """What was to pay, and the number of sales it comes from; refunds lessen the amount, not the number."""

    sales: int = 0
    amount: Decimal = ZERO

    def __add__(self, other: Takings) -> Takings:
        return Takings(self.sales + other.sales, self.amount + other.amount)


@dataclass(frozen=True)
class PeriodTotals:
    """The days of a span. Amounts are in ``currency``, exact, two places; refunds are negative."""

    span: Span
    currency: str
    parts: tuple[Part, ...] = ()

    @cached_property
    def tills(self) -> tuple[TillTotal, ...]:
        """By source and key, named as on the last day."""
        tills = (till for part in self.parts for till in part.totals.tills)
        found = _put_together(tills, lambda till: (till.source, till.api_key or 0), _both_tills)
        return tuple(found[key] for key in sorted(found))

    @property
    def sales(self) -> Counted:
        """What is no refund; a free coffee is a sale."""
        return sum((till.sales for till in self.tills), NOTHING)

    @property
    def refunds(self) -> Counted:
        return sum((till.refunds for till in self.tills), NOTHING)

    @property
    def takings(self) -> Takings:
        """Sales less refunds: vouchers sold and rounding included, tips outside."""
        return Takings(self.sales.count, (self.sales + self.refunds).amount)

    @property
    def rounding_amount(self) -> Decimal:
        return sum((till.rounding_amount for till in self.tills), ZERO)

    @property
    def tip_amount(self) -> Decimal:
        return sum((till.tip_amount for till in self.tills), ZERO)

    @cached_property
    def payments(self) -> tuple[PaymentTotal, ...]:
        """By method, in the order of ``PaymentMethod``; the source is that of the first."""
        payments = (each for part in self.parts for each in part.totals.payments)
        found = _put_together(payments, lambda each: each.method, _both_payments)
        return tuple(found[method] for method in PaymentMethod if method in found)

    @cached_property
    def by_source(self) -> dict[Source, Takings]:
        return _takings_by_source(self.tills)

    @cached_property
    def rates(self) -> tuple[RateTotal, ...]:
        """The revenue of each VAT rate, the lowest first, that of unknown rate last: the sum of the days' rates."""
        rates = (rate for part in self.parts for rate in part.rates)
        found = _put_together(rates, lambda rate: rate.vat_rate, _both_rates)
        return tuple(found[key] for key in sorted(found, key=lambda key: (key is None, key or ZERO)))

    @property
    def revenue(self) -> RateTotal:
        """All rates together; ``vat_rate`` says nothing here."""
        return sum_of_rates(self.rates)

    @cached_property
    def categories(self) -> dict[str, Counted]:
        """The revenue of each category, the largest first."""
        lines = (line for part in self.parts for line in part.totals.lines)
        found = gather((line.category, line.sold) for line in lines if line.kind != LineKind.VOUCHER_SALE)
        return dict(sorted(found.items(), key=lambda each: (-each[1].amount, each[0])))

    @property
    def vouchers(self) -> Counted:
        """Vouchers sold: owed to guests, and no revenue."""
        lines = (line for part in self.parts for line in part.totals.lines)
        return sum((line.sold for line in lines if line.kind == LineKind.VOUCHER_SALE), NOTHING)

    @property
    def late(self) -> Takings:
        """The part that came after its day was closed."""
        return sum_of_takings(_takings(part.totals.tills) for part in self.parts if part.is_late)

    @cached_property
    def by_day(self) -> dict[date, dict[Source, Takings]]:
        """Each day that has sales, by source, late ones included."""
        tills: dict[date, list[TillTotal]] = defaultdict(list)
        for part in self.parts:
            tills[part.totals.business_date] += part.totals.tills
        return {day: _takings_by_source(each) for day, each in tills.items() if each}


def period_totals(
    tenant: Tenant, span: Span, beside: Sequence[Span] = ()
) -> tuple[PeriodTotals, tuple[Takings | None, ...]]:
    """What a span came to, and the takings of others; None where nothing was sold, or not in this currency.

    Raises:
        MixedCurrencies: the campground has changed its currency within the span.
    """
    parts, others = parts_of(tenant, span, beside)
    currencies = _currencies(parts)
    if len(currencies) > 1:
        raise MixedCurrencies(", ".join(sorted(currencies)))
    currency = currencies.pop() if currencies else tenant.currency
    return PeriodTotals(span, currency, tuple(parts)), tuple(_comparable(each, currency) for each in others)


def takings_by_hour(tenant: Tenant, span: Span) -> dict[tuple[int, Source], Takings]:
    """By the hour of the day (0 to 23) at which the till sold, on the campground's clock, and by source."""
    rows = (
        _complete(tenant)
        .filter(business_date__range=(span.first, span.last))
        .annotate(hour=ExtractHour("occurred_at", tzinfo=tenant.zone_info))
        .values("hour", "source")
        .annotate(sales=Count("pk", filter=IS_SALE), amount=Sum("total_amount"))
    )
    return {(row["hour"], Source(row["source"])): Takings(row["sales"], row["amount"]) for row in rows}


@dataclass(frozen=True, slots=True)
class DayTakings:
    """What a source took on a day, and how much of it by some instant."""

    whole: Takings
    by_then: Takings


def takings_by_day(tenant: Tenant, span: Span, *, then: datetime) -> dict[date, dict[Source, DayTakings]]:
    """Each day of a span that has sales, by source, late ones included; ``then`` is on the tills' clocks.

    Sales in another currency than the campground has now are left out: no sum of both would mean anything.
    For a few days: those of longer periods are read from their closes.
    """
    found: dict[date, dict[Source, DayTakings]] = defaultdict(dict)
    by_then = Q(occurred_at__lte=then)
    sums = {"then_sales": Count("pk", filter=by_then & IS_SALE), "then_amount": Sum("total_amount", filter=by_then)}
    within = Q(business_date__range=(span.first, span.last), currency=tenant.currency)
    for row in _by_day_and_source(tenant, within).annotate(**sums):
        found[row["business_date"]][Source(row["source"])] = DayTakings(
            Takings(row["sales"], row["amount"]), Takings(row["then_sales"], row["then_amount"] or ZERO)
        )
    return dict(found)


def takings_until(tenant: Tenant, instants: Mapping[date, datetime], *, currency: str) -> dict[date, Takings]:
    """What each business day had come to by an instant of it, on the tills' clocks; empty ones left out."""
    days = Q(pk__in=())
    for day, instant in instants.items():
        days |= Q(business_date=day, occurred_at__lte=instant)
    found: dict[date, Takings] = defaultdict(Takings)
    for row in _by_day_and_source(tenant, days & Q(currency=currency)):
        found[row["business_date"]] += Takings(row["sales"], row["amount"])
    return dict(found)


def change_of(now: Decimal, before: Decimal) -> Decimal | None:
    """By how many percent an amount has changed, to one place; None where the one before was not above zero."""
    return None if before <= 0 else ((now - before) * 100 / before).quantize(TENTH, ROUND_HALF_UP)


def sum_of_takings(takings: Iterable[Takings]) -> Takings:
    """All together."""
    return sum(takings, Takings())


def sum_of_rates(rates: Iterable[RateTotal]) -> RateTotal:
    """All together, whatever their rate."""
    total = RateTotal(None, ZERO, ZERO, ZERO)
    for rate in rates:
        total = _both_rates(total, rate)
    return total


def _complete(tenant: Tenant) -> QuerySet[Transaction]:
    return Transaction.objects.of(tenant).filter(status=Status.COMPLETED)


def _by_day_and_source(tenant: Tenant, days: Q) -> QuerySet[Transaction, dict[str, Any]]:
    return (
        _complete(tenant)
        .filter(days)
        .values("business_date", "source")
        .annotate(sales=Count("pk", filter=IS_SALE), amount=Sum("total_amount"))
        .order_by("business_date", "source")
    )


def _takings_by_source(tills: Iterable[TillTotal]) -> dict[Source, Takings]:
    found: dict[Source, list[TillTotal]] = defaultdict(list)
    for till in tills:
        found[till.source].append(till)
    return {source: _takings(found[source]) for source in Source if source in found}


def _takings(tills: Iterable[TillTotal]) -> Takings:
    return sum_of_takings(Takings(till.sales.count, (till.sales + till.refunds).amount) for till in tills)


def _currencies(parts: Iterable[Part]) -> set[str]:
    """Those that something was sold in; a day without sales has the campground's, which says nothing."""
    return {part.totals.currency for part in parts if part.totals.tills}


def _comparable(parts: Sequence[Part], currency: str) -> Takings | None:
    if _currencies(parts) != {currency}:
        return None
    return sum_of_takings(_takings(part.totals.tills) for part in parts)


def _put_together(each: Iterable[T], key: Callable[[T], K], both: Callable[[T, T], T]) -> dict[K, T]:
    """One for each key, made of all that have it."""
    found: dict[K, T] = {}
    for one in each:
        name = key(one)
        found[name] = both(found[name], one) if name in found else one
    return found


def _both_tills(first: TillTotal, second: TillTotal) -> TillTotal:
    return replace(
        second,
        sales=first.sales + second.sales,
        refunds=first.refunds + second.refunds,
        rounding_amount=first.rounding_amount + second.rounding_amount,
        tip_amount=first.tip_amount + second.tip_amount,
    )


def _both_payments(first: PaymentTotal, second: PaymentTotal) -> PaymentTotal:
    return replace(first, paid=first.paid + second.paid, tip_amount=first.tip_amount + second.tip_amount)


def _both_rates(first: RateTotal, second: RateTotal) -> RateTotal:
    return replace(first, gross=first.gross + second.gross, net=first.net + second.net, vat=first.vat + second.vat)
