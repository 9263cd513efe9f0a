"""Pages that no link leads to: those that show a token, and those that say what is wrong. Axe finds nothing on them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tenants.models import Tenant
from tests.browser.conftest import sign_in, with_password
from tests.browser.usable import violations_in_both_lights
from tests.factories import mint

INTEGRATIONS = "/einstellungen/integrationen"
IN_TROUBLE = {
    "/kasse/transaktionen?date_from=2026-05-01&date_to=2026-04-01&till=99": "#faults",
    "/kasse/transaktionen?q=nothing": "#none",
    "/kasse/tagestotale?from=2026-05-01&to=2026-04-01": "#fault",
    f"{INTEGRATIONS}/protokoll?since=soon&key=99": ".errorlist",
    f"{INTEGRATIONS}/geparkt/1": "h1",
}


@pytest.fixture
def office(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> Page:
    """The desk of Seeblick's admin, who has one key already."""
    mint(seeblick)
    sign_in(page, live_server, with_password(seeblick))
    return page


@pytest.mark.parametrize("path", IN_TROUBLE)
def test_what_is_wrong_can_be_read_by_everyone(office: Page, live_server: LiveServer, path: str) -> None:
    office.goto(f"{live_server.url}{path}")

    assert office.locator(IN_TROUBLE[path]).first.is_visible()
    assert violations_in_both_lights(office) == []


@pytest.mark.parametrize("path", [f"{INTEGRATIONS}/schluessel/neu", f"{INTEGRATIONS}/kasse-verbinden"])
def test_a_token_can_be_read_by_everyone(office: Page, live_server: LiveServer, path: str) -> None:
    office.goto(f"{live_server.url}{path}")
    office.fill("#id_name", "Kiosk")
    office.click("#generate")

    assert office.locator("#token").input_value().startswith("ck_")
    assert violations_in_both_lights(office) == []


def test_a_refused_form_can_be_read_by_everyone(office: Page, live_server: LiveServer) -> None:
    office.goto(f"{live_server.url}{INTEGRATIONS}/schluessel/neu")
    office.fill("#id_name", "Kiosk")
    office.uncheck("input[value='pos:read']")
    office.uncheck("input[value='pos:write']")
    office.click("#generate")

    assert office.locator(".errorlist").first.is_visible()
    assert violations_in_both_lights(office) == []
