from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kasse.periods import (
    MOST_DAYS,
    PARAMETERS,
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

TODAY = date(2026, 4, 29)
DAYS = st.dates(date(2001, 1, 1), date(2098, 12, 31))
KINDS = st.sampled_from([kind for kind in Kind if kind is not Kind.RANGE])
PERIODS = st.builds(period_of, KINDS, DAYS) | st.builds(
    lambda first, length: Period(first, first + timedelta(days=length), Kind.RANGE), DAYS, st.integers(0, MOST_DAYS - 1)
)


def read(**parameters: str) -> Period:
    return read_period({name.rstrip("_"): value for name, value in parameters.items()}, today=TODAY)


def span(first: str, last: str) -> Span:
    return Span(date.fromisoformat(first), date.fromisoformat(last))


class TestReadPeriod:
    @pytest.mark.parametrize(
        ("parameters", "first", "last"),
        [
            ({}, "2026-04-29", "2026-04-29"),
            ({"day": ""}, "2026-04-29", "2026-04-29"),
            ({"day": "2024-02-29"}, "2024-02-29", "2024-02-29"),
            ({"week": "2026-W18"}, "2026-04-27", "2026-05-03"),
            ({"week": "2026-W53"}, "2026-12-28", "2027-01-03"),
            ({"month": "2024-02"}, "2024-02-01", "2024-02-29"),
            ({"season": "2026"}, "2026-01-01", "2026-12-31"),
            ({"from_": "2026-04-01", "to": "2026-04-15"}, "2026-04-01", "2026-04-15"),
        ],
    )
    def test_takes_each_kind(self, parameters: dict[str, str], first: str, last: str) -> None:
        period = read(**parameters)

        assert (period.first.isoformat(), period.last.isoformat()) == (first, last)

    @pytest.mark.parametrize(
        ("parameters", "fault"),
        [
            ({"day": "2026-02-30"}, Fault.NOT_A_DAY),
            ({"day": "29.04.2026"}, Fault.NOT_A_DAY),
            ({"day": "1999-12-31"}, Fault.NOT_A_DAY),
            ({"day": "9999-12-31"}, Fault.NOT_A_DAY),
            ({"day": "0000-00-00"}, Fault.NOT_A_DAY),
            ({"day": "２０２６-04-29"}, Fault.NOT_A_DAY),
            ({"day": "2026-04-29\n"}, Fault.NOT_A_DAY),
            ({"week": "2027-W53"}, Fault.NOT_A_WEEK),
            ({"week": "2026-18"}, Fault.NOT_A_WEEK),
            ({"month": "2026-13"}, Fault.NOT_A_MONTH),
            ({"season": "next"}, Fault.NOT_A_SEASON),
            ({"season": "2100"}, Fault.NOT_A_SEASON),
            ({"from_": "2026-04-29"}, Fault.HALF_A_RANGE),
            ({"to": "2026-04-29"}, Fault.HALF_A_RANGE),
            ({"from_": "2026-04-29", "to": "2026-04-28"}, Fault.ENDS_BEFORE_IT_BEGINS),
            ({"from_": "2026-01-01", "to": "2027-02-05"}, Fault.TOO_LONG),
            ({"day": "2026-04-29", "week": "2026-W18"}, Fault.SEVERAL),
        ],
    )
    def test_says_what_is_wrong(self, parameters: dict[str, str], fault: Fault) -> None:
        with pytest.raises(NoPeriod) as refused:
            read(**parameters)

        assert refused.value.fault == fault

    @given(PERIODS)
    def test_gives_back_what_a_period_says_of_itself(self, period: Period) -> None:
        assert read_period(period.parameters, today=TODAY) == period

    @given(st.dictionaries(st.sampled_from(PARAMETERS), st.text()))
    def test_takes_or_refuses_any_text(self, parameters: dict[str, str]) -> None:
        with suppress(NoPeriod):
            assert read_period(parameters, today=TODAY).length <= MOST_DAYS


class TestAPeriod:
    @given(PERIODS)
    def test_lies_between_its_neighbours(self, period: Period) -> None:
        assert period.before.last + timedelta(days=1) == period.first
        assert period.after.first - timedelta(days=1) == period.last
        assert period.before.after == period or period.kind is Kind.RANGE

    @pytest.mark.parametrize(
        ("parameters", "first", "last"),
        [
            ({"day": "2024-02-29"}, "2023-02-28", "2023-02-28"),
            ({"day": "2026-04-29"}, "2025-04-29", "2025-04-29"),
            ({"week": "2026-W18"}, "2025-04-28", "2025-05-04"),
            ({"week": "2026-W53"}, "2025-12-22", "2025-12-28"),
            ({"week": "2026-W01"}, "2024-12-30", "2025-01-05"),
            ({"month": "2025-02"}, "2024-02-01", "2024-02-29"),
            ({"from_": "2026-04-01", "to": "2026-04-15"}, "2025-04-01", "2025-04-15"),
        ],
    )
    def test_has_one_a_year_before(self, parameters: dict[str, str], first: str, last: str) -> None:
        before = read(**parameters).year_before

        assert (before.first.isoformat(), before.last.isoformat()) == (first, last)

    @given(st.builds(period_of, st.just(Kind.WEEK), DAYS))
    def test_of_a_week_meets_the_same_weekdays_a_year_before(self, period: Period) -> None:
        assert (period.year_before.first.weekday(), period.year_before.length) == (0, 7)
        assert 350 <= (period.first - period.year_before.first).days <= 371


class TestComparedWith:
    def test_of_a_day_are_the_day_the_weekday_and_the_year_before(self) -> None:
        assert read(day="2026-04-29").compared_with(TODAY) == {
            Relation.BEFORE: span("2026-04-28", "2026-04-28"),
            Relation.WEEK_BEFORE: span("2026-04-22", "2026-04-22"),
            Relation.YEAR_BEFORE: span("2025-04-29", "2025-04-29"),
        }

    def test_of_a_season_is_the_one_before_and_only_once(self) -> None:
        assert read(season="2025").compared_with(TODAY) == {Relation.BEFORE: span("2024-01-01", "2024-12-31")}

    def test_of_a_period_under_way_are_as_many_days_as_have_begun(self) -> None:
        assert read(month="2026-04").compared_with(TODAY) == {
            Relation.BEFORE: span("2026-03-01", "2026-03-29"),
            Relation.YEAR_BEFORE: span("2025-04-01", "2025-04-29"),
        }

    def test_never_reach_into_the_next_period(self) -> None:
        """On 31 March, all of February is what there is."""
        spans = read(month="2026-03").compared_with(date(2026, 3, 31))

        assert spans[Relation.BEFORE] == span("2026-02-01", "2026-02-28")

    @given(PERIODS, DAYS)
    def test_are_as_long_but_for_the_days_that_a_month_or_a_leap_year_adds(self, period: Period, today: date) -> None:
        exact = period.kind in {Kind.DAY, Kind.WEEK}
        for other in period.compared_with(today).values():
            assert 1 <= other.length <= period.length + (0 if exact else 3)


class TestSameTime:
    def test_is_read_off_the_wall_across_a_change_of_clocks(self) -> None:
        """Noon in winter is 11:00 in UTC, noon a week later in summer 10:00."""
        winter = datetime(2026, 3, 25, 11, tzinfo=UTC)

        summer = same_time(winter, ZoneInfo("Europe/Zurich"), timedelta(days=7))

        assert summer == datetime(2026, 4, 1, 10, tzinfo=UTC)


class TestYears:
    def test_are_those_in_which_a_till_may_have_sold(self) -> None:
        assert (YEARS[0], YEARS[-1]) == (2000, 2099)
