"""Pages that no link leads to: those that show a token, and those that say what is wrong. Axe finds nothing on them."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tenants.models import Role, Tenant
from tests.browser.conftest import PASSWORD, sign_in
from tests.factories import member, mint

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
    chief = member(seeblick, Role.TENANT_ADMIN)
    chief.set_password(PASSWORD)
    chief.save()
    sign_in(page, live_server, chief)
    return page


def violations(page: Page) -> list[Any]:
    """What axe finds, in both appearances."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [(scheme, each["id"], each["nodes"][0]["target"]) for each in Axe().run(page).response["violations"]]
    return found


@pytest.mark.parametrize("path", IN_TROUBLE)
def test_what_is_wrong_can_be_read_by_everyone(office: Page, live_server: LiveServer, path: str) -> None:
    office.goto(f"{live_server.url}{path}")

    assert office.locator(IN_TROUBLE[path]).first.is_visible()
    assert violations(office) == []


@pytest.mark.parametrize("path", [f"{INTEGRATIONS}/schluessel/neu", f"{INTEGRATIONS}/kasse-verbinden"])
def test_a_token_can_be_read_by_everyone(office: Page, live_server: LiveServer, path: str) -> None:
    office.goto(f"{live_server.url}{path}")
    office.fill("#id_name", "Kiosk")
    office.click("#generate")

    assert office.locator("#token").input_value().startswith("ck_")
    assert violations(office) == []


def test_a_refused_form_can_be_read_by_everyone(office: Page, live_server: LiveServer) -> None:
    office.goto(f"{live_server.url}{INTEGRATIONS}/schluessel/neu")
    office.fill("#id_name", "Kiosk")
    office.uncheck("input[value='pos:read']")
    office.uncheck("input[value='pos:write']")
    office.click("#generate")

    assert office.locator(".errorlist").first.is_visible()
    assert violations(office) == []
