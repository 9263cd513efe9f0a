"""No page changes anything for whom it should not: neither for staff, nor for a neighbour, nor by being looked at.

Nothing here lists the pages; a new one is tried as the others are, with real rows of the campground in its address.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from adapters.connections import open_connection
from adapters.models import Connection
from apikeys.minting import Minted
from kasse.models import Transaction
from pos_bridge.importing.staging import open_import
from pos_bridge.models import InboundCall, ParkedSale
from tenants.models import Role, Tenant
from tenants.rehearsals import open_rehearsal
from tests.factories import NOON, mint
from tests.house.test_every_page import PAGES, signed_in
from tests.pos_bridge.import_files import shop
from tests.till import Till, croissants_and_coffee

WRITING = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|WITH\b.*\b(?:INSERT|UPDATE|DELETE)\b)", re.DOTALL)
OF_ONES_OWN = re.compile(r'"?(?:django_session|tenants_user|tenants_authenticator)"?\b')
"""A session, when its owner has last signed in, and the secret of an app that is being set up."""
MOST_QUERIES = 8
DAY = "2026-04-29"
GIVEN = {
    "day": DAY,
    "week": "2026-W18",
    "form": "csv",
    "supplement": 0,
    "file": "1.csv",
    "code": "lightspeed",
    "event": 1,
}
# Whatever a form of ours might hold: enough for every deed that asks for no secret.
FILLED_IN = {
    "name": "Kiosk",
    "scopes": ["pos:read", "pos:write"],
    "budget": "1000",
    "enabled": "off",
    "default_vat_rate": "2.60",
    "decision": "discard",
    "reason": "Testing",
    "cutoff_hour": "3",
    "opening": "100.00",
    "counted": "112.50",
    "mode": "once",
}


@pytest.fixture
def rows(seeblick: Tenant, waldrand: Tenant, key: Minted) -> dict[str, Any]:
    """One row of Seeblick for each page that is of one row, by the page's name."""
    return rows_of(seeblick, key, name="Bistro")


def rows_of(tenant: Tenant, key: Minted, *, name: str) -> dict[str, Any]:
    """One row of a campground for each page that is of one row; its texts have ``name`` in them."""
    coffee = {"description": f"Kaffee {name}", "quantity": 1, "unit_price": "5.50", "line_total": "5.50"}
    sold = croissants_and_coffee(external_ref=f"T-1-{name}", total_amount="5.50", items=[coffee])
    till = Till(key.token)
    till.post(sold)
    till.post({**sold, "total_amount": "11.00", "items": [{**coffee, "quantity": 2, "line_total": "11.00"}]})
    joined = Connection(tenant=tenant, vendor="lightspeed", name=name, currency="CHF", created_at=NOON)
    open_connection(joined, label="Lightspeed")
    sale = Transaction.objects.of(tenant).get()
    brought = open_import(tenant=tenant, name=f"april-{name}.csv", content=shop(), by=None, at=NOON)
    return {
        **dict.fromkeys(("sales-import", "import-work", "import-report"), brought.pk),
        "transaction-page": sale.pk,
        "sale-call": sale.pk,
        **dict.fromkeys(("revoke-key", "replace-key", "change-key", "connect-key"), key.key.pk),
        **dict.fromkeys(
            ("lose-answers", "forget-rehearsal"), mint(open_rehearsal(tenant), name=f"Trial {name}").key.pk
        ),
        "inbound-call": InboundCall.objects.filter(tenant=tenant).earliest("pk").pk,
        "parked-sale": ParkedSale.objects.of(tenant).get().pk,
        **dict.fromkeys(("connection", "change-connection", "switch-connection"), joined.pk),
        **dict.fromkeys(("fetch-now", "renew-address", "vendor-event", "map-again", "set-aside"), joined.pk),
    }


def addresses(rows: dict[str, Any]) -> dict[str, str]:
    """The address of every page, by its name."""
    found = {}
    for path, pattern in PAGES.items():
        wanted = re.findall(r"\?P<(\w+)>", path)
        values = {name: rows[str(pattern.name)] if name == "pk" else GIVEN[name] for name in wanted}
        found[str(pattern.name)] = reverse(str(pattern.name), kwargs=values)
    return found


def written(browser: Client, method: str, path: str) -> tuple[int, list[str]]:
    """The status of an answer, and what it has written but for a session."""
    data = {**FILLED_IN, "form_id": str(uuid.uuid4())} if method == "post" else {}
    with CaptureQueriesContext(connection) as queries:
        answer = getattr(browser, method)(path, data)
        if answer.streaming:
            b"".join(answer.streaming_content)
    statements = [each["sql"] for each in queries]
    return answer.status_code, [sql for sql in statements if WRITING.match(sql) and not OF_ONES_OWN.search(sql)]


def test_every_page_is_tried_with_a_row_of_its_own(rows: dict[str, Any]) -> None:
    try:
        found = addresses(rows)
    except (KeyError, NoReverseMatch) as missing:
        pytest.fail(f"Name a row for {missing}.")

    assert len(found) == len(PAGES)


def test_what_is_tried_would_change_something(rows: dict[str, Any], seeblick: Tenant) -> None:
    admin = signed_in(seeblick, Role.TENANT_ADMIN)
    changing = {name for name, path in addresses(rows).items() if written(admin, "post", path)[1]}

    assert changing >= {"mint-key", "connect-till", "revoke-key", "bridge-switch", "bridge-vat-rate", "parked-sale"}


def test_staff_change_nothing(rows: dict[str, Any], seeblick: Tenant) -> None:
    staff = signed_in(seeblick, Role.STAFF)

    assert {
        name: changed for name, path in addresses(rows).items() if (changed := written(staff, "post", path)[1])
    } == {}


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(rows: dict[str, Any], seeblick: Tenant, method: str) -> None:
    admin = signed_in(seeblick, Role.TENANT_ADMIN)

    assert {
        name: changed for name, path in addresses(rows).items() if (changed := written(admin, method, path)[1])
    } == {}


def test_a_neighbour_finds_nothing(rows: dict[str, Any], waldrand: Tenant) -> None:
    neighbour = signed_in(waldrand, Role.TENANT_ADMIN)
    of_one_row = {name: path for name, path in addresses(rows).items() if name in rows}

    for method in ("get", "post"):
        for name, path in of_one_row.items():
            status, changed = written(neighbour, method, path)
            assert (status in {404, 405}, changed) == (True, []), (name, method, status)


def test_every_change_asks_for_a_form_token(rows: dict[str, Any], seeblick: Tenant) -> None:
    strict = signed_in(seeblick, Role.TENANT_ADMIN, enforce_csrf_checks=True)

    for name, path in addresses(rows).items():
        status, changed = written(strict, "post", path)
        assert (status in {403, 405}, changed) == (True, []), (name, status)
    for path in ("/anmelden", "/abmelden", "/campingplatz", "/darstellung", "/sprache"):
        assert strict.post(path).status_code == 403


def test_a_first_look_asks_the_database_little(rows: dict[str, Any], seeblick: Tenant) -> None:
    admin = signed_in(seeblick, Role.TENANT_ADMIN)
    asked = {}

    for name, path in addresses(rows).items():
        cache.clear()  # what is learnt once a day has to be learnt
        with CaptureQueriesContext(connection) as queries:
            answer: Any = admin.get(path)
            if answer.streaming:
                b"".join(answer.streaming_content)
        asked[name] = sum(not each["sql"].startswith(("SAVEPOINT", "RELEASE")) for each in queries)

    assert {name: number for name, number in asked.items() if number > MOST_QUERIES} == {}
