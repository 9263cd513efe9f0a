"""The day a sale counts for: one function, used by lists, totals, closes and journal alike."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def business_date(instant: datetime, *, zone: ZoneInfo, cutoff_hour: int) -> date:
    """The business day of an aware instant.

    A day begins at ``cutoff_hour`` (0 to 12) on the wall clock of ``zone``: with 4, a beer at half past two
    in the night belongs to the evening before. Reading the wall clock keeps the rule simple on the two days
    a year on which the clock jumps.
    """
    local = instant.astimezone(zone)
    return local.date() - timedelta(days=1) if local.hour < cutoff_hour else local.date()
