"""The demo's books: a newcomer finds each finished day as a journal that adds up, and may take the books over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from campone.demo.books import keep_books
from campone.demo.campgrounds import PLANS, SEEBLICK, open_campgrounds
from campone.demo.history import fill_days
from journal.models import Journal, JournalSale, Revision, State
from journal.postings import sums_of
from journal.settings_models import Flavor, JournalSettings
from kasse.models import Transaction
from tenants.models import Tenant, User

AT = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def seeblick(db: None) -> Tenant:
    """The demo's Seeblick after four days."""
    tenants = open_campgrounds(at=AT)
    for plan in PLANS:
        fill_days(plan, tenants[plan.slug], days=4, at=AT, seed=1)
    return tenants[SEEBLICK.slug]


class TestTheBooks:
    def test_hold_every_finished_day_since_the_first(self, seeblick: Tenant) -> None:
        assert keep_books(seeblick, at=AT) == 3

        posted = Revision.objects.select_related("journal").order_by("journal__business_date")
        assert [each.journal.business_date for each in posted] == [AT.date() - timedelta(days=n) for n in (3, 2, 1)]
        assert {each.state for each in posted} == {State.POSTED}
        assert {each.tenant for each in posted} == {seeblick}
        assert all(each.posted_at and each.posted_at.date() - each.journal.business_date for each in posted)
        for each in posted:
            debit, credit = sums_of(each.postings)
            assert debit == credit > 0
        sold = Transaction.objects.of(seeblick).filter(business_date__lt=AT.date())
        assert JournalSale.objects.count() == sold.count()

    def test_are_gone_on_with_and_hold_nothing_twice(self, seeblick: Tenant) -> None:
        keep_books(seeblick, at=AT)

        assert keep_books(seeblick, at=AT) == 0
        fill_days(SEEBLICK, seeblick, days=4, at=AT + timedelta(days=1), seed=1)
        assert keep_books(seeblick, at=AT + timedelta(days=1)) == 1
        assert not Journal.objects.filter(supplement__gt=0).exists()

    @pytest.mark.parametrize("taken_over", [{"enabled": False}, {"flavor": Flavor.BUSINESS_ONE}])
    def test_that_somebody_has_taken_over_are_left_to_them(
        self, seeblick: Tenant, taken_over: dict[str, object]
    ) -> None:
        keep_books(seeblick, at=AT)
        JournalSettings.objects.update(**taken_over)

        assert keep_books(seeblick, at=AT + timedelta(days=3)) == 0
        assert Journal.objects.count() == 3

    def test_of_a_campground_that_has_sold_nothing_begin_today(self, seeblick: Tenant) -> None:
        empty = Tenant.objects.create(slug="murg", name="Camping Murg")

        assert keep_books(empty, at=AT) == 0
        assert JournalSettings.objects.get(tenant=empty).first_date == AT.date()

    def test_are_there_to_look_at(self, seeblick: Tenant) -> None:
        keep_books(seeblick, at=AT)
        client = Client()
        client.force_login(User.objects.get(username="seeblick"))

        assert client.get("/buchhaltung/journal").content.decode().count("data-journal=") == 3
