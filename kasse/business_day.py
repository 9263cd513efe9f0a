"""The day a sale counts for: one function, used by lists, totals, closes and journal alike; and its inverse.

A sale keeps the day it got when it was recorded. A campground that moves its cut-off hour later moves no sale.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from tenants.models import Tenant

A_DAY = timedelta(days=1)
# Further from midnight in UTC than any day begins: zones lie within 14 hours of it, and one has left out a whole day.
AROUND = timedelta(days=3)


def business_date(instant: datetime, *, zone: ZoneInfo, cutoff_hour: int) -> date:
    """The business day of an aware instant.

    A day begins at ``cutoff_hour`` (0 to 12) on the wall clock of ``zone``: with 4, a beer at half past two
    in the night belongs to the evening before. Reading the wall clock keeps the rule simple on the two days
    a year on which the clock jumps.
    """
    local = instant.astimezone(zone)
    return local.date() - A_DAY if local.hour < cutoff_hour else local.date()


def today_of(tenant: Tenant, at: datetime) -> date:
    """The business day that a campground is in."""
    return business_date(at, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)


def bounds_of(day: date, *, zone: ZoneInfo, cutoff_hour: int) -> tuple[datetime, datetime]:
    """The first instant of a business day and the first one after it, in UTC.

    A day is 23 or 25 hours long when the clock changes in it, and of no length if the zone has left it out.
    """
    return _beginning(day, zone, cutoff_hour), _beginning(day + A_DAY, zone, cutoff_hour)


def _beginning(day: date, zone: ZoneInfo, cutoff_hour: int) -> datetime:
    """The first second of the day, looked up with the function itself: the two cannot disagree."""
    origin = datetime.combine(day, time(), tzinfo=timezone.utc) - AROUND
    seconds = range(int(2 * AROUND.total_seconds()))

    def day_at(second: int) -> date:
        return business_date(origin + timedelta(seconds=second), zone=zone, cutoff_hour=cutoff_hour)

    return origin + timedelta(seconds=bisect_left(seconds, day, key=day_at))
