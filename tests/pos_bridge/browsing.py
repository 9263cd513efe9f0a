"""Staff before the door's pages, and what they see there."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from tenants.models import Role, Tenant
from tests.factories import member

CARD = "/einstellungen/integrationen"
KEYS = f"{CARD}/schluessel"
MINT = f"{KEYS}/neu"
LOG = f"{CARD}/protokoll"
CONNECT = f"{CARD}/kasse-verbinden"
TOKEN = re.compile(r"ck_[A-Za-z0-9]{32}")
MOST_QUERIES = 8
LIVE = {"HX-Request": "true"}


def at_work(tenant: Tenant, role: Role = Role.TENANT_ADMIN) -> Client:
    """A browser in which somebody of the campground is signed in."""
    browser = Client()
    browser.force_login(member(tenant, role))
    return browser


def shown(response: Any) -> str:
    """The page, which must have opened."""
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def values(page: str, name: str) -> list[str]:
    """The values of a data attribute, in the order of the page."""
    return re.findall(rf'data-{name}="([^"]*)"', page)


def form_id(browser: Client, path: str = MINT) -> str:
    """The number of the form that a page offers."""
    (number,) = re.findall(r'name="form_id" value="([0-9a-f-]{36})"', shown(browser.get(path)))
    return str(number)


def generate(browser: Client, path: str = MINT, **changes: Any) -> Any:
    """Open the form, fill it in, and click Generate."""
    wanted = {"name": "Lightspeed shop till", "scopes": ["pos:read", "pos:write"], "budget": "1000", **changes}
    return browser.post(path, {"form_id": form_id(browser, path), **wanted} if "form_id" not in wanted else wanted)
