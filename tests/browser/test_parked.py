"""From the pill to the ledger: a parked sale is booked as a new one, by a person with a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from kasse.models import Transaction
from pos_bridge.models import ParkedDecision, ParkedSale
from tenants.models import Tenant
from tests.browser.conftest import sign_in, with_password
from tests.browser.usable import beyond_the_edge, violations_in_both_lights
from tests.factories import mint
from tests.till import Till, croissants_and_coffee

REFERENCE = "seeblick-2026-04-29-T-1"
HOSTILE = "<script>document.title = 'taken'</script>"
ONE_COFFEE = croissants_and_coffee(
    total_amount="5.50",
    items=[{"description": HOSTILE, "quantity": 1, "unit_price": "5.50", "line_total": "5.50"}],
    metadata={HOSTILE: HOSTILE},
)


@pytest.fixture
def office(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> Page:
    """An admin of Seeblick, signed in, after the till has used a reference twice."""
    user = with_password(seeblick, username="chefin", first_name="Rosa")
    till = Till(mint(seeblick).token)
    assert till.post(croissants_and_coffee()).status_code == 201
    assert till.post(ONE_COFFEE).status_code == 409
    sign_in(page, live_server, user)
    return page


class TestAParkedSale:
    def test_is_booked_as_a_new_one_and_seen_in_the_ledger(self, office: Page, live_server: LiveServer) -> None:
        office.goto(f"{live_server.url}/einstellungen/integrationen")
        expect(office.locator("#pill")).to_have_attribute("data-colour", "yellow")
        office.locator("[data-reason=parked_sales] a").click()
        assert violations_in_both_lights(office) == []

        office.locator("#waiting").get_by_role("link", name=REFERENCE, exact=True).click()
        expect(office.locator("[data-row=total_amount]")).to_contain_text("CHF 12.50")
        expect(office.locator("[data-row=total_amount] mark")).to_have_text("CHF 5.50")
        expect(office.locator("[data-row=items] mark").first).to_contain_text(HOSTILE)
        assert violations_in_both_lights(office) == []
        expect(office.locator("#new-reference")).to_have_text(f"{REFERENCE}~2")
        office.locator("#book").click()

        expect(office.locator("#nothing-waits")).to_be_visible()
        office.locator("#booked").click()
        booked = Transaction.objects.get(external_ref=f"{REFERENCE}~2")
        expect(office).to_have_url(f"{live_server.url}/kasse/transaktionen/{booked.pk}")
        expect(office.locator("main")).to_contain_text("5.50")
        office.goto(
            f"{live_server.url}/kasse/transaktionen?date_from=2026-04-29&date_to=2026-04-29&source=EXTERNAL_POS"
        )
        expect(office.get_by_role("row").filter(has_text=f"{REFERENCE}~2")).to_contain_text("5.50")
        assert "taken" not in office.title()

    def test_is_discarded_for_a_reason_alone(self, office: Page, live_server: LiveServer) -> None:
        parked = ParkedSale.objects.get()
        office.goto(f"{live_server.url}/einstellungen/integrationen/geparkt/{parked.pk}")

        office.locator("#discard").click()
        expect(office.locator("#discard-reason:invalid")).to_be_visible()
        assert not ParkedDecision.objects.exists()
        office.locator("#discard-reason").fill("Schulung")
        office.locator("#discard").click()

        expect(office.locator("#decided")).to_contain_text("Schulung")
        assert ParkedDecision.objects.get().reason == "Schulung"
        assert Transaction.objects.count() == 1
        assert violations_in_both_lights(office) == []

    def test_that_is_decided_elsewhere_meanwhile_is_not_decided_again(
        self, office: Page, live_server: LiveServer
    ) -> None:
        parked = ParkedSale.objects.get()
        address = f"{live_server.url}/einstellungen/integrationen/geparkt/{parked.pk}"
        office.goto(address)
        other = office.context.new_page()
        other.goto(address)
        other.locator("#keep").click()
        expect(other.locator("#nothing-waits")).to_be_visible()

        office.locator("#book").click()

        expect(office.locator(".message.warning")).to_contain_text("Rosa")
        expect(office.locator("#decision")).to_have_attribute("data-decision", "keep")
        assert Transaction.objects.count() == 1

    def test_can_be_decided_about_by_keyboard_on_a_phone(self, office: Page, live_server: LiveServer) -> None:
        office.set_viewport_size({"width": 390, "height": 800})
        office.goto(f"{live_server.url}/einstellungen/integrationen/geparkt/{ParkedSale.objects.get().pk}")
        assert beyond_the_edge(office) <= 0

        office.locator("#keep-reason").focus()
        office.keyboard.type("Doppelt getippt")
        office.keyboard.press("Enter")

        expect(office.locator("#decided")).to_contain_text("Doppelt getippt")


class TestTheTills:
    def test_stand_on_a_page_without_a_fault(self, office: Page, live_server: LiveServer) -> None:
        office.goto(f"{live_server.url}/einstellungen/integrationen/kassen")

        expect(office.locator("[data-till='Shop till'] [data-state]")).to_have_attribute("data-state", "good")
        assert violations_in_both_lights(office) == []
