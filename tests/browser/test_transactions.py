"""The list of sales in a real browser: with mouse, keyboard, on a phone, and without a script."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from kasse.models import Source, Transaction
from tenants.models import Role, Tenant, User
from tests.browser.conftest import sign_in, with_password
from tests.factories import mint
from tests.kasse.listed import LIST, OF_DAY, mixed, record, refund
from tests.kasse.sales import croissant

MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


@pytest.fixture
def reader(live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> User:
    """Staff of Seeblick; both campgrounds have sold, the neighbour more."""
    kiosk = mint(seeblick, name="Kiosk").key
    record(seeblick, source=Source.FRONT_DESK)
    for _ in range(3):
        record(seeblick, key=kiosk)
    mixed(seeblick, key=kiosk, in_cash="2.50", by_card="10.00")
    refund(seeblick, "-3.50", external_ref="R-1", refund_of="T-1", key=kiosk)
    for _ in range(9):
        mixed(waldrand, in_cash="100.00", by_card="100.00")
    return with_password(seeblick, Role.STAFF, username="rezeption")


@pytest.fixture
def desk(page: Page, live_server: LiveServer, reader: User) -> Page:
    """The list of the day, open."""
    sign_in(page, live_server, reader)
    page.goto(f"{live_server.url}{LIST}?{OF_DAY}")
    return page


def rows(page: Page) -> Locator:
    return page.locator("[data-sale]")


def amount(found: Locator) -> Decimal:
    return Decimal(found.get_attribute("data-amount") or "")


def amounts(found: Locator) -> list[Decimal]:
    return [amount(each) for each in found.all()]


class TestTheList:
    def test_is_filtered_by_source_at_once_and_in_the_address(self, desk: Page) -> None:
        expect(rows(desk)).to_have_count(6)

        desk.focus("#id_source")
        desk.keyboard.press("ArrowDown")

        expect(rows(desk)).to_have_count(1)
        expect(desk.locator("[data-source]")).to_have_attribute("data-source", "FRONT_DESK")
        expect(desk).to_have_url(re.compile("source=FRONT_DESK"))
        expect(desk.locator("#id_source")).to_be_focused()
        desk.select_option("#id_source", "EXTERNAL_POS")
        expect(rows(desk)).to_have_count(5)
        desk.reload()
        expect(rows(desk)).to_have_count(5)

    def test_has_chips_that_are_the_sum_of_its_rows(self, desk: Page) -> None:
        chips = desk.locator("[data-method]")
        total = desk.locator("[data-sum=total]")

        assert sum(amounts(chips)) == amount(total) == sum(amounts(desk.locator("[data-sale] [data-amount]")))
        assert amount(total) == Decimal("59.00")

        desk.locator("[data-method=CARD]").click()
        expect(rows(desk)).to_have_count(1)
        assert amount(desk.locator("[data-method=CARD]")) == Decimal("10.00")
        expect(desk.locator("#id_method")).to_have_value("CARD")
        desk.locator("[data-method=CARD][aria-current]").click()
        expect(rows(desk)).to_have_count(6)

    def test_is_exported_as_it_stands_there(self, desk: Page, tmp_path: Path) -> None:
        desk.select_option("#id_source", "EXTERNAL_POS")
        expect(rows(desk)).to_have_count(5)
        with desk.expect_download() as download:
            desk.locator("#as-csv").click()
        download.value.save_as(tmp_path / "list.csv")

        text = (tmp_path / "list.csv").read_bytes().decode("utf-8-sig")
        exported = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[1:]

        assert download.value.suggested_filename == "transaktionen-2026-04-29.csv"
        assert [row[3] for row in exported] == [each.get_attribute("data-sale") for each in rows(desk).all()]
        assert [Decimal(row[12].replace(",", ".")) for row in exported] == amounts(
            desk.locator("[data-sale] [data-amount]")
        )

    def test_says_beside_the_field_what_is_wrong_and_no_more_once_it_is_right(
        self, desk: Page, live_server: LiveServer
    ) -> None:
        desk.goto(f"{live_server.url}{LIST}?date_from=2026-04-29&date_to=2026-04-01")
        expect(desk.locator("#id_date_to-faults")).not_to_be_empty()
        expect(desk.locator("#faults")).to_be_visible()

        desk.fill("#id_date_to", "2026-04-29")

        expect(rows(desk)).to_have_count(6)
        expect(desk.locator("#id_date_to-faults")).to_be_empty()
        expect(desk.locator("#faults")).to_have_count(0)

    def test_of_many_days_is_summed_up_after_it_is_shown(self, desk: Page, live_server: LiveServer) -> None:
        desk.goto(f"{live_server.url}{LIST}?date_from=&date_to=")

        expect(desk.locator("[data-sum=total]")).to_have_attribute("data-amount", "59.00")

    def test_keeps_stored_markup_text(self, desk: Page, seeblick: Tenant) -> None:
        key = mint(seeblick, name=MARKUP[:100]).key
        record(
            seeblick,
            key=key,
            external_ref=MARKUP,
            refund_of=MARKUP,
            metadata={MARKUP: MARKUP},
            items=(croissant(description=MARKUP, sku=MARKUP[:60], category=MARKUP[:80]),),
            total_amount=Decimal("7.00"),
        )
        desk.reload()
        row = rows(desk).filter(has_text="onerror")
        expect(row).to_have_count(1)
        expect(row.locator("img, script")).to_have_count(0)

        row.get_by_role("link").first.click()

        expect(desk.locator("#lines")).to_contain_text(MARKUP)
        expect(desk.locator("#origin")).to_contain_text(MARKUP)
        expect(desk.locator("main img, main script")).to_have_count(0)
        assert not desk.title().startswith(("1", "2"))

    def test_is_worked_by_keyboard_alone(self, desk: Page) -> None:
        desk.focus("#id_q")
        desk.keyboard.type("R-1")
        desk.keyboard.press("Enter")
        expect(rows(desk)).to_have_count(1)
        expect(desk.locator("#id_q")).to_be_focused()
        link = rows(desk).get_by_role("link").first
        for _ in range(40):
            desk.keyboard.press("Tab")
            if link.evaluate("link => link === document.activeElement"):
                break
        expect(link).to_be_focused()

        desk.keyboard.press("Enter")

        expect(desk.locator("#amount")).to_contain_text("-3.50")
        desk.go_back()
        expect(rows(desk)).to_have_count(1)

    def test_asks_to_sign_in_once_the_session_is_over(self, desk: Page) -> None:
        desk.context.clear_cookies()

        desk.select_option("#id_source", "FRONT_DESK")

        expect(desk).to_have_url(re.compile("/anmelden"))

    def test_fits_a_phone(self, desk: Page) -> None:
        desk.set_viewport_size({"width": 390, "height": 844})
        desk.reload()

        expect(rows(desk).first).to_be_visible()
        expect(desk.locator("#id_source")).not_to_be_visible()
        assert desk.evaluate("document.documentElement.scrollWidth") <= 390
        desk.get_by_text(re.compile("Filter")).first.click()
        expect(desk.locator("#id_source")).to_be_visible()

    def test_shows_a_neighbour_nothing(self, desk: Page, live_server: LiveServer, waldrand: Tenant) -> None:
        theirs = Transaction.objects.filter(tenant=waldrand).first()
        assert theirs is not None
        for path in (f"{LIST}/{theirs.pk}", f"/einstellungen/integrationen/protokoll/beleg/{theirs.pk}"):
            answer = desk.goto(f"{live_server.url}{path}")
            assert answer is not None
            assert answer.status == 404


class TestWithoutAScript:
    def test_filters_sums_and_pages_are_there(self, browser: Browser, live_server: LiveServer, reader: User) -> None:
        context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        sign_in(page, live_server, reader)
        page.goto(f"{live_server.url}{LIST}?{OF_DAY}")
        page.select_option("#id_source", "EXTERNAL_POS")
        page.locator("#filters button").click()
        expect(rows(page)).to_have_count(5)
        expect(page.locator("[data-sum=total]")).to_have_attribute("data-amount", "46.50")

        page.goto(f"{live_server.url}{LIST}?date_from=&date_to=")
        page.locator("#sums a").click()

        expect(page.locator("[data-sum=total]")).to_have_attribute("data-amount", "59.00")
        expect(rows(page)).to_have_count(6)
        rows(page).filter(has=page.locator("[data-source=EXTERNAL_POS]")).get_by_role("link").first.click()
        page.locator("#call a").click()
        expect(page.locator("#no-call")).to_be_visible()
        context.close()
