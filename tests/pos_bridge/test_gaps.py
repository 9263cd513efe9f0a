"""Missing receipt numbers, told from those that have come: no database, random days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_bridge.gaps import MOST_MISSING, Hole, Moment, Stretch, holes_in

MORNING = datetime(2026, 7, 1, 6, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
LATE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Sold:
    """A receipt: its number, when it was sold, and how much later it came."""

    number: int
    sold_at: datetime
    late: timedelta = timedelta(0)

    @property
    def moment(self) -> Moment:
        return Moment(self.sold_at, self.sold_at + self.late)


def sold(*numbers: int, every: timedelta = MINUTE, since: datetime = MORNING) -> list[Sold]:
    """Receipts in the order of their sale."""
    return [Sold(number, since + place * every) for place, number in enumerate(numbers)]


def stretches_of(sales: Iterable[Sold]) -> list[Stretch]:
    """What of a till's sales follows one another, in the order in which they were sold."""
    ordered = sorted(sales, key=lambda sale: (sale.sold_at, sale.number))
    stretches = []
    for _, group in groupby(enumerate(ordered), key=lambda pair: pair[1].number - pair[0]):
        found = [sale for _place, sale in group]
        stretches.append(Stretch(found[0].number, found[-1].number, found[0].moment, found[-1].moment))
    return stretches


def missing(sales: Iterable[Sold]) -> list[tuple[int, int]]:
    """The holes as ranges, in the order of their numbers."""
    return sorted((hole.first, hole.last) for hole in holes_in(stretches_of(sales)))


class TestACounter:
    def test_without_a_hole_misses_nothing(self) -> None:
        assert missing(sold(*range(1038, 1050))) == []

    def test_that_has_counted_nothing_misses_nothing(self) -> None:
        assert holes_in([]) == []

    def test_misses_what_it_left_out(self) -> None:
        assert missing(sold(1039, 1040, 1044, 1045, 1047)) == [(1041, 1043), (1046, 1046)]

    def test_is_not_asked_for_what_was_before_its_first_number(self) -> None:
        assert missing(sold(5000, 5001)) == []

    def test_may_leap_which_is_told_apart(self) -> None:
        [hole] = holes_in(stretches_of(sold(57, 260_430_001)))
        [small] = holes_in(stretches_of(sold(1, MOST_MISSING + 2)))

        assert hole.is_leap
        assert (small.count, small.is_leap) == (MOST_MISSING, False)

    def test_tells_between_which_sales_a_number_is_missing(self) -> None:
        before, after = Sold(40, MORNING, late=LATE), Sold(42, MORNING + MINUTE)

        assert holes_in(stretches_of([before, after])) == [Hole(41, 41, before.moment, after.moment)]

    @pytest.mark.parametrize(("one", "other"), [(LATE, timedelta(0)), (timedelta(0), LATE)])
    def test_is_seen_to_miss_one_since_the_later_neighbour_came(self, one: timedelta, other: timedelta) -> None:
        [hole] = holes_in(stretches_of([Sold(40, MORNING, late=one), Sold(42, MORNING, late=other)]))

        assert hole.noticed_at == MORNING + LATE


class TestALateSale:
    def test_fills_its_hole(self) -> None:
        early = [*sold(1, 2), Sold(4, MORNING + 5 * MINUTE)]

        assert missing(early) == [(3, 3)]
        assert missing([*early, Sold(3, MORNING + 4 * MINUTE, late=LATE)]) == []

    def test_leaves_what_is_still_missing_beside_it(self) -> None:
        sales = [Sold(10, MORNING), Sold(15, MORNING + 5 * MINUTE), Sold(12, MORNING + 2 * MINUTE, late=LATE)]

        assert missing(sales) == [(11, 11), (13, 14)]


class TestAClockThatWasSetBack:
    def test_makes_no_hole(self) -> None:
        wrong = sold(*range(100, 120))
        right = sold(*range(120, 150), since=MORNING + 10 * MINUTE)

        assert missing([*wrong, *right]) == []

    def test_hides_none(self) -> None:
        wrong = sold(*range(100, 120))
        right = sold(120, 121, 124, 125, since=MORNING + 10 * MINUTE)

        assert missing([*wrong, *right]) == [(122, 123)]

    def test_splits_a_hole_that_stays(self) -> None:
        sales = [*sold(100, 106), Sold(103, MORNING + 5 * MINUTE), Sold(107, MORNING + 6 * MINUTE)]

        assert missing(sales) == [(101, 102), (104, 105)]

    def test_is_none_a_day_later(self) -> None:
        """What fits into yesterday's hole has been counted today."""
        yesterday, today = sold(1, 2, 5, 6), sold(3, 4, 5, since=MORNING + timedelta(days=1))

        assert missing([*yesterday, *today]) == [(1, 2), (3, 4)]


