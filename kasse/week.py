"""The weekly close: a roll-up of seven daily ones. Nothing is stored, and nothing is closed by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from kasse.closing_models import DailyClose
from kasse.late import is_behind_us, outside_closes
from kasse.models import PaymentMethod
from kasse.money import ZERO
from kasse.net import RateTotal, by_rate
from kasse.totals import Counted, MixedCurrencies, gather
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class WeekDay:
    """A business day of the week. ``outside`` are its sales in no close: late ones, or those of an open day."""

    day: date
    close: DailyClose | None
    outside: Counted
    is_behind_us: bool

    @property
    def closed(self) -> Counted:
        """The sales and refunds that its close is made of."""
        totals = self.close.day_totals if self.close else None
        return totals.sales + totals.refunds if totals else Counted()


@dataclass(frozen=True, slots=True)
class Week:
    """Monday to Sunday. Sums by rate and method are those of the closes, rounded as they were."""

    days: tuple[WeekDay, ...]
    currency: str

    @property
    def closes(self) -> tuple[DailyClose, ...]:
        """Those of its days that are closed."""
        return tuple(each.close for each in self.days if each.close)

    @property
    def closed(self) -> Counted:
        """The sales and refunds of all its closes."""
        return _sum(each.closed for each in self.days)

    @property
    def late(self) -> Counted:
        """What came for days that are behind us."""
        return _sum(each.outside for each in self.days if each.is_behind_us)

    @property
    def open(self) -> Counted:
        """What is yet to be closed."""
        return _sum(each.outside for each in self.days if not each.is_behind_us)

    @property
    def by_rate(self) -> tuple[RateTotal, ...]:
        """The closes' revenue at each VAT rate: sums of days, each rounded once."""
        return by_rate(line for close in self.closes for line in close.net_lines)

    @property
    def by_method(self) -> dict[PaymentMethod, Counted]:
        """The closes' payments of each method."""
        paid = gather(each for close in self.closes for each in close.day_totals.by_method.items())
        return dict(sorted(paid.items()))

    @property
    def variance(self) -> Decimal:
        """What was counted more or less than expected, in all."""
        return sum((close.variance for close in self.closes), ZERO)


def week_of(tenant: Tenant, day: date) -> Week:
    """The week from Monday to Sunday that a business day lies in.

    Raises:
        MixedCurrencies: the campground has changed its currency within the week.
    """
    monday = day - timedelta(days=day.weekday())
    days = [monday + timedelta(days=number) for number in range(7)]
    closes = {close.business_date: close for close in DailyClose.objects.of(tenant).filter(business_date__in=days)}
    outside = outside_closes(tenant, days[0], days[-1])
    currencies = {close.currency for close in closes.values()} or {tenant.currency}
    if len(currencies) > 1:
        raise MixedCurrencies(", ".join(sorted(currencies)))
    behind = {each: each in closes or (each in outside and is_behind_us(tenant, each)) for each in days}
    return Week(
        days=tuple(WeekDay(each, closes.get(each), outside.get(each, Counted()), behind[each]) for each in days),
        currency=currencies.pop(),
    )


def _sum(parts: Iterable[Counted]) -> Counted:
    return sum(parts, Counted())
