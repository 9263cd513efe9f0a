"""A till that is silent though it usually sells by now.

Nobody sets anything: each till is held against its own last four weeks, by our clock and on the campground's wall. From
them is learnt

* its **selling hours**: hours of the week, such as Friday 16 to 17, in which it has sold in at least two of the weeks;
* its **longest usual quiet**: how many selling hours in a row have gone by without a sale, leaving out the longest such
  run, so that one day without power does not make us deaf for a month.

A till is silent once clearly more selling hours than that have gone by since its last sale: half as many again, and
two at least. It is said only in a selling hour, so not at night nor on days on which it never sells; not of a till with
less than a week behind it, which has no selling hours yet; and not once eight days have passed, for then the shop is
closed for the season (and a till that sells on one day of the week has had its day).

Pure but for ``rhythms_of()``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import cast
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import Max
from django.db.models.functions import TruncHour

from pos_bridge.arrivals import TILL, arrivals
from tenants.models import Tenant

LEARNT_FROM = timedelta(days=28)
CLOSED_AFTER = timedelta(days=8)
WEEKS = 2
LEAST_MARGIN = 2
HOUR = timedelta(hours=1)
KEPT_SECONDS = 26 * 3600


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a till usually sells: ``hours`` are (weekday, hour), Monday 0; ``longest_quiet`` counts such hours."""

    hours: frozenset[tuple[int, int]] = frozenset()
    longest_quiet: int = 0

    @property
    def patience(self) -> int:
        """After how many selling hours without a sale the till is silent."""
        return self.longest_quiet + max(LEAST_MARGIN, (self.longest_quiet + 1) // 2)

    @property
    def hours_of_day(self) -> frozenset[int]:
        """On whatever weekday."""
        return frozenset(hour for _weekday, hour in self.hours)

    def sells_at(self, instant: datetime, zone: ZoneInfo) -> bool:
        """Whether the instant lies in a selling hour."""
        local = instant.astimezone(zone)
        return (local.weekday(), local.hour) in self.hours


NO_RHYTHM = Rhythm()


@dataclass(frozen=True, slots=True)
class Past:
    """A till until last midnight: its rhythm, and its last sale."""

    rhythm: Rhythm
    last_sale: datetime


def learn(sold: Iterable[datetime], zone: ZoneInfo) -> Rhythm:
    """The rhythm in the hours in which a till has sold; each is given once, by its beginning."""
    hours = sorted(sold)
    days: dict[tuple[int, int], set[date]] = defaultdict(set)
    for hour in hours:
        local = hour.astimezone(zone)
        days[local.weekday(), local.hour].add(local.date())
    selling = Rhythm(frozenset(hour for hour, on in days.items() if len(on) >= WEEKS))
    quiets = sorted(_quiets(hours, selling, zone), reverse=True)
    return Rhythm(selling.hours, longest_quiet=quiets[1] if len(quiets) > 1 else 0)


def is_silent(rhythm: Rhythm, *, last_sale: datetime, at: datetime, zone: ZoneInfo) -> bool:
    """Whether a till that has last sold at ``last_sale`` ought to have sold again by ``at``."""
    if at - last_sale > CLOSED_AFTER or not rhythm.sells_at(at, zone):
        return False
    return selling_hours_between(rhythm, last_sale, at, zone) >= rhythm.patience


def selling_hours_between(rhythm: Rhythm, last_sale: datetime, at: datetime, zone: ZoneInfo) -> int:
    """How many whole selling hours lie between the hour of the last sale and the hour of ``at``."""
    return sum(rhythm.sells_at(hour, zone) for hour in _hours_between(_hour_of(last_sale), _hour_of(at)))


def rhythms_of(tenant: Tenant, *, at: datetime) -> dict[int, Past]:
    """The past of each till of a campground that has sold in the four weeks before today, by ``ApiKey.till_key_id``.

    What has arrived before midnight changes no more, so it is read and learnt once a day in a process: four weeks of
    sales, along ``transaction_by_arrival``.
    """
    midnight = midnight_before(at, tenant.zone_info)
    name = f"rhythms-{tenant.pk}-{tenant.zone}-{midnight:%Y-%m-%d}"
    found = cache.get_or_set(name, lambda: _learn_all(tenant, midnight), KEPT_SECONDS)
    return cast(dict[int, Past], found)


def _learn_all(tenant: Tenant, midnight: datetime) -> dict[int, Past]:
    rows = (
        arrivals(tenant, since=midnight - LEARNT_FROM, until=midnight)
        .order_by()
        .annotate(till=TILL, hour=TruncHour("received_at", tzinfo=timezone.utc))
        .values_list("till", "hour")
        .annotate(last=Max("received_at"))
    )
    sold: dict[int, dict[datetime, datetime]] = defaultdict(dict)
    for till, hour, last in rows:
        sold[till][hour] = last
    return {till: Past(learn(hours, tenant.zone_info), max(hours.values())) for till, hours in sold.items()}


def _quiets(sold: list[datetime], selling: Rhythm, zone: ZoneInfo) -> Iterator[int]:
    """The selling hours without a sale, run by run, between the first sale and the last."""
    heard = set(sold)
    quiet = 0
    for hour in _hours_between(sold[0], sold[-1]) if sold else ():
        if hour in heard:
            yield quiet
            quiet = 0
        else:
            quiet += selling.sells_at(hour, zone)
    yield quiet


def _hours_between(first: datetime, last: datetime) -> Iterator[datetime]:
    """The hours after the first and before the last."""
    hour = first + HOUR
    while hour < last:
        yield hour
        hour += HOUR


def _hour_of(instant: datetime) -> datetime:
    return instant.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0)


def midnight_before(at: datetime, zone: ZoneInfo) -> datetime:
    """When the day of an instant began on the wall clock of a zone."""
    return datetime.combine(at.astimezone(zone).date(), time(), tzinfo=zone)
