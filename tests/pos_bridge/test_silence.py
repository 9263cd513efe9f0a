"""Silent tills: never within the rhythm they have, always once they are dead; and quiet when nobody sells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apikeys.replacing import replace_key
from kasse.models import Source
from kasse.recording import record_transaction
from pos_bridge.arrivals import LAST_SALES, last_arrivals
from pos_bridge.health import tills_now
from pos_bridge.remarks import BOOKED_FROM_PARKING
from pos_bridge.silence import CLOSED_AFTER, NO_RHYTHM, Rhythm, is_silent, learn, rhythms_of, selling_hours_between
from tenants.models import Tenant
from tests.factories import mint
from tests.kasse.sales import breakfast

ZURICH = ZoneInfo("Europe/Zurich")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# A Monday, in a week without a change of the clock.
FIRST = datetime(2026, 6, 1, 0, 0, tzinfo=ZURICH)
SHOP = range(8, 18)


def utc(local: datetime) -> datetime:
    return local.astimezone(timezone.utc)


def weeks(*, days: range = range(7), hours: range = SHOP, count: int = 4) -> list[datetime]:
    """Hours in which a shop has sold: so many weeks from the first Monday on."""
    return [
        utc(FIRST + DAY * (7 * week + day) + HOUR * hour) for week in range(count) for day in days for hour in hours
    ]


def silent(rhythm: Rhythm, last_sale: datetime, at: datetime) -> bool:
    return is_silent(rhythm, last_sale=utc(last_sale), at=utc(at), zone=ZURICH)


MONDAY = FIRST + 28 * DAY


class TestLearning:
    def test_a_busy_shop_has_its_opening_hours_and_no_quiet(self) -> None:
        rhythm = learn(weeks(), ZURICH)

        assert rhythm.hours == {(day, hour) for day in range(7) for hour in SHOP}
        assert (rhythm.longest_quiet, rhythm.patience) == (0, 2)

    def test_an_hour_of_one_week_alone_is_none_in_which_it_usually_sells(self) -> None:
        party = utc(FIRST + 5 * DAY + 23 * HOUR)

        assert (5, 23) not in learn([*weeks(), party], ZURICH).hours

    def test_the_longest_quiet_is_left_out_but_not_the_next(self) -> None:
        without_power = set(weeks(days=range(2, 3), count=1))
        slow_afternoon = {utc(FIRST + 9 * DAY + hour * HOUR) for hour in (13, 14, 15)}

        rhythm = learn(set(weeks()) - without_power - slow_afternoon, ZURICH)

        assert (rhythm.longest_quiet, rhythm.patience) == (3, 5)

    def test_a_till_of_one_week_has_no_rhythm_yet(self) -> None:
        assert learn(weeks(count=1), ZURICH) == NO_RHYTHM
        assert learn([], ZURICH) == NO_RHYTHM

    def test_is_by_the_clock_on_the_wall_when_that_jumps(self) -> None:
        """Open at 8 in the week before the clock jumps, and in the week after it."""
        before = datetime(2026, 3, 23, 8, 0, tzinfo=ZURICH)
        days = [before + 7 * week * DAY for week in range(2)]

        assert learn([utc(day) for day in days], ZURICH).hours == {(0, 8)}


class TestASilentTill:
    def test_is_said_to_be_after_two_busy_hours(self) -> None:
        rhythm = learn(weeks(), ZURICH)
        last = MONDAY + 10 * HOUR + timedelta(minutes=20)

        assert not silent(rhythm, last, MONDAY + 12 * HOUR + timedelta(minutes=59))
        assert silent(rhythm, last, MONDAY + 13 * HOUR)

    def test_is_not_looked_for_at_night_nor_before_the_shop_has_been_open_for_long(self) -> None:
        rhythm = learn(weeks(), ZURICH)
        last = MONDAY - 7 * HOUR + timedelta(minutes=30)

        assert not any(silent(rhythm, last, MONDAY + hour * HOUR) for hour in range(-6, 10))
        assert silent(rhythm, last, MONDAY + 10 * HOUR)

    def test_is_not_looked_for_on_days_on_which_it_never_sells(self) -> None:
        rhythm = learn(weeks(days=range(5, 7)), ZURICH)
        last = MONDAY - 7 * HOUR

        assert not any(silent(rhythm, last, MONDAY + hour * HOUR) for hour in range(5 * 24))
        assert silent(rhythm, last, MONDAY + 5 * DAY + 10 * HOUR)

    def test_that_sells_on_one_day_of_the_week_is_missed_on_that_day(self) -> None:
        rhythm = learn(weeks(days=range(2, 3)), ZURICH)
        last = MONDAY - 5 * DAY + 17 * HOUR

        assert silent(rhythm, last, MONDAY + 2 * DAY + 10 * HOUR)

    def test_is_closed_for_the_season_after_eight_days(self) -> None:
        rhythm = learn(weeks(), ZURICH)
        last = MONDAY + 10 * HOUR

        assert silent(rhythm, last, last + CLOSED_AFTER)
        assert not any(silent(rhythm, last, last + CLOSED_AFTER + hour * HOUR) for hour in range(1, 24 * 30))

    def test_without_a_rhythm_is_never_said_to_be(self) -> None:
        assert not any(silent(NO_RHYTHM, MONDAY, MONDAY + hour * HOUR) for hour in range(24 * 10))


@st.composite
def shops(draw: Any) -> list[datetime]:
    """Four weeks of a shop: open on some days and hours, and selling in most of them."""
    days = sorted(draw(st.sets(st.integers(0, 6), min_size=1)))
    opens = draw(st.integers(0, 18))
    hours = range(opens, opens + draw(st.integers(3, 5)))
    lull = draw(st.integers(1, 4))
    open_hours = [
        utc(FIRST + DAY * (7 * week + day) + HOUR * hour) for week in range(4) for day in days for hour in hours
    ]
    return [hour for place, hour in enumerate(open_hours) if place % lull == 0]


def runs_of(sold: list[datetime], rhythm: Rhythm) -> Iterator[int]:
    """The selling hours between each sale and the next."""
    for one, other in pairwise(sold):
        yield selling_hours_between(rhythm, one, other, ZURICH)


class TestAnyTill:
    @settings(max_examples=60, deadline=None)
    @given(shops(), st.integers(0, 24 * 8))
    def test_is_never_silent_within_its_longest_usual_quiet(self, sold: list[datetime], hours: int) -> None:
        rhythm = learn(sold, ZURICH)
        last, at = sold[-1], sold[-1] + hours * HOUR
        assume(selling_hours_between(rhythm, last, at, ZURICH) <= rhythm.longest_quiet + 1)

        assert not is_silent(rhythm, last_sale=last, at=at, zone=ZURICH)

    @settings(max_examples=60, deadline=None)
    @given(shops())
    def test_would_not_have_been_silent_in_its_own_past(self, sold: list[datetime]) -> None:
        """But for the longest quiet, which is left out."""
        rhythm = learn(sold, ZURICH)

        assert sum(run >= rhythm.patience for run in runs_of(sold, rhythm)) <= 1

    @settings(max_examples=60, deadline=None)
    @given(shops())
    def test_that_is_dead_is_silent_once_its_patience_has_passed(self, sold: list[datetime]) -> None:
        rhythm = learn(sold, ZURICH)
        last = sold[-1]
        after = [last + hour * HOUR for hour in range(1, 24 * 8 + 1)]
        selling = [hour for hour in after if rhythm.sells_at(hour, ZURICH)]
        assume(len(selling) > rhythm.patience)

        said = [hour for hour in after if is_silent(rhythm, last_sale=last, at=hour, zone=ZURICH)]

        assert said == selling[rhythm.patience :]


class TestRhythmsOf:
    def sell(self, tenant: Tenant, key: Any, *instants: datetime, **fields: Any) -> None:
        for instant in instants:
            record_transaction(
                tenant=tenant,
                sale=breakfast(external_ref=f"{tenant.slug}-{key.pk}-{instant.isoformat()}", **fields),
                source=Source.EXTERNAL_POS,
                received_at=instant,
                api_key=key,
            )

    def test_are_learnt_from_each_tills_own_last_four_weeks(self, seeblick: Tenant, waldrand: Tenant) -> None:
        shop, bar = (mint(seeblick, name=name).key for name in ("Shop", "Bar"))
        mondays = [utc(MONDAY - 7 * week * DAY + 8 * HOUR) for week in (1, 2, 5)]
        self.sell(seeblick, shop, *mondays)
        self.sell(seeblick, bar, *(each + 10 * HOUR for each in mondays[:2]))
        self.sell(waldrand, mint(waldrand).key, *mondays)

        found = rhythms_of(seeblick, at=utc(MONDAY + 12 * HOUR))

        assert {key: past.rhythm.hours for key, past in found.items()} == {shop.pk: {(0, 8)}, bar.pk: {(0, 18)}}
        assert found[shop.pk].last_sale == mondays[0]

    def test_are_learnt_once_a_day_by_one_query(self, seeblick: Tenant) -> None:
        self.sell(seeblick, mint(seeblick).key, utc(MONDAY - DAY))

        with CaptureQueriesContext(connection) as asked:
            for hours in (8, 12, 23):
                rhythms_of(seeblick, at=utc(MONDAY + hours * HOUR))
        assert len(asked) == 1

        with CaptureQueriesContext(connection) as asked:
            rhythms_of(seeblick, at=utc(MONDAY + 25 * HOUR))
        assert len(asked) == 1

    def test_do_not_count_what_staff_have_booked(self, seeblick: Tenant) -> None:
        key = mint(seeblick).key
        self.sell(seeblick, key, utc(MONDAY - DAY), remarks=f"rounding_booked {BOOKED_FROM_PARKING}")

        assert rhythms_of(seeblick, at=utc(MONDAY)) == {}


class TestATillWhoseKeyWasReplaced:
    def test_is_one_till_with_one_rhythm_and_not_silent(self, seeblick: Tenant, waldrand: Tenant) -> None:
        old = mint(seeblick, name="Shop").key
        TestRhythmsOf().sell(seeblick, old, *weeks(count=3))
        changed = utc(FIRST + 21 * DAY)
        new = replace_key(old, at=changed).key
        TestRhythmsOf().sell(seeblick, new, *(hour for hour in weeks() if hour > changed))
        at = utc(MONDAY + 10 * HOUR)
        last = utc(MONDAY + 9 * HOUR)
        TestRhythmsOf().sell(seeblick, new, last)

        [till] = tills_now(seeblick, [old, new], at=at)

        assert (till.key, till.last_sale, till.is_silent) == (new, last, False)
        assert till.rhythm.hours == {(day, hour) for day in range(7) for hour in SHOP}
        [later] = tills_now(seeblick, [new], at=utc(MONDAY + 14 * HOUR))
        assert later.is_silent

    def test_is_not_silent_while_it_sells_on_with_the_old_key(self, seeblick: Tenant) -> None:
        old = mint(seeblick, name="Shop").key
        TestRhythmsOf().sell(seeblick, old, *weeks())
        at = utc(MONDAY + 14 * HOUR)
        new = replace_key(old, at=at).key
        rhythms_of(seeblick, at=at)
        TestRhythmsOf().sell(seeblick, old, at + HOUR / 2)

        [till] = tills_now(seeblick, [new, old], at=at + HOUR)

        assert (till.key, till.is_silent) == (new, False)


class TestLastArrivals:
    def test_are_the_latest_of_each_till_and_no_more_than_are_needed(self, seeblick: Tenant, waldrand: Tenant) -> None:
        busy, slow = (mint(seeblick, name=name).key for name in ("Busy", "Slow"))
        minutes = [utc(MONDAY + timedelta(minutes=each)) for each in range(LAST_SALES + 5)]
        TestRhythmsOf().sell(seeblick, busy, *minutes)
        TestRhythmsOf().sell(seeblick, slow, minutes[0])
        TestRhythmsOf().sell(waldrand, mint(waldrand).key, minutes[0])

        found = last_arrivals(seeblick, since=minutes[0], at=minutes[-1])

        assert [each.received_at for each in found[busy.pk]] == minutes[:-26:-1]
        assert [each.received_at for each in found[slow.pk]] == minutes[:1]
        assert set(found) == {busy.pk, slow.pk}
