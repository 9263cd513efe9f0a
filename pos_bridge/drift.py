"""How far a till's clock is off, and whether that matters.

A till that says ``sent_at`` lets us compare: its clock at sending against ours at arrival. The drift is the median over
its last sales of a day, so that a few which were stamped once and sent again later do not count; the way over the
network makes it a fraction of a second too early. Two minutes and less are of no account.

It matters in two cases:

* the till is ahead by three minutes or more: from five on, its sales are refused (``occurred_at_in_future``);
* it sells so near to the hour at which the business day changes that a sale could count for another day.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from zoneinfo import ZoneInfo

from pos_bridge.arrivals import Arrival

OF_ACCOUNT = timedelta(minutes=2)
NEARLY_REFUSED = timedelta(minutes=3)
A_DAY_IN_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class Drift:
    """The till's clock less ours: positive if it is ahead; ``hours`` are those of the sales measured, on the wall."""

    offset: timedelta
    sales: int
    hours: frozenset[int] = frozenset()

    @property
    def minutes(self) -> int:
        """Without its sign, rounded."""
        return round(abs(self.offset) / timedelta(minutes=1))

    @property
    def is_ahead(self) -> bool:
        return self.offset > timedelta(0)

    @property
    def is_of_account(self) -> bool:
        return abs(self.offset) > OF_ACCOUNT

    @property
    def is_nearly_refused(self) -> bool:
        return self.offset >= NEARLY_REFUSED


def measure(arrivals: Iterable[Arrival], zone: ZoneInfo) -> Drift | None:
    """The drift in a till's last sales; None if none of them tells the till's clock."""
    told = [(each.sent_at - each.received_at, each.received_at) for each in arrivals if each.sent_at is not None]
    if not told:
        return None
    seconds = median(offset.total_seconds() for offset, _received in told)
    hours = frozenset(received.astimezone(zone).hour for _offset, received in told)
    return Drift(timedelta(seconds=seconds), len(told), hours)


def may_change_day(drift: Drift, *, hours: Iterable[int], cutoff_hour: int) -> bool:
    """Whether a sale in one of these hours of our wall clock could get another business day from the till's clock."""
    if not drift.is_of_account:
        return False
    reach = 1 + abs(drift.offset) / timedelta(hours=1)
    return any(_distance(hour, cutoff_hour, ahead=drift.is_ahead) < reach for hour in hours)


def _distance(hour: int, cutoff_hour: int, *, ahead: bool) -> float:
    """In hours: from the beginning of an hour on to the next change of day, or from its end back to the last."""
    way = cutoff_hour - hour if ahead else hour + 1 - cutoff_hour
    return way % A_DAY_IN_HOURS or A_DAY_IN_HOURS