class TestACounterThatStartsOver:
    def test_begins_a_new_run(self) -> None:
        assert missing(sold(998, 999, 1, 2, 3)) == []

    def test_may_start_lower_than_before_and_not_at_one(self) -> None:
        assert missing(sold(5000, 5001, 100, 101)) == []

    def test_every_day_misses_what_each_day_misses(self) -> None:
        days = [sold(*numbers, since=MORNING + place * timedelta(days=1)) for place, numbers in enumerate(DAYS)]

        assert missing(sale for day in days for sale in day) == [(2, 2), (3, 4), (4, 4)]

    def test_is_expected_to_start_as_low_as_ever(self) -> None:
        assert missing(sold(101, 102, 103, 104, 101, 102, 103, 102, 103)) == [(101, 101)]

    def test_is_not_expected_to_start_far_below_the_numbers_that_it_was_given(self) -> None:
        assert missing(sold(1, 2, 900_000, 900_001, 5000, 5001)) == [(3, 899_999)]


DAYS = [(1, 2, 3, 5, 6), (1, 2, 5, 6), (1, 3, 4, 5, 6, 7)]


class TestANumberThatCameTwice:
    @pytest.mark.parametrize(
        "numbers", [(40, 41, 41, 42), (40, 41, 42, 41, 43), (40, 41, 42, 17, 43), (40, 41, 42, 42, 42, 43)]
    )
    def test_is_no_new_run_and_no_hole(self, numbers: tuple[int, ...]) -> None:
        assert missing(sold(*numbers)) == []

    def test_does_not_fill_a_hole(self) -> None:
        assert missing(sold(40, 41, 44, 41, 45)) == [(42, 43)]

    def test_hides_no_hole_behind_it(self) -> None:
        assert missing(sold(1, 2, 3, 2, 5)) == [(4, 4)]

    @pytest.mark.parametrize("back", [(7, 3), (3, 4), (3, 7, 3, 8)])
    def test_may_come_with_others(self, back: tuple[int, ...]) -> None:
        """Receipts that are given back one after the other, under their old numbers."""
        assert missing(sold(*range(1, 11), *back, 11, 12)) == []


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Sold], list[tuple[int, int]]]:
    """Runs of one till with holes in them, some of it late; and the holes that were made."""
    start = draw(st.sampled_from([1, 100, 20_260_000]))
    sales, holes, clock = [], [], MORNING
    for _ in range(draw(st.integers(1, 4))):
        number = start
        clock += timedelta(hours=draw(st.integers(13, 40)))
        for kept, lost in draw(st.lists(st.tuples(st.integers(15, 40), st.integers(1, 10)), min_size=1, max_size=5)):
            sales += sold(*range(number, number + kept), since=clock)
            holes.append((number + kept, number + kept + lost - 1))
            number, clock = number + kept + lost, clock + kept * MINUTE
        # Nothing comes after the last, so that nobody can know whether there was more.
        holes.pop()
    late = draw(st.sets(st.integers(0, len(sales) - 1)))
    sales = [Sold(sale.number, sale.sold_at, LATE if place in late else MINUTE) for place, sale in enumerate(sales)]
    return draw(st.permutations(sales)), sorted(holes)


class TestRandomDays:
    @given(days())
    def test_find_exactly_what_was_removed(self, made: tuple[list[Sold], list[tuple[int, int]]]) -> None:
        sales, holes = made

        assert missing(sales) == holes

    @given(days())
    def test_find_what_is_missing_before_the_late_ones_come(
        self, made: tuple[list[Sold], list[tuple[int, int]]]
    ) -> None:
        """Every number is there, or it is missing."""
        sales, holes = made
        here = [sale for sale in sales if sale.late != LATE]
        gone = {number for first, last in holes for number in range(first, last + 1)}
        found = {number for first, last in missing(here) for number in range(first, last + 1)}

        assert found <= gone | {sale.number for sale in sales if sale.late == LATE}

    @given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 2000)), max_size=60))
    def test_are_never_told_of_a_number_that_is_there(self, pairs: list[tuple[int, int]]) -> None:
        """However wildly a till counts, a hole lies between two numbers that came."""
        sales = [Sold(number, MORNING + after * MINUTE) for number, after in pairs]
        there = {sale.number for sale in sales}

        for hole in holes_in(stretches_of(sales)):
            assert hole.first <= hole.last
            assert hole.last + 1 in there
