"""The whole campground at one glance: today's takings, the bridge, what waits for somebody, the last fortnight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Subquery
from django.utils.formats import date_format
from django.utils.translation import pgettext

from journal.overview import Standing, standing_columns
from kasse.business_day import today_of
from kasse.charts import Chart, Column, stacked
from kasse.closing_models import DailyClose
from kasse.models import Source, Status, Transaction
from kasse.period_totals import DayTakings, Takings, change_of, sum_of_takings, takings_by_day
from kasse.periods import A_DAY, A_WEEK, Span, same_time
from pos_bridge.health import bridge_now
from pos_bridge.pill import Pill, Reason, pill_of
from tenants.models import Tenant
from tenants.swiss import day_text

FORTNIGHT = 14
CHART_HEIGHT = 200
NOTHING = DayTakings(Takings(), Takings())


@dataclass(frozen=True, slots=True)
class LastSale:
    """The sale that happened last, by its till's clock."""

    id: UUID
    occurred_at: datetime
    total_amount: Decimal


@dataclass(frozen=True, slots=True)
class LastClose:
    """The close with the highest number."""

    business_date: date
    z_number: int


@dataclass(frozen=True, slots=True)
class Glance:
    """A campground at a moment; amounts are takings in its currency.

    ``week_ago`` is what the same weekday of the week before had come to by this time of the day, None if nothing.
    """

    at: datetime
    today: date
    by_source: Mapping[Source, Takings]
    week_ago: Takings | None
    last_sale: LastSale | None
    last_close: LastClose | None
    pill: Pill
    parked: int
    chart: Chart
    books: Standing

    @property
    def takings(self) -> Takings:
        """Today's, of all sources."""
        return sum_of_takings(self.by_source.values())

    @property
    def change(self) -> Decimal | None:
        """From the same weekday of the week before, up to this time of the day."""
        return None if self.week_ago is None else self.takings.amount - self.week_ago.amount

    @property
    def percent(self) -> Decimal | None:
        """The same in percent."""
        return None if self.week_ago is None else change_of(self.takings.amount, self.week_ago.amount)

    @property
    def silent_tills(self) -> list[Reason]:
        """The tills that usually sell by now and have not, as the pill says it."""
        return [reason for reason in self.pill.reasons if reason.code == "silent_till"]


def glance_at(tenant: Tenant, *, at: datetime) -> Glance:
    """Look at a campground, in the language that is active."""
    today = today_of(tenant, at)
    days = Span(today - A_DAY * (FORTNIGHT - 1), today)
    a_week_ago = same_time(at, tenant.zone_info, -A_WEEK)
    takings = takings_by_day(tenant, days, then=a_week_ago)
    then = takings.get(today - A_WEEK, {}).values()
    bridge = bridge_now(tenant, at=at)
    last_sale, last_close, books = _lately(tenant, since=days.first)
    return Glance(
        at=at,
        today=today,
        by_source={source: takings.get(today, {}).get(source, NOTHING).whole for source in Source},
        week_ago=sum_of_takings(each.by_then for each in then) if then else None,
        last_sale=last_sale,
        last_close=last_close,
        pill=pill_of(tenant, at=at, bridge=bridge),
        parked=bridge.lately.parked,
        chart=_chart(days, takings),
        books=books,
    )


def _chart(days: Span, takings: Mapping[date, Mapping[Source, DayTakings]]) -> Chart:
    return stacked(
        [
            Column(
                date_format(day, pgettext("how a day is written under a chart", "D j.")),
                f"{date_format(day, 'D')} {day_text(day)}",
                tuple(takings.get(day, {}).get(source, NOTHING).whole.amount for source in Source),
            )
            for day in days.days
        ],
        height=CHART_HEIGHT,
    )


def _lately(tenant: Tenant, *, since: date) -> tuple[LastSale | None, LastClose | None, Standing]:
    """The last sale, the last close, and how the books stand, in one statement."""
    sale = Transaction.objects.of(tenant).filter(status=Status.COMPLETED).order_by("-occurred_at", "-id")
    close = DailyClose.objects.of(tenant).order_by("-z_number")
    columns = {
        **_first("sale", sale, ("id", "occurred_at", "total_amount")),
        **_first("close", close, ("business_date", "z_number")),
        **{f"books_{name}": column for name, column in standing_columns(tenant, since=since).items()},
    }
    found: Any = Tenant.objects.filter(pk=tenant.pk).values(**columns).get()
    return (
        LastSale(found["sale_id"], found["sale_occurred_at"], found["sale_total_amount"]) if found["sale_id"] else None,
        LastClose(found["close_business_date"], found["close_z_number"]) if found["close_z_number"] else None,
        Standing(found["books_red"] or 0, found["books_yellow"] or 0, found["books_last_posted"]),
    )


def _first(prefix: str, rows: QuerySet[Any, Any], names: tuple[str, ...]) -> dict[str, Subquery]:
    """Columns of the first of some rows, each named after its prefix."""
    return {f"{prefix}_{name}": Subquery(rows.values(name)[:1]) for name in names}
