"""A real browser before a running server.

Whatever a page asks of another host, or does against its content security policy, fails its test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tenants.models import Role, Tenant, User
from tests.factories import TenantFactory, member

PASSWORD = "kieselstrand-am-see"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium as installed, else the one that Playwright has fetched itself."""
    installed = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def plain_http(settings: Any) -> None:
    """The test's server has no certificate: cookies that insist on one would never come back."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "session", "csrf"


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, settings: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty tab. ``SHOTS`` names a folder for a picture of where each test ends."""
    settings.PUBLIC_URL = live_server.url
    context = browser.new_context(locale="de-CH", viewport={"width": 1280, "height": 900})
    foreign: list[str] = []
    reports: list[str] = []

    def stay_here(route: Route) -> None:
        if route.request.url.startswith((live_server.url, "data:", "blob:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            reports.append(message.text)

    context.route("**/*", stay_here)
    tab = context.new_page()
    tab.on("console", note)
    yield tab
    if "SHOTS" in os.environ:
        tab.screenshot(path=Path(os.environ["SHOTS"]) / f"{request.node.name}.png", full_page=True)
    context.close()
    assert foreign == []
    assert reports == []


@pytest.fixture
def seeblick(live_server: LiveServer) -> Tenant:
    """Asked for after the server, which empties the database when it ends."""
    return TenantFactory.create(slug="seeblick", name="Camping Seeblick")


@pytest.fixture
def waldrand(live_server: LiveServer) -> Tenant:
    return TenantFactory.create(slug="waldrand", name="Camping Waldrand")


def sign_in(page: Page, live_server: LiveServer, user: User) -> None:
    """Through the door that people take."""
    page.goto(f"{live_server.url}/anmelden")
    page.fill("#id_username", user.username)
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_selector("#sign-out", state="attached")


def with_password(tenant: Tenant, role: Role = Role.TENANT_ADMIN, **fields: Any) -> User:
    """Somebody of a campground who can type their password."""
    user = member(tenant, role, **fields)
    user.set_password(PASSWORD)
    user.save()
    return user
