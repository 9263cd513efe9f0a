"""Settings → Integrations, as the product page tells it: mint a key, paste the token into a till, revoke it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apikeys.models import ApiKey
from pos_bridge.models import InboundCall
from tenants.models import Role, Tenant
from tests.browser.calling import call
from tests.browser.conftest import sign_in, with_password
from tests.factories import mint
from tests.till import croissants_and_coffee

CARD = "/einstellungen/integrationen"


def enter(page: Page, live_server: LiveServer, tenant: Tenant, role: Role = Role.TENANT_ADMIN) -> Page:
    """Sign in as somebody of the campground."""
    sign_in(page, live_server, with_password(tenant, role, username=f"{tenant.slug}-{role}", is_staff=False))
    return page


@pytest.fixture
def chief(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> Page:
    return enter(page, live_server, seeblick)


def generate(page: Page, live_server: LiveServer, name: str = "Lightspeed shop till") -> str:
    """From the list of keys to the page with the token, which is given back."""
    page.goto(f"{live_server.url}{CARD}/schluessel")
    page.click("#create-key")
    page.fill("#id_name", name)
    expect(page.get_by_label("pos:read")).to_be_checked()
    expect(page.get_by_label("pos:write")).to_be_checked()
    page.click("#generate")
    return page.input_value("#token")


class TestAKey:
    def test_is_minted_copied_used_and_revoked(self, chief: Page, live_server: LiveServer) -> None:
        page = chief
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        token = generate(page, live_server)
        url = page.input_value("#api-url")
        page.click("#copy-token")
        expect(page.locator("#copy-token")).to_contain_text("✓")
        assert page.evaluate("navigator.clipboard.readText()") == token
        assert call(url, token, croissants_and_coffee()) == 201
        assert call(url, token, croissants_and_coffee()) == 200

        page.click("#saved")
        row = page.locator("#keys tbody tr")
        expect(row).to_have_attribute("data-state", "active")
        expect(row).to_contain_text(token[:11])
        row.locator(".danger").click()
        dialog = page.locator("dialog[open]")
        expect(dialog).to_contain_text("Lightspeed shop till")
        assert call(url, token) == 200
        dialog.locator("button.danger").click()

        expect(row).to_have_attribute("data-state", "revoked")
        assert call(url, token) == 401

    def test_is_kept_by_whoever_thinks_better_of_it(self, chief: Page, live_server: LiveServer) -> None:
        page = chief
        token = generate(page, live_server)
        url = page.input_value("#api-url")
        page.click("#saved")

        page.click("#keys .danger")
        page.click("dialog[open] [data-close]")

        expect(page.locator("dialog[open]")).to_have_count(0)
        assert call(url, token) == 200

    def test_shows_its_token_once(self, chief: Page, live_server: LiveServer) -> None:
        page = chief
        token = generate(page, live_server)
        expect(page).to_have_url(f"{live_server.url}{CARD}/schluessel")

        page.reload()

        expect(page.locator("#keys tbody tr")).to_have_count(1)
        assert token not in page.content()
        page.go_back()
        assert token not in page.content()
        page.go_forward()
        assert token not in page.content()
        assert ApiKey.objects.count() == 1

    def test_is_minted_and_revoked_without_a_script(
        self, browser: Browser, live_server: LiveServer, seeblick: Tenant, settings: Any
    ) -> None:
        settings.PUBLIC_URL = live_server.url
        context = browser.new_context(java_script_enabled=False, locale="de-CH")
        page = enter(context.new_page(), live_server, seeblick)
        token = generate(page, live_server)
        page.reload()  # sends the form again

        expect(page.locator("#keys tbody tr")).to_have_count(1)
        assert token not in page.content()
        page.click("#keys .danger")
        page.click("#revoke")
        expect(page.locator("#keys tbody tr")).to_have_attribute("data-state", "revoked")
        context.close()


class TestTheCard:
    def test_follows_what_tills_do_and_leads_to_the_log(
        self, chief: Page, live_server: LiveServer, seeblick: Tenant
    ) -> None:
        page = chief
        token = mint(seeblick).token
        page.goto(f"{live_server.url}{CARD}")
        expect(page.locator("#pill")).to_have_attribute("data-colour", "green")

        call(page.input_value("#api-url"), token, croissants_and_coffee(total_amount="1.00"))

        expect(page.locator("#pill")).to_have_attribute("data-colour", "yellow", timeout=15_000)
        page.click("#today [data-outcome=refused]")
        row = page.locator("#calls-table tbody tr")
        expect(row).to_have_attribute("data-code", "total_mismatch")
        row.locator("a").first.click()
        expect(page.locator("#meaning")).to_be_visible()

    def test_holds_still_where_somebody_wants_to_read(
        self, chief: Page, live_server: LiveServer, seeblick: Tenant
    ) -> None:
        page = chief
        page.goto(f"{live_server.url}{CARD}/protokoll")
        page.uncheck("[data-live-switch] input")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(6000)
        assert asked == []

        page.check("[data-live-switch] input")
        call(f"{live_server.url}/api/v1/public/pos/ping/", mint(seeblick).token)

        expect(page.locator("#calls-table tbody tr")).to_have_count(1, timeout=15_000)

    def test_switches_the_bridge_off_and_on(self, chief: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        page = chief
        token = mint(seeblick).token
        page.goto(f"{live_server.url}{CARD}")
        url = page.input_value("#api-url")

        page.click("#switch-off")
        page.click("dialog[open] button.danger")
        expect(page.locator("#pill")).to_have_attribute("data-colour", "grey")
        assert call(url, token, croissants_and_coffee()) == 403
        page.click("#switch-on")

        expect(page.locator("#pill")).not_to_have_attribute("data-colour", "grey")
        assert call(url, token, croissants_and_coffee()) == 201

    def test_leads_to_the_door_when_the_session_has_ended(self, chief: Page, live_server: LiveServer) -> None:
        page = chief
        page.goto(f"{live_server.url}{CARD}")

        page.context.clear_cookies()

        expect(page).to_have_url(f"{live_server.url}/anmelden?next={CARD}", timeout=15_000)


class TestTheLog:
    def test_narrows_as_soon_as_something_is_chosen(
        self, chief: Page, live_server: LiveServer, seeblick: Tenant
    ) -> None:
        page = chief
        token = mint(seeblick).token
        url = f"{live_server.url}/api/v1/public/pos/transactions/"
        for body in (croissants_and_coffee(), croissants_and_coffee(total_amount="1.00"), croissants_and_coffee()):
            call(url, token, body)
        page.goto(f"{live_server.url}{CARD}/protokoll")
        expect(page.locator("#calls-table tbody tr")).to_have_count(3)

        page.select_option("[name=status]", "4xx")

        expect(page.locator("#calls-table tbody tr")).to_have_count(1)
        assert "status=4xx" in page.url
        page.click("#clear")
        expect(page.locator("#calls-table tbody tr")).to_have_count(3)

    def test_leaves_markup_of_a_till_a_text(self, chief: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        page = chief
        name = "<img src=x onerror=alert(1)>"
        token = mint(seeblick, name=name).token
        call(
            f"{live_server.url}/api/v1/public/pos/transactions/", token, croissants_and_coffee(external_ref=f"{name}-1")
        )
        pk = InboundCall.objects.get().pk
        key = ApiKey.objects.get().pk
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))

        paths = ["schluessel", f"schluessel/{key}/widerrufen", "protokoll", f"protokoll/{pk}", "kasse-verbinden"]
        for path in [*paths, f"kasse-verbinden/{key}"]:
            page.goto(f"{live_server.url}{CARD}/{path}")
            expect(page.get_by_text(name).first).to_be_attached()
            expect(page.locator("img")).to_have_count(0)


class TestANeighbour:
    def test_finds_none_of_it(self, page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> None:
        minted = mint(seeblick, name="Seeblick Kiosk")
        call(f"{live_server.url}/api/v1/public/pos/transactions/", minted.token, croissants_and_coffee())
        enter(page, live_server, waldrand)

        for path in (
            f"schluessel/{minted.key.pk}/widerrufen",
            f"protokoll/{InboundCall.objects.get().pk}",
            f"kasse-verbinden/{minted.key.pk}",
        ):
            answer = page.goto(f"{live_server.url}{CARD}/{path}")
            assert answer
            assert answer.status == 404
        for path in ("", "/schluessel", "/protokoll", "/kasse-verbinden"):
            page.goto(f"{live_server.url}{CARD}{path}")
            assert "Seeblick Kiosk" not in page.content()
            assert "seeblick-2026" not in page.content()
