"""What is due, and when: days in order, late sales, lost answers, several machines at once."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.due import run_due
from journal.models import Journal, JournalSale, Revision, State
from journal.opening import last_finished_day, open_journal
from journal.settings_models import Flavor, JournalSettings
from kasse.business_day import bounds_of
from kasse.models import PaymentMethod
from kasse.money import ZERO
from tenants.models import Tenant
from tests.journal.books import DAY, StandingClock, books_of, in_business_one
from tests.journal.fake_business_one import FakeBusinessOne
from tests.journal.faults import Fault
from tests.kasse.selling import sell

ZURICH = ZoneInfo("Europe/Zurich")
SECONDS = st.integers(0, 15 * 366 * 86_400)
MOMENTS = SECONDS.map(lambda seconds: datetime(2020, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds))


def at(text: str) -> datetime:
    """An instant on the campground's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH).astimezone(timezone.utc)


def states(tenant: Tenant) -> dict[str, str]:
    """Each journal, by day and supplement, and the state of its latest revision."""
    rows = Revision.objects.of(tenant).select_related("journal").order_by("journal__business_date", "revision")
    return {str(row.journal): row.state for row in rows}


class TestTheHour:
    @pytest.mark.parametrize(
        ("now", "last"),
        [
            ("2026-04-30 01:59:59", "2026-04-28"),
            ("2026-04-30 02:00:00", "2026-04-29"),
            ("2026-04-30 23:59:59", "2026-04-29"),
            # The night without two o'clock, and that with two of them.
            ("2026-03-29 01:59:59", "2026-03-27"),
            ("2026-03-29 03:00:00", "2026-03-28"),
            ("2026-10-25 02:30:00", "2026-10-24"),
        ],
    )
    def test_is_two_in_the_night_at_the_campground(self, seeblick: Tenant, now: str, last: str) -> None:
        books = books_of(seeblick)

        assert last_finished_day(books, now=at(now)) == date.fromisoformat(last)

    def test_waits_for_the_end_of_a_long_day(self, seeblick: Tenant) -> None:
        seeblick.cutoff_hour = 5
        books = books_of(seeblick)

        assert last_finished_day(books, now=at("2026-04-30 04:59")) == date(2026, 4, 28)
        assert last_finished_day(books, now=at("2026-04-30 05:00")) == DAY

    @given(
        now=MOMENTS,
        hour=st.integers(0, 23),
        cutoff=st.integers(0, 12),
        zone=st.sampled_from(["Europe/Zurich", "Pacific/Auckland", "America/St_Johns", "UTC"]),
    )
    def test_never_strikes_before_the_day_has_ended(self, now: datetime, hour: int, cutoff: int, zone: str) -> None:
        books = JournalSettings(tenant=Tenant(zone=zone, cutoff_hour=cutoff), posting_hour=hour)
        day = last_finished_day(books, now=now)

        assert bounds_of(day, zone=ZoneInfo(zone), cutoff_hour=cutoff)[1] <= now
        assert last_finished_day(books, now=now + timedelta(days=1)) > day


