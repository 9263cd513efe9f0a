"""What goes wrong at one day or one campground, and must not keep the others from being posted."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from unittest.mock import patch

import pytest

from journal.due import run_due
from journal.hands import Hands
from journal.models import Journal, Outcome, Revision, State
from journal.opening import Gathered, gather
from journal.overview import pill_of
from journal.posting import post
from journal.settings_models import JournalSettings
from kasse.models import PaymentMethod
from tenants.models import Tenant
from tests.journal.books import DAY, StandingClock, books_of, in_business_one
from tests.journal.fake_business_one import FakeBusinessOne
from tests.journal.faults import Fault
from tests.kasse.selling import sell

pytestmark = pytest.mark.django_db


def run(clock: StandingClock) -> str:
    """What ran into trouble, if anything."""
    return " ".join(done.trouble for done in run_due(clock=clock))


def sell_in_two_currencies(tenant: Tenant, day: date = DAY) -> None:
    sell(tenant, "12.50", day=day)
    tenant.currency = "EUR"
    sell(tenant, "12.50", day=day)
    tenant.currency = "CHF"


class TestADayOfTwoCurrencies:
    def test_keeps_no_other_day_from_being_posted(
        self, seeblick: Tenant, waldrand: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one, first_date=DAY - timedelta(days=1))
        sell_in_two_currencies(seeblick, DAY - timedelta(days=1))
        sell(seeblick, "12.50")
        in_business_one(waldrand, business_one)
        sell(waldrand, "7.00")

        assert "CHF, EUR" in run(clock)

        posted = Revision.objects.filter(state=State.POSTED)
        assert {(each.tenant, each.journal.business_date) for each in posted} == {(seeblick, DAY), (waldrand, DAY)}

    def test_keeps_no_lost_answer_from_being_looked_up(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        business_one.booking_faults.append(Fault.DROP_AFTER)
        run(clock)
        sell_in_two_currencies(seeblick, DAY + timedelta(days=1))
        clock.go_on(days=1)

        run(clock)

        assert Revision.objects.get(journal__business_date=DAY).state == State.POSTED

    def test_is_told_once_a_night_and_gathered_when_it_can_be(self, seeblick: Tenant, clock: StandingClock) -> None:
        books_of(seeblick)
        sell_in_two_currencies(seeblick)

        assert run(clock) != ""
        clock.go_on(minutes=1)
        assert run(clock) == ""
        clock.go_on(days=1)
        assert run(clock) != ""
        assert not Journal.objects.filter(business_date=DAY).exists()


class TestWhatNobodyThoughtOf:
    def test_at_one_campground_is_told_and_leaves_the_others_alone(
        self, seeblick: Tenant, waldrand: Tenant, clock: StandingClock
    ) -> None:
        for tenant in (seeblick, waldrand):
            books_of(tenant)
            sell(tenant, "12.50")
        broken = min(seeblick.pk, waldrand.pk)

        def fails_there(settings: JournalSettings, *, through: date, at: datetime) -> Gathered:
            if settings.pk == broken:
                raise ZeroDivisionError("A stranger's secret")
            return gather(settings, through=through, at=at)

        with patch("journal.due.gather", fails_there):
            said = {done.tenant.pk: done.trouble for done in run_due(clock=clock)}

        assert said[broken] == "ZeroDivisionError"
        assert Revision.objects.get().state == State.POSTED

    def test_with_one_journal_leaves_the_next_days_alone(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one, first_date=DAY - timedelta(days=1))
        for day in (DAY - timedelta(days=1), DAY):
            sell(seeblick, "12.50", day=day)

        def fails_once(revision: Revision, hands: Hands) -> Revision:
            if revision.journal.business_date < DAY:
                raise ZeroDivisionError
            return post(revision, hands)

        with patch("journal.due.post", fails_once):
            assert run(clock) == "ZeroDivisionError"

        assert Revision.objects.get(journal__business_date=DAY).state == State.POSTED


class TestAPasswordThatCannotBeRead:
    def test_is_said_on_the_journal_in_red(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        settings = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        JournalSettings.objects.filter(pk=settings.pk).update(sealed_password="sealed-by-another-server")

        run(clock)

        revision = Revision.objects.get()
        assert (revision.state, pill_of(revision), revision.tries) == (State.FAILED, "red", 1)
        assert revision.next_try_at == clock() + timedelta(minutes=1)
        assert revision.attempts.get().outcome == Outcome.UNREACHED
        assert not business_one.calls


class TestAClockThatRanAhead:
    def test_and_was_put_right_stops_the_books_no_longer(self, seeblick: Tenant, clock: StandingClock) -> None:
        books_of(seeblick)
        clock.go_on(days=40)
        run(clock)
        clock.go_on(days=-40)
        sell(seeblick, "12.50", method=PaymentMethod.CARD)
        sell(seeblick, "3.00", day=DAY + timedelta(days=1))

        run(clock)
        clock.go_on(days=1)
        run(clock)

        for day in (DAY, DAY + timedelta(days=1)):
            assert Journal.objects.filter(business_date=day, sale_count=1).count() == 1
