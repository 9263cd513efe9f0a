"""Closing a day in a browser: the count adds up while it is typed, and what is shown is what is kept."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from kasse.business_day import business_date
from kasse.closing_models import DailyClose
from kasse.models import Source
from tenants.models import Tenant, User
from tests.browser.conftest import sign_in, with_password
from tests.browser.usable import beyond_the_edge, violations
from tests.kasse.selling import sell


@pytest.fixture
def anna(seeblick: Tenant, waldrand: Tenant) -> User:
    return with_password(seeblick, username="anna", first_name="Anna")


@pytest.fixture
def address(live_server: LiveServer, seeblick: Tenant) -> str:
    """Of the campground's today, with some sales."""
    today = business_date(timezone.now(), zone=seeblick.zone_info, cutoff_hour=seeblick.cutoff_hour)
    sell(seeblick, "1231.35", day=today)
    sell(seeblick, "30.00", day=today, source=Source.EXTERNAL_POS, rate=None)
    return f"{live_server.url}/kasse/abschluss/{today}"


def assert_everyone_can_use(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": 390, "height": 844})
        assert beyond_the_edge(page) <= 0, page.url
        page.set_viewport_size({"width": 1280, "height": 900})
        assert violations(page) == []


class TestClosingADay:
    def test_adds_up_while_the_count_is_typed(
        self, page: Page, live_server: LiveServer, anna: User, address: str
    ) -> None:
        sign_in(page, live_server, anna)
        page.goto(address)
        expect(page.locator("#count")).to_be_hidden()
        assert_everyone_can_use(page)

        page.fill("#id_first_float", "200")
        page.fill("#id_pieces_100000", "1")
        page.fill("#id_pieces_10000", "4")
        page.fill("#id_other", "1'031,30")

        expect(page.locator("#expected")).to_have_text("1'431.35")
        expect(page.locator("#counted")).to_have_text("2'431.30")
        expect(page.locator("#variance")).to_have_text("999.95")
        page.fill("#id_other", "31,30")
        expect(page.locator("#variance")).to_have_text("-0.05")
        page.press("#id_other", "Enter")
        expect(page.locator("#variance")).to_have_text("-0.05")
        assert not DailyClose.objects.exists()

    def test_shows_the_report_that_was_kept(
        self, page: Page, live_server: LiveServer, anna: User, address: str
    ) -> None:
        sign_in(page, live_server, anna)
        page.goto(address)
        page.fill("#id_first_float", "0")
        page.fill("#id_other", "1231.30")
        page.check("#id_final")
        page.click("#close")
        expect(page.locator("#id_variance_reason_error")).to_be_visible()
        assert_everyone_can_use(page)
        page.fill("#id_variance_reason", "Fünfer fehlt")
        page.click("#close")

        expect(page.locator("#drawer")).to_contain_text("1'231.30")
        assert_everyone_can_use(page)
        kept = DailyClose.objects.get()
        assert (kept.variance, kept.closed_by) == (Decimal("-0.05"), anna)
        for path in ("/kasse/abschluss", "/kasse/abschluss/woche", "/kasse/abschluss/einstellungen"):
            page.goto(f"{live_server.url}{path}")
            assert_everyone_can_use(page)
