from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kasse.business_day import bounds_of, business_date

ZURICH = ZoneInfo("Europe/Zurich")
ZONES = st.sampled_from(["Europe/Zurich", "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"]).map(
    ZoneInfo
)
INSTANTS = st.datetimes(datetime(2000, 1, 2), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds the zone)
CUTOFFS = st.integers(0, 12)
SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)


def day(text: str, cutoff_hour: int = 0) -> date:
    return business_date(datetime.fromisoformat(text), zone=ZURICH, cutoff_hour=cutoff_hour)


class TestTheBusinessDay:
    @pytest.mark.parametrize(
        ("instant", "cutoff_hour", "expected"),
        [
            ("2026-04-29T21:59:59.999999Z", 0, "2026-04-29"),
            ("2026-04-29T22:00:00Z", 0, "2026-04-30"),
            ("2026-04-30T01:59:59.999999Z", 4, "2026-04-29"),
            ("2026-04-30T02:00:00Z", 4, "2026-04-30"),
            ("2026-01-31T23:30:00Z", 0, "2026-02-01"),
            ("2026-01-31T23:30:00Z", 1, "2026-01-31"),
            ("2026-12-31T23:30:00Z", 4, "2026-12-31"),
            ("2024-03-01T00:30:00+01:00", 4, "2024-02-29"),
            ("2026-04-30T09:59:59Z", 12, "2026-04-29"),
            ("2026-04-30T10:00:00Z", 12, "2026-04-30"),
        ],
    )
    def test_begins_at_the_cutoff_on_the_wall_clock(self, instant: str, cutoff_hour: int, expected: str) -> None:
        assert day(instant, cutoff_hour) == date.fromisoformat(expected)

    @pytest.mark.parametrize(
        ("instant", "cutoff_hour", "expected"),
        [
            # In spring two o'clock does not exist: 01:59:59 is followed by 03:00.
            ("2026-03-29T00:59:59Z", 2, "2026-03-28"),
            ("2026-03-29T01:00:00Z", 2, "2026-03-29"),
            ("2026-03-29T00:59:59Z", 3, "2026-03-28"),
            ("2026-03-29T01:00:00Z", 3, "2026-03-29"),
            ("2026-03-28T23:00:00Z", 0, "2026-03-29"),
            ("2026-03-29T22:00:00Z", 0, "2026-03-30"),
            # In autumn the hour from two to three comes twice.
            ("2026-10-25T00:30:00Z", 3, "2026-10-24"),
            ("2026-10-25T01:30:00Z", 3, "2026-10-24"),
            ("2026-10-25T02:00:00Z", 3, "2026-10-25"),
            ("2026-10-24T22:00:00Z", 0, "2026-10-25"),
            ("2026-10-25T22:59:59Z", 0, "2026-10-25"),
            ("2026-10-25T23:00:00Z", 0, "2026-10-26"),
        ],
    )
    def test_follows_the_wall_clock_through_both_changes(self, instant: str, cutoff_hour: int, expected: str) -> None:
        assert day(instant, cutoff_hour) == date.fromisoformat(expected)

    @given(INSTANTS, ZONES, CUTOFFS)
    def test_is_that_of_the_wall_clock_or_the_one_before(
        self, instant: datetime, zone: ZoneInfo, cutoff_hour: int
    ) -> None:
        local = instant.astimezone(zone)

        found = business_date(instant, zone=zone, cutoff_hour=cutoff_hour)

        assert found == local.date() - timedelta(days=local.hour < cutoff_hour)

    @given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=2)), ZONES, CUTOFFS)
    @example(SPRING - timedelta(hours=1), timedelta(hours=1), ZURICH, 3)
    @example(AUTUMN - timedelta(hours=1), timedelta(hours=1), ZURICH, 3)
    def test_never_runs_backwards(self, instant: datetime, later: timedelta, zone: ZoneInfo, cutoff_hour: int) -> None:
        first, second = (business_date(each, zone=zone, cutoff_hour=cutoff_hour) for each in (instant, instant + later))

        assert first <= second

    @pytest.mark.parametrize("change", [SPRING, AUTUMN])
    def test_never_runs_backwards_minute_by_minute_where_the_clock_jumps(self, change: datetime) -> None:
        for cutoff_hour in range(13):
            minutes = [change + timedelta(minutes=minute) for minute in range(-26 * 60, 26 * 60)]
            days = [business_date(minute, zone=ZURICH, cutoff_hour=cutoff_hour) for minute in minutes]

            assert days == sorted(days)

    @given(INSTANTS, st.integers(-1439, 1439), CUTOFFS)
    def test_is_the_same_however_the_offset_is_written(self, instant: datetime, offset: int, cutoff_hour: int) -> None:
        elsewhere = instant.astimezone(timezone(timedelta(minutes=offset)))

        assert business_date(elsewhere, zone=ZURICH, cutoff_hour=cutoff_hour) == business_date(
            instant, zone=ZURICH, cutoff_hour=cutoff_hour
        )

    @given(st.dates(date(2000, 1, 2), date(2037, 12, 30)), ZONES, CUTOFFS)
    def test_has_an_instant_of_its_own_for_every_date(self, wanted: date, zone: ZoneInfo, cutoff_hour: int) -> None:
        afternoon = datetime.combine(wanted, datetime.min.time(), tzinfo=zone).replace(hour=15)

        assert business_date(afternoon, zone=zone, cutoff_hour=cutoff_hour) == wanted


