"""A day, week, month, season or free range of business days; the ones beside it, and what it is compared with. Pure.

A week is ISO 8601's, Monday to Sunday; a season is a calendar year, since a campground may be open in winter. A year
before a week is the week of the same number, so that Saturdays meet Saturdays; a year before anything else has the same
dates. A period that is under way is compared with as many days of another one.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from re import Pattern
from re import compile as pattern
from zoneinfo import ZoneInfo

A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)
YEARS = range(2000, 2100)
"""A till's sales begin in 2000; the end keeps mistyped years out."""
MOST_DAYS = 400
PARAMETERS = ("day", "week", "month", "season", "from", "to")
"""What an address may say of a period; any of them empty is as if it were not there."""


class Kind(StrEnum):
    """How long, and where it begins; also its name in an address."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    SEASON = "season"
    RANGE = "range"


class Relation(StrEnum):
    """What a period is compared with."""

    BEFORE = "before"
    WEEK_BEFORE = "week_before"
    YEAR_BEFORE = "year_before"


class Fault(StrEnum):
    """What is wrong with a period that somebody asked for."""

    NOT_A_DAY = "not_a_day"
    NOT_A_WEEK = "not_a_week"
    NOT_A_MONTH = "not_a_month"
    NOT_A_SEASON = "not_a_season"
    HALF_A_RANGE = "half_a_range"
    ENDS_BEFORE_IT_BEGINS = "ends_before_it_begins"
    TOO_LONG = "too_long"
    SEVERAL = "several"


class NoPeriod(Exception):
    """What was asked for is no period; ``kind`` is what it was meant to be."""

    def __init__(self, kind: Kind, fault: Fault) -> None:
        super().__init__(fault)
        self.kind = kind
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Span:
    """Business days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def length(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def days(self) -> tuple[date, ...]:
        """Each of them."""
        return tuple(self.first + A_DAY * number for number in range(self.length))

    def cut(self, length: int) -> Span:
        """Its first so many days; all, if there are fewer."""
        return Span(self.first, min(self.last, self.first + A_DAY * (length - 1)))


@dataclass(frozen=True, slots=True)
class Period(Span):
    """A span with a name of its own."""

    kind: Kind

    @property
    def parameters(self) -> dict[str, str]:
        """What names it in an address; ``read_period()`` gives back an equal one."""
        match self.kind:
            case Kind.DAY:
                return {"day": self.first.isoformat()}
            case Kind.WEEK:
                return {"week": f"{self.first:%G-W%V}"}
            case Kind.MONTH:
                return {"month": f"{self.first:%Y-%m}"}
            case Kind.SEASON:
                return {"season": f"{self.first:%Y}"}
            case Kind.RANGE:
                return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def before(self) -> Period:
        """The one that ends where this one begins; of a free range, one of the same length."""
        end = self.first - A_DAY
        if self.kind is Kind.RANGE:
            return Period(end - A_DAY * (self.length - 1), end, Kind.RANGE)
        return period_of(self.kind, end)

    @property
    def after(self) -> Period:
        """The one that begins where this one ends."""
        begin = self.last + A_DAY
        if self.kind is Kind.RANGE:
            return Period(begin, begin + A_DAY * (self.length - 1), Kind.RANGE)
        return period_of(self.kind, begin)

    @property
    def year_before(self) -> Period:
        """The same one of the year before."""
        if self.kind is Kind.WEEK:
            year, week, _ = self.first.isocalendar()
            last_week = date(year - 1, 12, 28).isocalendar().week
            return period_of(Kind.WEEK, date.fromisocalendar(year - 1, min(week, last_week), 1))
        first, last = a_year_before(self.first), a_year_before(self.last)
        if self.kind is Kind.MONTH:
            return period_of(Kind.MONTH, first)
        return Period(first, last, self.kind)

    def compared_with(self, today: date) -> dict[Relation, Span]:
        """What it is held against, each only once; under way, as many days as have begun."""
        begun = (today - self.first).days + 1 if today in self else self.length
        others: dict[Relation, Period] = {Relation.BEFORE: self.before}
        if self.kind is Kind.DAY:
            others[Relation.WEEK_BEFORE] = period_of(Kind.DAY, self.first - A_WEEK)
        if self.kind is not Kind.SEASON:
            others[Relation.YEAR_BEFORE] = self.year_before
        if begun == self.length:
            return {relation: Span(each.first, each.last) for relation, each in others.items()}
        return {relation: each.cut(begun) for relation, each in others.items()}


def period_of(kind: Kind, day: date) -> Period:
    """The period of that kind in which a day lies; a free range is the day alone."""
    match kind:
        case Kind.DAY | Kind.RANGE:
            return Period(day, day, kind)
        case Kind.WEEK:
            monday = day - A_DAY * day.weekday()
            return Period(monday, monday + A_DAY * 6, kind)
        case Kind.MONTH:
            return Period(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]), kind)
        case Kind.SEASON:
            return Period(date(day.year, 1, 1), date(day.year, 12, 31), kind)


