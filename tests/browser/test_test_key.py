"""A test key on the page: tried out, an answer lost, and the retry ticked off while one looks on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from kasse.models import Transaction
from tenants.models import Tenant
from tests.browser.calling import call
from tests.browser.test_integrations import CARD, enter
from tests.till import croissants_and_coffee


@pytest.fixture
def trying_out(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> Page:
    """The page of a test key that has just been minted."""
    enter(page, live_server, seeblick)
    page.goto(f"{live_server.url}{CARD}/kasse-verbinden")
    page.fill("#id_name", "Kiosk am See")
    page.check("#id_is_test")
    page.click("#generate")
    return page


class TestATestKey:
    def test_shows_the_loss_and_the_retry_while_one_looks_on(
        self, trying_out: Page, live_server: LiveServer, seeblick: Tenant
    ) -> None:
        page = trying_out
        token, url = page.input_value("#token"), page.input_value("#api-url")
        assert token.startswith("ckt_")
        expect(page.locator("#test-key")).to_be_visible()
        page.check("[name=mode][value=once]")
        page.click("#lose")
        expect(page.locator("#losing-now")).to_have_attribute("data-losing", "once")

        call(url, token, croissants_and_coffee(external_ref="kiosk-1"))
        expect(page.locator("[data-step=lost]")).to_have_attribute("data-done", "yes", timeout=15_000)
        expect(page.locator("[data-step=survived]")).to_have_attribute("data-done", "no")
        expect(page.locator("#losing-now")).to_have_attribute("data-losing", "never")
        call(url, token, croissants_and_coffee(external_ref="kiosk-1"))

        expect(page.locator("[data-step=survived]")).to_have_attribute("data-done", "yes", timeout=15_000)
        expect(page.locator("[data-test-sale=kiosk-1]")).to_have_count(1)
        expect(page.locator("#calls-table [data-code=answer_lost]")).to_have_count(1)
        assert not Transaction.objects.of(seeblick).exists()

    def test_is_emptied_after_a_question(self, trying_out: Page, live_server: LiveServer) -> None:
        page = trying_out
        call(page.input_value("#api-url"), page.input_value("#token"), croissants_and_coffee(external_ref="kiosk-1"))
        page.click("#forget-test-sales")
        expect(page).to_have_url(re.compile("probe-leeren$"))
        page.click("#forget")

        expect(page.locator("#test-sales-table")).to_have_count(0)
        expect(page.locator("[data-step=created]")).to_have_attribute("data-done", "no")
