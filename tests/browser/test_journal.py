"""The books in a real browser: set up, looked at, reversed, posted again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from journal.due import run_due
from journal.models import Revision, State
from kasse.models import PaymentMethod
from tenants.models import Tenant, User
from tests.browser.conftest import sign_in, with_password
from tests.browser.usable import violations
from tests.factories import TenantFactory
from tests.journal.books import books_of
from tests.kasse.selling import sell


@pytest.fixture
def chief(live_server: LiveServer) -> User:
    """The admin of a campground that has posted a day in order, and one with an amount that nobody has mapped."""
    seeblick: Tenant = TenantFactory.create(slug="seeblick", name="Camping Seeblick")
    day = (timezone.now() - timedelta(days=4)).date()
    books_of(seeblick, first_date=day)
    sell(seeblick, "12.50", day=day)
    sell(seeblick, "8.00", day=day + timedelta(days=1), method=PaymentMethod.OTHER)
    list(run_due(clock=timezone.now))
    sell(seeblick, "5.00", day=day)
    return with_password(seeblick, username="anna")


class TestTheBooks:
    @pytest.mark.timeout(300)
    def test_can_be_kept_by_everyone(self, page: Page, live_server: LiveServer, chief: User) -> None:
        sign_in(page, live_server, chief)
        posted = Revision.objects.filter(state=State.POSTED).select_related("journal").order_by("pk")
        day = posted[0].journal.business_date
        paths = [
            "/buchhaltung/journal",
            f"/buchhaltung/journal/{day}/0",
            f"/buchhaltung/journal/{posted[1].journal.business_date}/0",
            f"/buchhaltung/journal/{timezone.localdate()}/0",
            "/einstellungen/sap",
            "/einstellungen/sap/konten",
        ]
        found = {}
        for path in paths:
            page.goto(f"{live_server.url}{path}")
            found[path] = violations(page)

        assert {path: what for path, what in found.items() if what} == {}

    @pytest.mark.timeout(120)
    def test_reverse_a_journal_and_post_it_again(self, page: Page, live_server: LiveServer, chief: User) -> None:
        sign_in(page, live_server, chief)
        first = Revision.objects.order_by("pk")[0]
        page.goto(f"{live_server.url}/buchhaltung/journal")
        page.locator(f'tr[data-journal="{first.journal}"] a').click()
        page.locator('input[name="sure"]').check()
        page.locator("#reverse").click()
        expect(page.locator("#state")).to_have_attribute("data-state", State.REVERSED)
        page.locator("#again").click()
        page.locator("#post").click()
        expect(page.locator("#state")).to_have_attribute("data-state", State.POSTED)

        states = Revision.objects.filter(journal=first.journal).order_by("revision").values_list("state", flat=True)
        assert list(states) == [State.REVERSED, State.POSTED]
