"""Day totals and the start page, as people use them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from kasse.business_day import business_date
from kasse.models import Source
from tenants.models import Tenant
from tests.browser.conftest import sign_in, with_password
from tests.browser.usable import violations
from tests.factories import mint
from tests.kasse.selling import sell

PAGE = "/kasse/tagestotale"


@pytest.fixture
def anna(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> Page:
    """An admin of Seeblick who has signed in."""
    sign_in(page, live_server, with_password(seeblick, username="anna"))
    return page


def figure(text: str) -> float:
    """An amount as it is written, to reckon with."""
    return round(float(text.replace("'", "")) * 100)


class TestDayTotals:
    def test_lead_from_a_day_to_its_month_and_back(self, anna: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        today = business_date(timezone.now(), zone=seeblick.zone_info, cutoff_hour=0)
        sell(seeblick, "1234.50", day=today, source=Source.EXTERNAL_POS)
        sell(seeblick, "10.05", day=today - timedelta(days=1))

        anna.goto(f"{live_server.url}{PAGE}")
        expect(anna.locator("#takings")).to_have_text("1'234.50")
        anna.click("#previous")
        expect(anna.locator("#takings")).to_have_text("10.05")
        # A chosen day is shown at once, as soon as the script is there.
        anna.wait_for_load_state()
        anna.fill("#day", today.isoformat())
        expect(anna.locator("#takings")).to_have_text("1'234.50")
        anna.click("#kind-month")
        expect(anna.locator("#kind-month")).to_have_attribute("aria-current", "page")
        expect(anna.locator("#days-chart")).to_be_visible()

    def test_add_up_on_the_page_itself(self, anna: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        today = business_date(timezone.now(), zone=seeblick.zone_info, cutoff_hour=0)
        for number, source in enumerate((Source.EXTERNAL_POS, Source.FRONT_DESK) * 3):
            sell(seeblick, f"{number * 7}.15", day=today - timedelta(days=number % 3), source=source, category="Shop")

        anna.goto(f"{live_server.url}{PAGE}?from={today - timedelta(days=2)}&to={today}")
        takings = figure(anna.inner_text("#takings"))
        for table, column in (("days-figures", 4), ("hours-figures", 4), ("tills", 7)):
            cells = anna.locator(f"#{table} tbody tr > :nth-child({column})").all_inner_texts()
            assert sum(map(figure, cells)) == takings, table
        gross = anna.locator("#rates tbody tr > :nth-child(2)").all_inner_texts()
        assert sum(map(figure, gross)) == takings

    @pytest.mark.parametrize("appearance", ["light", "dark"])
    def test_are_for_everybody(self, anna: Page, live_server: LiveServer, seeblick: Tenant, appearance: str) -> None:
        today = business_date(timezone.now(), zone=seeblick.zone_info, cutoff_hour=0)
        for amount in ("12.50", "-3.00"):
            sell(seeblick, amount, day=today, source=Source.EXTERNAL_POS, rate=None)
        sell(seeblick, "8.00", day=today)
        anna.emulate_media(color_scheme=appearance)  # type: ignore[arg-type]  # one of its words
        for path in ("/", PAGE, f"{PAGE}?month={today:%Y-%m}", f"{PAGE}?from=x"):
            anna.goto(f"{live_server.url}{path}")
            assert violations(anna) == [], path

    def test_fit_on_paper(self, anna: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        """Nothing is wider than an A4 sheet within its margins, and nothing is hidden in a part that scrolls."""
        today = business_date(timezone.now(), zone=seeblick.zone_info, cutoff_hour=0)
        sell(seeblick, "123456.75", day=today, category="Stellplätze und Mietunterkünfte", source=Source.EXTERNAL_POS)
        anna.set_viewport_size({"width": 680, "height": 960})
        anna.emulate_media(media="print")
        for query in ("", f"?month={today:%Y-%m}", "?season=2026"):
            anna.goto(f"{live_server.url}{PAGE}{query}")
            cut = anna.evaluate(
                """[...document.querySelectorAll('main *')].filter(each => each.checkVisibility()
                    && each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 80))"""
            )
            assert cut == [], query
            assert anna.evaluate("getComputedStyle(document.querySelector('.scroll')).overflow") == "visible"

    def test_work_without_a_script(self, anna: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        """The chosen day comes with the button."""
        yesterday = business_date(timezone.now(), zone=seeblick.zone_info, cutoff_hour=0) - timedelta(days=1)
        sell(seeblick, "10.05", day=yesterday)
        anna.route("**/*.js", lambda route: route.abort())
        anna.goto(f"{live_server.url}{PAGE}")
        anna.fill("#day", yesterday.isoformat())
        anna.click("#choose button")

        expect(anna.locator("#takings")).to_have_text("10.05")


class TestTheStartPage:
    def test_shows_a_new_sale_by_itself(self, anna: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        mint(seeblick)
        anna.clock.install()
        anna.goto(live_server.url)
        expect(anna.locator("#first-step")).to_be_visible()
        sell(seeblick, "12.50", day=business_date(timezone.now(), zone=seeblick.zone_info, cutoff_hour=0))
        anna.clock.fast_forward(31_000)

        expect(anna.locator("#takings")).to_have_text("12.50")
        expect(anna.locator("#first-step")).to_have_count(0)