class TestBoundsOf:
    @pytest.mark.parametrize(
        ("wanted", "cutoff_hour", "first", "after"),
        [
            ("2026-04-29", 0, "2026-04-28T22:00:00+00:00", "2026-04-29T22:00:00+00:00"),
            ("2026-04-29", 4, "2026-04-29T02:00:00+00:00", "2026-04-30T02:00:00+00:00"),
            ("2026-04-29", 12, "2026-04-29T10:00:00+00:00", "2026-04-30T10:00:00+00:00"),
            # Twenty-three hours; with a cut-off of two, which does not exist, the day begins at three.
            ("2026-03-29", 0, "2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00"),
            ("2026-03-29", 2, "2026-03-29T01:00:00+00:00", "2026-03-30T00:00:00+00:00"),
            ("2026-03-28", 3, "2026-03-28T02:00:00+00:00", "2026-03-29T01:00:00+00:00"),
            # Twenty-five hours; with a cut-off of two the day begins when it is two for the first time.
            ("2026-10-25", 0, "2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00"),
            ("2026-10-25", 2, "2026-10-25T00:00:00+00:00", "2026-10-26T01:00:00+00:00"),
            ("2026-10-24", 3, "2026-10-24T01:00:00+00:00", "2026-10-25T02:00:00+00:00"),
        ],
    )
    def test_are_the_first_instant_and_the_first_one_after(
        self, wanted: str, cutoff_hour: int, first: str, after: str
    ) -> None:
        found = bounds_of(date.fromisoformat(wanted), zone=ZURICH, cutoff_hour=cutoff_hour)

        assert [each.isoformat() for each in found] == [first, after]

    @given(INSTANTS, ZONES, CUTOFFS)
    @example(SPRING, ZURICH, 2)
    @example(SPRING - timedelta(microseconds=1), ZURICH, 2)
    @example(AUTUMN, ZURICH, 3)
    @example(AUTUMN - timedelta(microseconds=1), ZURICH, 3)
    def test_hold_every_instant_of_the_day(self, instant: datetime, zone: ZoneInfo, cutoff_hour: int) -> None:
        wanted = business_date(instant, zone=zone, cutoff_hour=cutoff_hour)

        first, after = bounds_of(wanted, zone=zone, cutoff_hour=cutoff_hour)

        assert first <= instant < after

    @given(st.dates(date(2000, 1, 2), date(2037, 12, 30)), ZONES, CUTOFFS)
    @example(date(2026, 3, 29), ZURICH, 2)
    @example(date(2026, 10, 25), ZURICH, 3)
    def test_lie_side_by_side(self, wanted: date, zone: ZoneInfo, cutoff_hour: int) -> None:
        """Every instant is in exactly one day."""
        first, after = bounds_of(wanted, zone=zone, cutoff_hour=cutoff_hour)
        instants = [first - timedelta(microseconds=1), first, after - timedelta(microseconds=1), after]

        assert [business_date(each, zone=zone, cutoff_hour=cutoff_hour) for each in instants] == [
            wanted - timedelta(days=1),
            wanted,
            wanted,
            wanted + timedelta(days=1),
        ]
        assert bounds_of(wanted + timedelta(days=1), zone=zone, cutoff_hour=cutoff_hour)[0] == after

    def test_of_a_day_that_a_zone_has_left_out_hold_nothing(self) -> None:
        apia = ZoneInfo("Pacific/Apia")

        first, after = bounds_of(date(2011, 12, 30), zone=apia, cutoff_hour=0)

        assert first == after == datetime(2011, 12, 30, 10, tzinfo=UTC)