@pytest.mark.django_db
class TestRunDue:
    def test_posts_yesterday_and_nothing_twice(
        self, seeblick: Tenant, waldrand: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        sell(waldrand, "99.00")

        first = list(run_due(clock=clock))
        clock.go_on(minutes=1)
        second = list(run_due(clock=clock))

        assert [(done.tenant, done.opened, len(done.worked_on)) for done in first] == [(seeblick, 1, 1)]
        assert second == []
        assert states(seeblick) == {"2026-04-29/0": State.POSTED}
        assert states(waldrand) == {}
        assert len(business_one.live()) == 1

    def test_does_nothing_before_the_hour(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one, posting_hour=3)
        sell(seeblick, "12.50")

        assert list(run_due(clock=clock)) == []

    def test_leaves_alone_who_is_switched_off(self, seeblick: Tenant, waldrand: Tenant, clock: StandingClock) -> None:
        books_of(seeblick, enabled=False)
        books_of(waldrand)
        Tenant.objects.filter(pk=waldrand.pk).update(is_active=False)

        assert list(run_due(clock=clock)) == []

    def test_catches_up_missed_days_in_order_and_empty_ones_too(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50", day=DAY)
        sell(seeblick, "20.00", day=DAY + timedelta(days=2))
        clock.go_on(days=3)

        list(run_due(clock=clock))

        assert states(seeblick) == {
            "2026-04-29/0": State.POSTED,
            "2026-04-30/0": State.NOTHING,
            "2026-05-01/0": State.POSTED,
            "2026-05-02/0": State.NOTHING,
        }
        assert [each["ReferenceDate"] for each in business_one.live()] == ["2026-04-29", "2026-05-01"]

    def test_leaves_out_what_was_sold_before_the_first_day(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50", day=DAY - timedelta(days=1))

        list(run_due(clock=clock))

        assert states(seeblick) == {"2026-04-29/0": State.NOTHING}

    def test_puts_late_sales_into_a_supplement_of_their_day_once_a_night(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        list(run_due(clock=clock))
        sell(seeblick, "5.00")
        clock.go_on(hours=1)
        nothing = list(run_due(clock=clock))
        sell(seeblick, "7.00")
        clock.go_on(days=1)
        list(run_due(clock=clock))

        assert nothing == []
        assert states(seeblick) == {
            "2026-04-29/0": State.POSTED,
            "2026-04-29/1": State.POSTED,
            "2026-04-30/0": State.NOTHING,
        }
        supplement = Journal.objects.get(supplement=1)
        assert supplement.day_totals.total_amount == Decimal("12.00")
        assert [each["ReferenceDate"] for each in business_one.live()] == ["2026-04-29"] * 2

    def test_tries_again_after_longer_and_longer_pauses(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        pauses = []
        for _turn in range(12):
            business_one.booking_faults.append(Fault.REFUSED)
            list(run_due(clock=clock))
            revision = Revision.objects.get(journal__business_date=DAY)
            assert revision.next_try_at is not None
            pauses.append(revision.next_try_at - clock())
            clock.now = revision.next_try_at

        assert pauses[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
        assert max(pauses) == pauses[-1] == timedelta(hours=6)
        business_one.booking_faults.clear()
        list(run_due(clock=clock))
        assert states(seeblick)["2026-04-29/0"] == State.POSTED

    def test_spares_a_sap_that_cannot_be_reached(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one)
        for number in range(3):
            sell(seeblick, "12.50", day=DAY + timedelta(days=number))
        clock.go_on(days=2)
        business_one.reading_faults.append(Fault.GATEWAY_BEFORE)

        list(run_due(clock=clock))

        assert list(states(seeblick).values()) == [State.FAILED, State.DRAFT, State.DRAFT]

    def test_goes_on_where_sap_refuses_one_day(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one)
        for number in range(2):
            sell(seeblick, "12.50", day=DAY + timedelta(days=number))
        clock.go_on(days=1)
        business_one.booking_faults.append(Fault.REFUSED)

        list(run_due(clock=clock))

        assert list(states(seeblick).values()) == [State.FAILED, State.POSTED]

    def test_keeps_one_campgrounds_trouble_from_the_other(
        self, seeblick: Tenant, waldrand: Tenant, clock: StandingClock
    ) -> None:
        books_of(seeblick, flavor=Flavor.BUSINESS_ONE, sealed_password="not-sealed-by-us", url="https://sap.example/")
        books_of(waldrand)
        sell(seeblick, "12.50")
        sell(waldrand, "99.00")

        done = {each.tenant: each for each in run_due(clock=clock)}

        assert [revision.state for revision in done[seeblick].worked_on] == [State.FAILED]
        assert states(waldrand) == {"2026-04-29/0": State.POSTED}

    def test_asks_again_for_the_number_of_a_storno(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        list(run_due(clock=clock))
        key = next(iter(business_one.entries))
        business_one._cancel(key)
        Revision.objects.update(state=State.REVERSING)
        Revision.objects.update(state=State.REVERSED, reversed_at=clock(), next_try_at=clock())

        list(run_due(clock=clock))

        assert Revision.objects.get().reversal_number == str(business_one.reversed_by[key] + 5000)

    def test_without_sap_makes_journals_final(self, seeblick: Tenant, clock: StandingClock) -> None:
        books_of(seeblick)
        sell(seeblick, "12.50")

        list(run_due(clock=clock))

        assert states(seeblick) == {"2026-04-29/0": State.POSTED}


@pytest.mark.django_db
class TestMembers:
    def test_are_in_one_journal_for_ever(self, seeblick: Tenant, clock: StandingClock) -> None:
        books = books_of(seeblick)
        first = sell(seeblick, "12.50")
        main = open_journal(books, DAY, at=clock(), even_empty=True)
        second = sell(seeblick, "5.00")
        supplement = open_journal(books, DAY, at=clock(), even_empty=False)
        nothing = open_journal(books, DAY, at=clock(), even_empty=False)

        assert main is not None
        assert supplement is not None
        assert nothing is None
        assert dict(JournalSale.objects.values_list("transaction_id", "journal_id")) == {
            first: main.pk,
            second: supplement.pk,
        }

    def test_of_the_neighbour_are_his(self, seeblick: Tenant, waldrand: Tenant, clock: StandingClock) -> None:
        sell(waldrand, "99.00", method=PaymentMethod.CARD)
        journal = open_journal(books_of(seeblick), DAY, at=clock(), even_empty=True)

        assert journal is not None
        assert journal.sale_count == 0
        assert journal.day_totals.total_amount == ZERO
