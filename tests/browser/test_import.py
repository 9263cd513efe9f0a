"""An import in a real browser: a file is brought, put right, tried, imported, and watched to its end."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from kasse.models import Transaction
from tenants.models import Tenant
from tests.browser.conftest import sign_in, with_password
from tests.browser.usable import beyond_the_edge, violations_in_both_lights
from tests.pos_bridge.import_files import HEADER, csv_file

PAGE = "/einstellungen/integrationen/import"
ROWS = [["29.04.2026", "18:05", str(number), "Kurtaxe", "3.50", "8.1%"] for number in range(1, 41)]
WRONG = ["29.04.2026", "18:05", "41", "Bar", "<b>viel</b>", "8.1%"]


@pytest.fixture
def office(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> Page:
    """An admin of Seeblick, signed in, before the page of imports."""
    sign_in(page, live_server, with_password(seeblick, username="chefin"))
    page.goto(f"{live_server.url}{PAGE}")
    return page


def bring(page: Page) -> None:
    content = csv_file(["Tag", *HEADER[1:]], *ROWS, WRONG)
    page.set_input_files("#id_file", {"name": "april.csv", "mimeType": "text/csv", "buffer": content})
    page.click("#bring")


class TestAnImport:
    def test_is_put_right_tried_and_imported(self, office: Page) -> None:
        bring(office)
        expect(office.locator("#unreadable")).to_have_text("41")
        office.select_option("[name='payment-Kurtaxe']", "VOUCHER")
        office.click("#look")
        expect(office.locator("#unreadable")).to_have_text("1")
        assert violations_in_both_lights(office) == []

        office.click("#try")
        expect(office.locator("#report")).to_contain_text("<b>viel</b>")
        assert not Transaction.objects.exists()
        assert violations_in_both_lights(office) == []

        office.click("#import")
        expect(office.locator("[data-fate=created] strong")).to_have_text("40")
        expect(office.locator("#layout")).to_have_count(0)
        assert Transaction.objects.filter(payment_method="VOUCHER").count() == 40
        assert violations_in_both_lights(office) == []

    def test_goes_on_where_its_page_was_closed(self, office: Page) -> None:
        bring(office)
        office.select_option("[name='payment-Kurtaxe']", "VOUCHER")
        office.route("**/weiter", lambda route: route.abort())
        office.click("#import")
        expect(office.locator("#progress")).to_be_visible()
        assert violations_in_both_lights(office) == []
        office.goto("about:blank")
        assert not Transaction.objects.exists()

        office.unroute("**/weiter")
        office.go_back()

        expect(office.locator("[data-fate=created] strong")).to_have_text("40")

    @pytest.mark.parametrize("width", [360, 1280])
    def test_fits_the_screen(self, office: Page, width: int) -> None:
        office.set_viewport_size({"width": width, "height": 800})
        assert beyond_the_edge(office) == 0
        bring(office)
        expect(office.locator("#columns")).to_be_visible()
        assert beyond_the_edge(office) == 0
        office.click("#try")
        expect(office.locator("#report")).to_be_visible()
        assert beyond_the_edge(office) == 0
