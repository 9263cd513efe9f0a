"""From the pill to quiet: missing receipts are ticked and explained, by a person with a mouse."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from pos_bridge.gap_models import ExplainedGap
from tenants.models import Role, Tenant
from tests.browser.conftest import sign_in, with_password
from tests.browser.usable import beyond_the_edge, violations_in_both_lights
from tests.factories import mint
from tests.pos_bridge.numbering import sell

HOSTILE = "<script>document.title = 'taken'</script>"


def miss_receipts(tenant: Tenant) -> None:
    """Two holes of two days ago, and numbers that leap."""
    before = timezone.now() - timedelta(days=2)
    sell(
        mint(tenant, name="Kiosk").key,
        [1040, 1044, 1046, 900_000],
        device=HOSTILE,
        since=before,
        received_at=before,
    )


class TestMissingReceipts:
    def test_are_ticked_and_explained(self, page: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        miss_receipts(seeblick)
        sign_in(page, live_server, with_password(seeblick, username="chefin", first_name="Rosa"))
        page.goto(f"{live_server.url}/einstellungen/integrationen")
        page.locator("[data-reason=missing_receipts] a").click()
        assert violations_in_both_lights(page) == []

        page.get_by_label("1041–1043").check()
        page.locator("#id_reason").fill("Schulung")
        page.locator("#explain button").click()

        expect(page.locator("[data-gap]")).to_have_count(1)
        expect(page.locator("[data-explained='1041–1043']")).to_contain_text("Schulung")
        page.locator("details summary").last.click()
        expect(page.locator("[data-leap]")).to_have_count(1)
        assert violations_in_both_lights(page) == []
        assert ExplainedGap.objects.of(seeblick).count() == 1
        assert "taken" not in page.title()

    def test_ask_for_something_to_be_ticked(self, page: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        miss_receipts(seeblick)
        sign_in(page, live_server, with_password(seeblick, username="chefin"))
        page.goto(f"{live_server.url}/einstellungen/integrationen/luecken")

        page.locator("#id_reason").fill("Schulung")
        page.locator("#explain button").click()

        expect(page.locator("#none-chosen")).to_be_visible()
        expect(page.locator("#id_reason")).to_have_value("Schulung")

    def test_are_looked_at_by_staff_on_a_phone(self, page: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        miss_receipts(seeblick)
        sign_in(page, live_server, with_password(seeblick, Role.STAFF, username="anna"))
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{live_server.url}/einstellungen/integrationen/luecken")

        expect(page.locator("[data-gap]")).to_have_count(2)
        expect(page.locator("#ask-an-admin")).to_be_visible()
        assert beyond_the_edge(page) == 0
        assert violations_in_both_lights(page) == []
