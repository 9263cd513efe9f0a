"""A campground that has moved to other books: what was posted to the former ones is undone there, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from journal.models import Revision, State
from journal.settings_models import JournalSettings
from journal.settling import settle_posting
from tenants.models import Tenant
from tests.factories import member
from tests.journal.books import StandingClock, books_in, in_business_one, in_s4hana, open_revision, post_it, reverse_it
from tests.journal.fake_business_one import NUMBER_AHEAD, FakeBusinessOne
from tests.journal.fake_s4hana import FakeS4Hana
from tests.journal.faults import Fault
from tests.kasse.selling import sell

pytestmark = pytest.mark.django_db


def move_to(settings: JournalSettings, sap: FakeBusinessOne | FakeS4Hana) -> None:
    settings.url = sap.url
    settings.save()


class TestReversing:
    def test_undoes_nobody_elses_document(
        self, seeblick: Tenant, waldrand: Tenant, sap: Any, clock: StandingClock
    ) -> None:
        settings = books_in(sap, seeblick)
        sell(seeblick, "12.50")
        revision = post_it(open_revision(settings, clock), settings, clock)
        production = type(sap)()
        try:
            theirs = books_in(production, waldrand)
            sell(waldrand, "99.00")
            assert post_it(open_revision(theirs, clock), theirs, clock).sap_key == revision.sap_key
            move_to(settings, production)

            after = reverse_it(revision, settings, clock)

            assert (after.state, len(production.live())) == (State.POSTED, 1)
            assert after.sentence
        finally:
            production.close()

    def test_of_another_company_code_is_left_alone_without_the_right_to_read(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock
    ) -> None:
        settings = in_s4hana(seeblick, s4hana, may_look_up=False)
        sell(seeblick, "12.50")
        revision = post_it(open_revision(settings, clock), settings, clock)
        settings.company = "1500"
        settings.save()
        calls = len(s4hana.calls)

        after = reverse_it(revision, settings, clock)

        assert (after.state, len(s4hana.calls)) == (State.POSTED, calls)

    def test_of_what_a_person_has_found_takes_the_entry_of_that_number(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        settings = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        business_one.booking_faults.append(Fault.DROP_AFTER)
        revision = post_it(open_revision(settings, clock), settings, clock)
        assert revision.state == State.UNKNOWN
        number = str(815 + NUMBER_AHEAD)
        settle_posting(revision, number=number, company=settings.company, clock=clock, by=member(seeblick))

        after = reverse_it(Revision.objects.get(pk=revision.pk), settings, clock)

        assert (after.state, after.reversal_number) == (State.REVERSED, str(816 + NUMBER_AHEAD))
        assert not business_one.live()