def a_year_before(day: date) -> date:
    """The same date, or 28 February for a leap day."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def same_time(instant: datetime, zone: ZoneInfo, away: timedelta) -> datetime:
    """The instant so many whole days away at which a clock on the wall shows the same."""
    return (instant.astimezone(zone).replace(tzinfo=None) + away).replace(tzinfo=zone)


def read_period(parameters: Mapping[str, str], *, today: date) -> Period:
    """The period that an address names; without any, today.

    Raises:
        NoPeriod: it names several, or one that does not exist, or one of more than ``MOST_DAYS``.
    """
    given = {name: value for name in PARAMETERS if (value := parameters.get(name))}
    kinds = list(dict.fromkeys(Kind.RANGE if name in {"from", "to"} else Kind(name) for name in given))
    if not kinds:
        return period_of(Kind.DAY, today)
    if len(kinds) > 1:
        raise NoPeriod(kinds[0], Fault.SEVERAL)
    if kinds == [Kind.RANGE]:
        return _range(given)
    kind = kinds[0]
    return period_of(kind, _beginning(given[kind], kind))


def _range(given: Mapping[str, str]) -> Period:
    if len(given) < 2:
        raise NoPeriod(Kind.RANGE, Fault.HALF_A_RANGE)
    first, last = (_beginning(given[name], Kind.RANGE) for name in ("from", "to"))
    if last < first:
        raise NoPeriod(Kind.RANGE, Fault.ENDS_BEFORE_IT_BEGINS)
    period = Period(first, last, Kind.RANGE)
    if period.length > MOST_DAYS:
        raise NoPeriod(Kind.RANGE, Fault.TOO_LONG)
    return period


_DAY = (pattern(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"), date, Fault.NOT_A_DAY)
_FORMS: dict[Kind, tuple[Pattern[str], Callable[..., date], Fault]] = {
    Kind.DAY: _DAY,
    Kind.RANGE: _DAY,
    Kind.WEEK: (
        pattern(r"([0-9]{4})-W([0-9]{2})"),
        lambda year, week: date.fromisocalendar(year, week, 1),
        Fault.NOT_A_WEEK,
    ),
    Kind.MONTH: (pattern(r"([0-9]{4})-([0-9]{2})"), lambda year, month: date(year, month, 1), Fault.NOT_A_MONTH),
    Kind.SEASON: (pattern(r"([0-9]{4})"), lambda year: date(year, 1, 1), Fault.NOT_A_SEASON),
}


def _beginning(text: str, kind: Kind) -> date:
    form, make, fault = _FORMS[kind]
    found = form.fullmatch(text)
    if not found or int(found[1]) not in YEARS:
        raise NoPeriod(kind, fault)
    try:
        return make(*map(int, found.groups()))
    except ValueError:
        raise NoPeriod(kind, fault) from None
