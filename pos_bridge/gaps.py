"""Which receipt numbers of a till are missing, told from those that have come. Pure.

A till counts its receipts, so a number that never comes is a sale that never came. Looked at are its sales in the order
in which they were sold, by its own clock: whatever arrives late takes its place there, and its hole is gone. A number

* higher than the last goes on; what it leaves out is a hole;
* of a hole, sold within ``OUT_OF_ORDER`` of the number behind it, fills that: somebody has set the clock meanwhile;
* lower than the last, after which the till goes on where it was, or ``SOON`` higher, stands aside: it was sent twice,
  or names what is given back. So do a few of them;
* lower otherwise begins a new run: the counter has started over. If it does not start as low as another of the
  till's runs, what is below is a hole, too.

What cannot be told: numbers lost at the end of a run, and so many at the beginning of one that it looks as if the
counter had gone on. A reconciliation finds those.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

OUT_OF_ORDER = timedelta(hours=12)
SOON = timedelta(hours=6)
"""No night lies between, in which a counter may start over."""
FEW = 3
"""So many numbers may follow one another and yet stand aside."""
MOST_ASIDE = 10
MOST_MISSING = 500
"""So many numbers may be missing in one place; if it is more, the till has probably been given other numbers."""


class Moment(NamedTuple):
    """When one number was sold, by the till's clock, and when it came, by ours."""

    sold_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """Numbers that were sold one after the other, and none between them is missing."""

    first: int
    last: int
    begins: Moment
    ends: Moment


@dataclass(frozen=True, slots=True)
class Hole:
    """Numbers that are missing, from ``first`` to ``last``, and the moments of their two neighbours."""

    first: int
    last: int
    before: Moment
    after: Moment

    @property
    def count(self) -> int:
        """How many are missing."""
        return self.last - self.first + 1

    @property
    def noticed_at(self) -> datetime:
        """Since when it can be seen: when the later of its neighbours came, by our clock."""
        return max(self.before.received_at, self.after.received_at)

    @property
    def is_leap(self) -> bool:
        """Whether so much is left out that it was rather other numbers from there on."""
        return self.count > MOST_MISSING


class Run:
    """What a counter has counted without starting over."""

    def __init__(self, stretch: Stretch) -> None:
        self.first, self.last = stretch.first, stretch.last
        self.begins, self.ends = stretch.begins, stretch.ends
        self.holes: list[Hole] = []

    def take(self, stretch: Stretch, coming: Iterable[Stretch]) -> bool:
        """Take what was sold next; False if it does not belong here. ``coming`` is what was sold after it."""
        if stretch.first >= self.last:
            self._go_on(stretch)
            return True
        return self._fill(stretch) or self._goes_on_after((stretch, *coming))

    def _goes_on_after(self, aside: Iterable[Stretch]) -> bool:
        for each in aside:
            if each.first > self.last:
                return each.first == self.last + 1 or each.begins.sold_at - self.ends.sold_at <= SOON
            if each.last > self.last or each.last - each.first >= FEW:
                break
        return False

    def _go_on(self, stretch: Stretch) -> None:
        if stretch.first > self.last + 1:
            self.holes.append(Hole(self.last + 1, stretch.first - 1, before=self.ends, after=stretch.begins))
        self.last, self.ends = stretch.last, stretch.ends

    def _fill(self, stretch: Stretch) -> bool:
        place = bisect_right(self.holes, stretch.first, key=lambda hole: hole.first) - 1
        if place < 0 or stretch.last > self.holes[place].last:
            return False
        hole = self.holes[place]
        if hole.is_leap or stretch.begins.sold_at - hole.after.sold_at > OUT_OF_ORDER:
            return False
        below = replace(hole, last=stretch.first - 1, after=stretch.begins)
        above = replace(hole, first=stretch.last + 1, before=stretch.ends)
        self.holes[place : place + 1] = [each for each in (below, above) if each.count]
        return True


def holes_in(stretches: Sequence[Stretch]) -> list[Hole]:
    """The holes in the numbers of one till, whose stretches are given in the order in which they were sold."""
    runs: list[Run] = []
    for place, stretch in enumerate(stretches):
        if not runs or not runs[-1].take(stretch, stretches[place + 1 : place + MOST_ASIDE]):
            runs.append(Run(stretch))
    return [*_left_out_at_the_beginning(runs), *(hole for run in runs for hole in run.holes)]


def _left_out_at_the_beginning(runs: Sequence[Run]) -> Iterator[Hole]:
    """Of each run but the first, whose own beginning nobody knows. Far above the others, it has other numbers."""
    lowest = min((run.first for run in runs), default=1)
    for before, run in pairwise(runs):
        if lowest < run.first <= lowest + MOST_MISSING:
            yield Hole(lowest, run.first - 1, before=before.ends, after=run.begins)
