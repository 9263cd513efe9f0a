"""The drift of a till's clock: how far it is off, and whether that matters."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kasse.business_day import business_date
from pos_bridge.arrivals import Arrival
from pos_bridge.drift import OF_ACCOUNT, Drift, may_change_day, measure

ZURICH = ZoneInfo("Europe/Zurich")
NOON = datetime(2026, 6, 1, 10, 0, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def off_by(*offsets: timedelta | None) -> list[Arrival]:
    """Sales a minute apart, sent by a clock that is off."""
    arrived = [NOON + number * MINUTE for number in range(len(offsets))]
    return [Arrival(at, None if offset is None else at + offset) for at, offset in zip(arrived, offsets, strict=True)]


class TestMeasuring:
    def test_takes_the_median_so_that_a_few_sent_again_later_do_not_count(self) -> None:
        drift = measure(off_by(SECOND, 2 * SECOND, -SECOND, -9 * 60 * MINUTE, SECOND), ZURICH)

        assert drift == Drift(SECOND, 5, frozenset({12}))

    def test_of_a_till_that_never_tells_its_clock_gives_nothing(self) -> None:
        assert measure([], ZURICH) is None
        assert measure(off_by(None, None), ZURICH) is None

    def test_leaves_out_the_sales_that_do_not_tell(self) -> None:
        drift = measure(off_by(None, 3 * MINUTE, None), ZURICH)

        assert drift is not None
        assert (drift.offset, drift.sales) == (3 * MINUTE, 1)

    @given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=25))
    def test_lies_within_what_was_measured(self, seconds: list[int]) -> None:
        drift = measure(off_by(*(each * SECOND for each in seconds)), ZURICH)

        assert drift is not None
        assert min(seconds) * SECOND <= drift.offset <= max(seconds) * SECOND


class TestADrift:
    @pytest.mark.parametrize(
        ("seconds", "minutes", "ahead", "of_account", "nearly_refused"),
        [
            (0, 0, False, False, False),
            (-1, 0, False, False, False),
            (120, 2, True, False, False),
            (121, 2, True, True, False),
            (179, 3, True, True, False),
            (180, 3, True, True, True),
            (-7200, 120, False, True, False),
        ],
    )
    def test_is_told_in_minutes_and_weighed(
        self, seconds: int, minutes: int, ahead: bool, of_account: bool, nearly_refused: bool
    ) -> None:
        drift = Drift(timedelta(seconds=seconds), 25)

        assert (drift.minutes, drift.is_ahead) == (minutes, ahead)
        assert (drift.is_of_account, drift.is_nearly_refused) == (of_account, nearly_refused)


class TestWhetherItMayChangeTheDay:
    @pytest.mark.parametrize(
        ("hours", "minutes", "cutoff_hour", "expected"),
        [
            (range(8, 20), 10, 0, False),
            (range(8, 24), 10, 0, True),
            (range(8, 24), -10, 0, False),
            (range(2), -10, 0, True),
            (range(2), 10, 0, False),
            (range(8, 20), 3 * 60, 0, False),
            (range(8, 21), 3 * 60 + 1, 0, True),
            (range(8, 24), 10, 4, False),
            (range(3, 4), 10, 4, True),
            (range(4, 5), -10, 4, True),
            (range(8, 24), 2, 0, False),
            ((), 600, 0, False),
        ],
    )
    def test_depends_on_when_it_sells(self, hours: range, minutes: int, cutoff_hour: int, expected: bool) -> None:
        drift = Drift(minutes * MINUTE, 25)

        assert may_change_day(drift, hours=hours, cutoff_hour=cutoff_hour) is expected

    @given(st.integers(0, 23), st.integers(0, 12), st.integers(-20 * 60, 20 * 60), st.integers(0, 59))
    def test_never_misses_a_sale_that_would_count_for_another_day(
        self, hour: int, cutoff_hour: int, minutes: int, minute: int
    ) -> None:
        drift = Drift(minutes * MINUTE, 25)
        sold = datetime(2026, 6, 3, hour, minute, tzinfo=ZURICH)
        day, day_told = (
            business_date(instant, zone=ZURICH, cutoff_hour=cutoff_hour) for instant in (sold, sold + drift.offset)
        )

        moves = abs(drift.offset) > OF_ACCOUNT and day != day_told

        assert may_change_day(drift, hours=[hour], cutoff_hour=cutoff_hour) or not moves
