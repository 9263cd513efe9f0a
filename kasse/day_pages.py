"""The page of day totals: a day, week, month, season or free range at one glance, and what it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from kasse.business_day import today_of
from kasse.charts import Chart, Column, stacked
from kasse.models import Source
from kasse.money import ZERO
from kasse.patience import TookTooLong, at_most
from kasse.period_totals import (
    PeriodTotals,
    Takings,
    change_of,
    period_totals,
    takings_by_hour,
    takings_until,
)
from kasse.periods import (
    A_DAY,
    MOST_DAYS,
    YEARS,
    Fault,
    Kind,
    NoPeriod,
    Period,
    Relation,
    Span,
    period_of,
    read_period,
    same_time,
)
from kasse.totals import MixedCurrencies
from tenants.models import Tenant
from tenants.pages import Here, staff_page
from tenants.swiss import day_text

MOST_COLUMNS_OF_A_DAY = 62
"""A longer period is drawn by weeks."""
DAYS_READ_QUICKLY, PATIENCE_SECONDS = 31, 10
MOST_SALES_BY_HOUR = 100_000
"""The hours of sales are in the ledger alone, not in closes: they are counted anew with each look."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Another span's takings, and the change from them; ``takings`` is None where there is nothing to compare with."""

    relation: Relation
    name: str
    span: Span
    url: str
    takings: Takings | None
    now: Decimal

    @property
    def change(self) -> Decimal | None:
        """In the currency."""
        return None if self.takings is None else self.now - self.takings.amount

    @property
    def percent(self) -> Decimal | None:
        """To one place."""
        return None if self.takings is None else change_of(self.now, self.takings.amount)


@require_safe
@staff_page
def day_totals_page(request: HttpRequest, here: Here) -> HttpResponse:
    """What a period came to."""
    at = timezone.now()
    today = today_of(here.tenant, at)
    try:
        period = read_period(request.GET.dict(), today=today)
    except NoPeriod as problem:
        chosen = {"kind": problem.kind, "tabs": _tabs(period_of(problem.kind, today), today), "asked": request.GET}
        context = {**chosen, "fault": fault_text(problem.fault), "most_days": MOST_DAYS}
        return render(request, "kasse/day_totals.html", context, status=400)
    context = _frame(period, today)
    try:
        with at_most(PATIENCE_SECONDS) if period.length > DAYS_READ_QUICKLY else nullcontext():
            context |= _figures(here.tenant, period, today=today, at=at)
    except MixedCurrencies as mixed:
        context["mixed"] = str(mixed)
    except TookTooLong:
        context["slow"] = True
    return render(request, "kasse/day_totals.html", context)


def url_of(period: Period) -> str:
    """The page of a period."""
    return f"{reverse('day-totals')}?{urlencode(period.parameters)}"


def name_of(period: Period) -> str:
    """A period as people call it."""
    first, last = day_text(period.first), day_text(period.last)
    match period.kind:
        case Kind.DAY:
            return f"{date_format(period.first, 'l')}, {first}"
        case Kind.WEEK:
            return _week_name(period.first, period.last)
        case Kind.MONTH:
            return date_format(period.first, "F Y")
        case Kind.SEASON:
            return _("Season %(year)s") % {"year": period.first.year}
        case Kind.RANGE:
            return f"{first}–{last}"


def fault_text(fault: Fault) -> str:
    """What is wrong with a period that was asked for, and what to do."""
    years = {"first": YEARS[0], "last": YEARS[-1]}
    texts = {
        Fault.NOT_A_DAY: _("This is no day between %(first)d and %(last)d. Choose one, 29.04.2026 for example.")
        % years,
        Fault.NOT_A_WEEK: _("This is no week between %(first)d and %(last)d. Write it like this: 2026-W18.") % years,
        Fault.NOT_A_MONTH: _("This is no month between %(first)d and %(last)d. Write it like this: 2026-04.") % years,
        Fault.NOT_A_SEASON: _("This is no year between %(first)d and %(last)d. Write it like this: 2026.") % years,
        Fault.HALF_A_RANGE: _("Choose both days, the first and the last."),
        Fault.ENDS_BEFORE_IT_BEGINS: _("The last day lies before the first. Exchange them."),
        Fault.TOO_LONG: _("At most %(days)d days at once. Choose a shorter period.") % {"days": MOST_DAYS},
        Fault.SEVERAL: _("Choose one period: a day, a week, a month, a season or a range."),
    }
    return texts[fault]


def _frame(period: Period, today: date) -> dict[str, Any]:
    """What the page shows of a period whatever was sold in it."""
    return {
        "kind": period.kind,
        "period": period,
        "name": name_of(period),
        "tabs": _tabs(period, today),
        "asked": period.parameters,
        "previous": url_of(period.before) if period.before.first.year in YEARS else None,
        "next": url_of(period.after) if period.after.first <= today else None,
        "now": url_of(period_of(period.kind, today)),
        "is_now": today in period,
        "is_to_come": period.first > today,
        "most_days": MOST_DAYS,
    }


def _tabs(period: Period, today: date) -> list[tuple[Kind, str, str]]:
    """The kinds of periods, each leading to the one round the day that is looked at: today's, if that is in it."""
    day = today if today in period else period.first
    names = {
        Kind.DAY: _("Day"),
        Kind.WEEK: _("Week"),
        Kind.MONTH: _("Month"),
        Kind.SEASON: _("Season"),
        Kind.RANGE: _("Range"),
    }
    return [
        (kind, name, url_of(Period(period.first, period.last, kind) if kind is Kind.RANGE else period_of(kind, day)))
        for kind, name in names.items()
    ]


