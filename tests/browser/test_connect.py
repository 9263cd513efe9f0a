"""Connect a till: from a new key to its first sales, on one page."""

from __future__ import annotations

import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from apikeys.models import ApiKey
from kasse.models import Transaction
from tenants.models import Role, Tenant
from tests.browser.calling import call
from tests.browser.test_integrations import CARD, enter
from tests.till import croissants_and_coffee


@pytest.fixture
def connected(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> Page:
    """The page of a key that has just been minted."""
    enter(page, live_server, seeblick)
    page.goto(f"{live_server.url}{CARD}")
    page.click(f"a[href='{CARD}/kasse-verbinden']")
    page.fill("#id_name", "Kiosk am See")
    page.click("#generate")
    return page


def is_done(page: Page, *codes: str) -> None:
    """Wait until these are ticked off, and no others."""
    for code in codes:
        expect(page.locator(f"[data-step={code}]")).to_have_attribute("data-done", "yes", timeout=15_000)
    expect(page.locator("#steps [data-done=yes]")).to_have_count(len(codes))


class TestConnecting:
    def test_ticks_itself_off_while_the_till_is_tried(self, connected: Page, live_server: LiveServer) -> None:
        page = connected
        token, url = page.input_value("#token"), page.input_value("#api-url")
        is_done(page)

        call(url, token, croissants_and_coffee(external_ref=" blank "))
        expect(page.locator("#calls-table [data-code=validation_error]")).to_have_count(1, timeout=15_000)
        call(url, token, croissants_and_coffee(external_ref="kiosk-1"))
        call(url, token, croissants_and_coffee(external_ref="kiosk-1"))
        is_done(page, "created", "replayed")
        assert page.input_value("#token") == token
        back = [{"description": "Kaffee", "quantity": -1, "unit_price": "5.50", "line_total": "-5.50"}]
        call(url, token, croissants_and_coffee(external_ref="kiosk-2", total_amount="-5.50", items=back))
        call(f"{url}kiosk-2/", token)
        call(url.replace("transactions", "products"), token)

        is_done(page, "created", "replayed", "refunded", "read_back", "catalogue")
        expect(page.locator("#all-done")).to_be_visible()

    def test_shows_the_token_once_and_the_rest_again(self, connected: Page, live_server: LiveServer) -> None:
        page = connected
        token = page.input_value("#token")
        key = ApiKey.objects.get()
        expect(page).to_have_url(f"{live_server.url}{CARD}/kasse-verbinden/{key.pk}")
        call(page.input_value("#api-url"), token, croissants_and_coffee())

        page.reload()

        assert token not in page.content()
        expect(page.locator("#token")).to_have_count(0)
        is_done(page, "created")
        assert ApiKey.objects.count() == 1

    def test_shows_codes_that_can_be_scanned(self, connected: Page) -> None:
        for code in ("#token-qr", "#url-qr"):
            box = connected.locator(f"{code} svg").bounding_box()
            assert box
            assert box["width"] >= 140
            assert abs(box["width"] - box["height"]) < 1

    def test_gives_a_program_that_runs_as_it_is_copied(self, connected: Page) -> None:
        page = connected
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.click("summary:has-text('Python')")
        page.click("[data-copy='#snippet-python']")
        expect(page.locator("[data-copy='#snippet-python']")).to_contain_text("✓")
        program = page.evaluate("navigator.clipboard.readText()")

        ran = subprocess.run(
            [sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=60, check=True
        )

        assert ran.stdout.startswith("201 ")
        is_done(page, "created", "read_back", "catalogue")

    def test_gives_a_program_for_javascript_that_runs(self, connected: Page) -> None:
        page = connected
        program = page.locator("#snippet-javascript").text_content()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))

        page.evaluate(f"(async () => {{ {program.replace('run();', 'await run();')} }})()" if program else "")

        assert [text.split()[0] for text in said] == ["201", "200", "200"]
        assert Transaction.objects.get().total_amount == 0


class TestStaff:
    def test_looks_on_without_a_form(self, page: Page, live_server: LiveServer, seeblick: Tenant) -> None:
        enter(page, live_server, seeblick, Role.STAFF)
        page.goto(f"{live_server.url}{CARD}/kasse-verbinden")

        expect(page.locator("#content form")).to_have_count(0)
