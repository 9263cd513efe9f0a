"""Connecting a stock till in a real browser: from the card to the first bill, and one that waits, booked."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from adapters.models import Connection, VendorEvent
from kasse.models import Transaction
from tenants.models import Tenant, User
from tests.adapters.vendors_tills import LightspeedTill, connection_of, fondue
from tests.browser.conftest import sign_in, with_password
from tests.browser.usable import beyond_the_edge, violations
from tests.factories import mint

BASE = "/einstellungen/integrationen/adapter"


@pytest.fixture
def admin(live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> User:
    connection_of(waldrand, "lightspeed", name="Waldbeiz")
    return with_password(seeblick, username="seeblick")


@pytest.fixture
def desk(page: Page, live_server: LiveServer, admin: User) -> Page:
    sign_in(page, live_server, admin)
    return page


class TestConnectingATill:
    def test_from_the_card_to_the_first_bill(self, desk: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        desk.goto(f"{live_server.url}/einstellungen/integrationen")
        desk.click("#vendor-adapters a")
        expect(desk.locator("[data-vendor]")).to_have_count(3)
        expect(desk.locator("[data-connection]")).to_have_count(0)
        desk.click("[data-vendor=lightspeed] a")
        desk.fill("#id_name", "Restaurant")
        desk.fill("#id_methods", "Kaffeekasse = VOUCHER")
        desk.click("#connection-form button")

        address = desk.input_value("#address")
        assert address.startswith(f"{live_server.url}/api/v1/adapters/lightspeed/")
        expect(desk.locator("#pill")).to_have_attribute("data-colour", "yellow")

        LightspeedTill(Connection.objects.get(tenant=seeblick), mint(seeblick).token).charge(fondue())
        desk.reload()
        expect(desk.locator("#pill")).to_have_attribute("data-colour", "green")
        expect(desk.locator("[data-event][data-standing=recorded]")).to_have_count(1)

    def test_tells_by_the_field_what_is_wrong(self, desk: Page, live_server: LiveServer) -> None:
        desk.goto(f"{live_server.url}{BASE}/neu/lightspeed")
        desk.fill("#id_name", "Restaurant")
        desk.fill("#id_methods", "Muscheln = MUSCHELN")
        desk.click("#connection-form button")

        expect(desk.locator("#id_methods_error")).to_be_visible()
        assert desk.input_value("#id_name") == "Restaurant"


class TestABillThatWaits:
    def test_is_booked_once_the_setting_is_right(self, desk: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        restaurant = connection_of(seeblick, "lightspeed", scope="seeblick-restaurant")
        till = LightspeedTill(restaurant, mint(seeblick).token)
        till.charge(fondue(businessExternalReference="seeblick-terrasse", name="<img src=x onerror=alert(1)>"))
        desk.goto(f"{live_server.url}{BASE}/{restaurant.pk}")
        desk.click("[data-standing=parked] a")
        desk.click("#map-again")
        expect(desk.locator(".message.error")).to_be_visible()

        desk.goto(f"{live_server.url}{BASE}/{restaurant.pk}/aendern")
        desk.fill("#id_scope", "seeblick-terrasse")
        desk.click("#connection-form button")
        desk.click("[data-event] a")
        desk.click("#map-again")

        expect(desk.locator("#standing")).to_have_attribute("data-standing", "recorded")
        assert Transaction.objects.get().tenant == seeblick


class TestEveryPage:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_can_be_used_by_everybody(
        self, desk: Page, live_server: LiveServer, seeblick: Tenant, scheme: Any, width: int
    ) -> None:
        restaurant = connection_of(seeblick, "lightspeed", scope="x")
        LightspeedTill(restaurant, mint(seeblick).token).charge(fondue())
        event = VendorEvent.objects.get()
        desk.emulate_media(color_scheme=scheme)
        desk.set_viewport_size({"width": width, "height": 844})
        pages = ["", "/neu/zettle", f"/{restaurant.pk}", f"/{restaurant.pk}/aendern"]
        for path in [*pages, f"/{restaurant.pk}/ereignisse/{event.pk}"]:
            desk.goto(f"{live_server.url}{BASE}{path}")

            assert violations(desk) == [], path
            assert beyond_the_edge(desk) <= 0, path