def _figures(tenant: Tenant, period: Period, *, today: date, at: datetime) -> dict[str, Any]:
    """All that was sold, and what it is held against."""
    spans = period.compared_with(today)
    is_under_way = period.kind is Kind.DAY and period.first == today
    totals, others = period_totals(tenant, period, () if is_under_way else tuple(spans.values()))
    if is_under_way:
        others = _until_now(tenant, spans, at, today=today, currency=totals.currency)
    is_by_hour = totals.sales.count + totals.refunds.count <= MOST_SALES_BY_HOUR
    hours = takings_by_hour(tenant, period) if totals.tills and is_by_hour else {}
    return {
        "totals": totals,
        "sources": [(number, source, totals.by_source.get(source)) for number, source in enumerate(Source, start=1)],
        "compared": _compared(period, totals.takings, dict(zip(spans.items(), others, strict=True))),
        "at": at,
        "is_up_to_now": is_under_way,
        "is_cut": today in period and not is_under_way and period.last != today,
        "days_chart": _days_chart(totals, period, today) if period.kind is not Kind.DAY else None,
        "hours_chart": _hours_chart(hours, tenant.cutoff_hour) if hours else None,
        "is_by_week": period.length > MOST_COLUMNS_OF_A_DAY,
        "is_by_hour": is_by_hour,
        "most_sales_by_hour": MOST_SALES_BY_HOUR,
        "tills": [(till, (till.sales + till.refunds).amount) for till in totals.tills],
    }


def _compared(period: Period, now: Takings, others: Mapping[tuple[Relation, Span], Takings | None]) -> list[Compared]:
    return [
        Compared(relation, _relation(relation, period), span, _url_of_span(period.kind, span), takings, now.amount)
        for (relation, span), takings in others.items()
    ]


def _until_now(
    tenant: Tenant, spans: Mapping[Relation, Span], at: datetime, *, today: date, currency: str
) -> tuple[Takings | None, ...]:
    """Today is not over: it is held against the other days up to this time of theirs."""
    instants = {span.first: same_time(at, tenant.zone_info, span.first - today) for span in spans.values()}
    found = takings_until(tenant, instants, currency=currency)
    return tuple(found.get(span.first) for span in spans.values())


def _url_of_span(kind: Kind, span: Span) -> str:
    whole = period_of(kind, span.first)
    is_whole = (whole.first, whole.last) == (span.first, span.last)
    return url_of(whole if is_whole else Period(span.first, span.last, Kind.RANGE))


def _relation(relation: Relation, period: Period) -> str:
    """What a span is to the period, in words."""
    if relation is Relation.YEAR_BEFORE:
        return _("A year before")
    if relation is Relation.WEEK_BEFORE:
        return _("Same weekday, a week before")
    days = ngettext("The day before", "The %(days)d days before", period.length) % {"days": period.length}
    return {
        Kind.DAY: _("The day before"),
        Kind.WEEK: _("The week before"),
        Kind.MONTH: _("The month before"),
        Kind.SEASON: _("The season before"),
        Kind.RANGE: days,
    }[period.kind]


def _days_chart(totals: PeriodTotals, period: Period, today: date) -> Chart:
    """By days, or by weeks where there are too many; days to come are left out."""
    days = [day for day in period.days if day <= today] or [period.first]
    if period.length > MOST_COLUMNS_OF_A_DAY:
        return stacked([_column_of_week(totals, week) for week in _weeks(days)])
    shown = "j" if period.length <= 31 and period.first.month == period.last.month else "j.n."
    return stacked(
        [
            Column(date_format(day, shown), f"{date_format(day, 'D')} {day_text(day)}", _amounts(totals, [day]))
            for day in days
        ]
    )


def _weeks(days: list[date]) -> list[list[date]]:
    """The days of each week, as far as they are among these."""
    weeks: dict[date, list[date]] = {}
    for day in days:
        weeks.setdefault(day - A_DAY * day.weekday(), []).append(day)
    return list(weeks.values())


def _column_of_week(totals: PeriodTotals, days: list[date]) -> Column:
    number = _week_number(days[0])
    return Column(number, f"{number}, {days[0]:%d.%m.}–{days[-1]:%d.%m.}", _amounts(totals, days))


def _week_name(first: date, last: date) -> str:
    days = {"first": day_text(first), "last": day_text(last)}
    return _("Week %(week)s, %(first)s–%(last)s") % {"week": _week_number(first), **days}


def _week_number(day: date) -> str:
    return str(day.isocalendar().week)


def _amounts(totals: PeriodTotals, days: list[date]) -> tuple[Decimal, ...]:
    """One for each source, over some days."""
    found = [totals.by_day[day] for day in days if day in totals.by_day]
    return tuple(sum((by[source].amount for by in found if source in by), ZERO) for source in Source)


def _hours_chart(hours: Mapping[tuple[int, Source], Takings], cutoff_hour: int) -> Chart:
    """From the first hour with sales to the last; a day begins at its cut-off hour."""
    order = [(cutoff_hour + number) % 24 for number in range(24)]
    sold = [place for place, hour in enumerate(order) if any((hour, source) in hours for source in Source)]
    return stacked(
        [
            Column(str(hour), f"{hour:02}:00–{(hour + 1) % 24:02}:00", _amounts_at(hours, hour))
            for hour in order[sold[0] : sold[-1] + 1]
        ]
    )


def _amounts_at(hours: Mapping[tuple[int, Source], Takings], hour: int) -> tuple[Decimal, ...]:
    return tuple(hours.get((hour, source), Takings()).amount for source in Source)
