"""What the product page describes: mint a key, paste the token into a till, revoke it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tenants.models import Tenant
from tests.browser.calling import call
from tests.browser.conftest import sign_in, with_password
from tests.till import croissants_and_coffee


def generate(page: Page, live_server: LiveServer, name: str) -> None:
    """From the list of keys to the page with the token."""
    page.goto(f"{live_server.url}/admin/apikeys/apikey/")
    page.get_by_role("link", name="Create new key").click()
    page.fill("#id_name", name)
    page.get_by_label("pos:read").check()
    page.get_by_label("pos:write").check()
    page.get_by_role("button", name="Generate").click()


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant, settings: Any) -> Page:
    """The tenant_admin of Seeblick, before the admin's first page, in the product page's language."""
    settings.LANGUAGE_CODE = "en"
    page.context.add_cookies([{"name": "language", "value": "en", "url": live_server.url}])
    sign_in(page, live_server, with_password(seeblick, username="chefin"))
    return page


class TestAKey:
    def test_is_minted_copied_used_and_revoked(self, signed_in: Page, live_server: LiveServer) -> None:
        page = signed_in
        generate(page, live_server, "Lightspeed shop till")
        token, url = page.input_value("#token"), page.input_value("#api-url")
        assert call(url, token, croissants_and_coffee()) == 201
        assert call(url, token, croissants_and_coffee()) == 200

        page.get_by_role("link", name="Done, I have saved it").click()
        row = page.locator("#content tr").filter(has_text="Lightspeed shop till")
        expect(row).to_contain_text(token[:11])
        row.get_by_role("checkbox").check()
        page.select_option("select[name=action]", "revoke_keys")
        page.locator(".actions button[type=submit]").click()
        expect(page.locator("#content table")).to_contain_text("Lightspeed shop till")
        assert call(url, token) == 200
        page.get_by_role("button", name="Revoke for ever").click()

        expect(page.locator("#content tr").filter(has_text="Lightspeed shop till")).to_contain_text("revoked")
        assert call(url, token) == 401

    def test_shows_its_token_once(self, signed_in: Page, live_server: LiveServer) -> None:
        page = signed_in
        generate(page, live_server, "Zettle")
        token = page.input_value("#token")
        expect(page).to_have_url(f"{live_server.url}/admin/apikeys/apikey/")

        page.reload()

        expect(page.locator("#content tr").filter(has_text="Zettle")).to_have_count(1)
        assert token not in page.content()
        page.go_back()
        assert token not in page.content()

    def test_can_be_copied_with_one_click(self, signed_in: Page, live_server: LiveServer) -> None:
        page = signed_in
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        generate(page, live_server, "Zettle")

        page.get_by_role("button", name="Copy").click()

        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == page.input_value("#token")

    def test_is_offered_for_ones_own_campground_alone(self, signed_in: Page, live_server: LiveServer) -> None:
        page = signed_in
        page.goto(f"{live_server.url}/admin/apikeys/apikey/add/")

        assert page.locator("#id_tenant option").all_inner_texts()[1:] == ["Camping Seeblick"]
        expect(page.locator("#id_tenant option:checked")).to_have_text("Camping Seeblick")


class TestTheApiDescription:
    def test_shows_every_operation_without_the_internet(self, page: Page, live_server: LiveServer) -> None:
        page.goto(f"{live_server.url}/api/v1/docs/")

        operations = page.locator(".opblock")
        one_or_many = operations.filter(has_text="POST").filter(has_text="transactions/")
        expect(one_or_many).to_have_count(2)
        for path in ("transactions/{external_ref}/", "products/", "ping/"):
            expect(operations.filter(has_text="GET").filter(has_text=path)).to_have_count(1)
