"""The second factor in a browser: set up with an app, asked for after the password, switched off again."""

from __future__ import annotations

import pytest
from django.utils import timezone
from django_otp.oath import TOTP
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tenants.models import Tenant, User
from tenants.second_factor import authenticator_of, has_second_factor, secret_of
from tenants.second_factor_models import Authenticator
from tests.browser.conftest import PASSWORD, sign_in, with_password
from tests.browser.usable import beyond_the_edge, violations


@pytest.fixture
def chief(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> User:
    person = with_password(seeblick, username="chefin", is_staff=False)
    sign_in(page, live_server, person)
    return person


def code_now(person: User) -> str:
    """What the app shows; it has shown none before."""
    Authenticator.objects.filter(user=person).update(last_step=-1, closed_until=None)
    device = authenticator_of(person)
    assert device
    clock = TOTP(secret_of(device))
    clock.time = timezone.now().timestamp()
    return f"{clock.token():06}"


def set_up(page: Page, live_server: LiveServer, person: User) -> list[str]:
    """With an app; the codes for paper."""
    page.goto(f"{live_server.url}/zugang")
    page.click("#begin-second-factor button")
    page.fill("#id_code", code_now(person))
    page.press("#id_code", "Enter")
    page.wait_for_selector("#recovery-codes")
    return page.locator("#recovery-codes code").all_inner_texts()


def begin_to_sign_in(page: Page, live_server: LiveServer, person: User) -> None:
    """As far as the password leads."""
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/anmelden?next=/kasse/transaktionen")
    page.fill("#id_username", person.username)
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_selector("#second-step")


def looked_at(page: Page) -> dict[str, object]:
    """What is wrong with the page as it stands, in both appearances and on a phone."""
    found: dict[str, object] = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found[scheme] = violations(page)
    page.set_viewport_size({"width": 390, "height": 844})
    found["phone"] = max(beyond_the_edge(page), 0)
    page.set_viewport_size({"width": 1280, "height": 900})
    return {where: what for where, what in found.items() if what}


class TestTheSecondFactor:
    def test_is_set_up_and_asked_for(self, page: Page, live_server: LiveServer, chief: User) -> None:
        papers = set_up(page, live_server, chief)
        assert len(papers) == 10
        assert looked_at(page) == {}

        begin_to_sign_in(page, live_server, chief)
        expect(page.locator("#id_code")).to_be_focused()
        assert looked_at(page) == {}
        page.fill("#id_code", "000000x")
        page.press("#id_code", "Enter")
        expect(page.locator("#id_code")).to_have_attribute("aria-invalid", "true")
        assert looked_at(page) == {}
        page.fill("#id_code", code_now(chief))
        page.press("#id_code", "Enter")

        page.wait_for_url("**/kasse/transaktionen")

    def test_lets_in_by_a_code_on_paper_and_is_switched_off_by_another(
        self, page: Page, live_server: LiveServer, chief: User
    ) -> None:
        papers = set_up(page, live_server, chief)
        begin_to_sign_in(page, live_server, chief)
        page.fill("#id_code", papers[0])
        page.press("#id_code", "Enter")
        page.wait_for_url("**/kasse/transaktionen")

        page.goto(f"{live_server.url}/zugang")
        assert looked_at(page) == {}
        page.fill("#id_code", papers[1])
        page.click("#remove-second-factor button")

        page.wait_for_selector("#begin-second-factor")
        assert not has_second_factor(chief)

    def test_can_be_set_up_without_scanning(self, page: Page, live_server: LiveServer, chief: User) -> None:
        page.goto(f"{live_server.url}/zugang")
        page.click("#begin-second-factor button")
        assert looked_at(page) == {}

        page.click("details:has(#typed-secret) summary")

        expect(page.locator("#typed-secret")).to_be_visible()
        assert looked_at(page) == {}

    def test_shows_neither_secret_nor_paper_again(self, page: Page, live_server: LiveServer, chief: User) -> None:
        papers = set_up(page, live_server, chief)

        page.goto(f"{live_server.url}/zugang")
        page.go_back()

        assert papers[0] not in page.content()
        assert page.locator("#typed-secret").count() == 0
