"""A key replaced in a browser: the new token is shown once, the till sells on meanwhile, and the list tells both."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from apikeys.models import ApiKey
from tenants.models import Role, Tenant
from tests.browser.calling import call
from tests.browser.conftest import sign_in, with_password
from tests.factories import mint
from tests.till import croissants_and_coffee

KEYS = "/einstellungen/integrationen/schluessel"


@pytest.fixture
def chief(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> Page:
    mint(waldrand, name="Kiosk")
    person = with_password(seeblick, Role.TENANT_ADMIN, username="chefin", is_staff=False)
    sign_in(page, live_server, person)
    return page


class TestAKeyThatIsReplaced:
    def test_sells_on_until_its_till_has_the_new_token(
        self, chief: Page, live_server: LiveServer, seeblick: Tenant
    ) -> None:
        page, old = chief, mint(seeblick, name="Kiosk", networks=["127.0.0.1/32"])
        page.goto(live_server.url + KEYS)
        page.click(f'a[href="{KEYS}/{old.key.pk}/ersetzen"]')
        page.click("#generate")
        token, url = page.input_value("#token"), page.input_value("#api-url")
        expect(page.locator("#overlap")).to_be_visible()
        assert call(url, old.token, croissants_and_coffee()) == 201

        page.click("#saved")
        expect(page.locator("[data-waited-for]")).to_have_count(1)
        expect(page.locator("[data-successor]")).to_have_count(1)
        assert call(url, token, croissants_and_coffee()) == 200
        page.reload()

        expect(page.locator("[data-waited-for]")).to_have_count(0)
        assert call(url, old.token) == 200
        assert token not in page.content()

    def test_shows_the_new_token_once(self, chief: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        page, old = chief, mint(seeblick, name="Kiosk")
        page.goto(f"{live_server.url}{KEYS}/{old.key.pk}/ersetzen")
        page.click("#generate")
        token = page.input_value("#token")

        page.reload()

        expect(page.locator("#keys tbody tr")).to_have_count(2)
        assert token not in page.content()
        page.go_back()
        assert token not in page.content()
        assert ApiKey.objects.of(seeblick).count() == 2

    def test_is_shut_out_at_once_if_it_has_leaked(self, chief: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        page, old = chief, mint(seeblick, name="Kiosk")
        page.goto(f"{live_server.url}{KEYS}/{old.key.pk}/ersetzen")
        page.check("#id_leaked")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        token, url = page.input_value("#token"), page.input_value("#api-url")
        assert [call(url, each) for each in (token, old.token)] == [200, 401]


class TestAKeyThatIsChanged:
    def test_is_refused_elsewhere_from_its_next_call_on(
        self, chief: Page, live_server: LiveServer, seeblick: Tenant
    ) -> None:
        page, minted = chief, mint(seeblick, name="Kiosk")
        page.goto(live_server.url + KEYS)
        page.click(f'a[href="{KEYS}/{minted.key.pk}/aendern"]')
        page.fill("#id_networks", "192.0.2.7/24")
        page.click("#save")
        expect(page.locator("#id_networks")).to_have_attribute("aria-invalid", "true")
        page.fill("#id_networks", "192.0.2.0/24\n2001:db8::/48")
        page.click("#save")

        expect(page.locator("#keys tbody tr")).to_contain_text("Kiosk")
        assert call(f"{live_server.url}/api/v1/public/pos/transactions/", minted.token) == 403
