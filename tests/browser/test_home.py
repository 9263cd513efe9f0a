"""The start page on a phone."""

from __future__ import annotations

from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tenants.models import Role, Tenant
from tests.browser.conftest import sign_in, with_password
from tests.kasse.selling import sell


def test_the_chart_shows_today_first(page: Page, live_server: LiveServer, seeblick: Tenant, waldrand: Tenant) -> None:
    sell(seeblick)
    page.set_viewport_size({"width": 390, "height": 844})

    sign_in(page, live_server, with_password(seeblick, Role.STAFF))

    away = page.locator("#fortnight [data-latest]").evaluate(
        "each => each.scrollWidth - each.clientWidth - each.scrollLeft"
    )
    assert page.locator("#fortnight [data-latest]").evaluate("each => each.scrollLeft") > 0
    assert abs(away) <= 1
