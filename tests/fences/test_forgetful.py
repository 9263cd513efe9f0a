"""The first fence is down, in a real server: whatever it asks, the database gives out no row of a neighbour.

The server forgets whose rows it asks for, in every question that goes through the ORM. Behind the second fence nothing
comes of that. Where the tables are its own, nearly every list shows the neighbour's rows: these tests would see them.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from journal.opening import gather
from kasse.models import Transaction
from tenants.models import Role, Tenant
from tests.factories import NOON, ProductFactory, mint
from tests.fences.conftest import APP, address_for
from tests.house.test_every_fence import addresses, rows_of
from tests.house.test_every_page import signed_in
from tests.journal.books import books_of
from tests.kasse.selling import close
from tests.server.calls import Answer, WireTill
from tests.server.process import Server, database_url, running_server

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("roles")]
SETTINGS = "tests.fences.forgetful.settings"
MARK = "Nachbarlich"
HOST = "api.campone.example"


def forgetful_server(folder: Path, address: str) -> AbstractContextManager[Server]:
    return running_server(folder, DATABASE_URL=address, DJANGO_SETTINGS_MODULE=SETTINGS, DEVELOPMENT="1")


@pytest.fixture(scope="session")
def fenced(put_up_fence: Callable[[], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It forgets, and the database does not."""
    put_up_fence()
    with forgetful_server(tmp_path_factory.mktemp("fenced"), address_for(APP)) as server:
        yield server


@pytest.fixture(scope="session")
def unfenced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It forgets, and nobody stops it: the tables are its own."""
    with forgetful_server(tmp_path_factory.mktemp("unfenced"), database_url()) as server:
        yield server


@pytest.fixture
def paths(seeblick: Tenant, waldrand: Tenant) -> dict[str, str]:
    """Every page with Seeblick's rows, and those of one row with Waldrand's."""
    own = addresses(furnish(seeblick, "Seeblick"))
    others = addresses(furnish(waldrand, MARK))
    return {**own, **{f"{name} of the neighbour": path for name, path in others.items() if own[name] != path}}


def furnish(tenant: Tenant, name: str) -> dict[str, Any]:
    """Rows in every table that a page shows, with ``name`` in their texts."""
    rows = rows_of(tenant, mint(tenant, name=f"Till {name}"), name=name)
    ProductFactory.create(tenant=tenant, name=f"Product {name}", category=f"Category {name}")
    close(tenant, Transaction.objects.of(tenant).get().business_date)
    gather(books_of(tenant), through=NOON.date(), at=NOON)
    return rows


class Browser:
    """Somebody of a campground, signed in, at a real server."""

    def __init__(self, server: Server, tenant: Tenant) -> None:
        self.port = server.port
        self.cookie = f"session={signed_in(tenant, Role.TENANT_ADMIN).cookies[settings.SESSION_COOKIE_NAME].value}"

    def get(self, path: str) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path, headers={"Host": HOST, "Cookie": self.cookie})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())


def look(server: Server, tenant: Tenant, paths: dict[str, str]) -> tuple[list[str], list[str]]:
    """Where the neighbour's name stands, and what could not be answered at all."""
    browser = Browser(server, tenant)
    answers = {name: browser.get(path) for name, path in paths.items()}
    named = [name for name, answer in answers.items() if MARK in answer.content.decode(errors="replace")]
    return named, [name for name, answer in answers.items() if answer.status >= 500]


class TestAForgetfulServer:
    def test_shows_no_row_of_a_neighbour_on_any_page(
        self, fenced: Server, seeblick: Tenant, paths: dict[str, str]
    ) -> None:
        assert look(fenced, seeblick, paths) == ([], [])

    def test_would_show_them_without_the_second_fence(
        self, unfenced: Server, seeblick: Tenant, paths: dict[str, str]
    ) -> None:
        named, _failed = look(unfenced, seeblick, paths)

        assert len(named) > 10

    def test_shows_what_is_ones_own(self, fenced: Server, waldrand: Tenant, paths: dict[str, str]) -> None:
        named, failed = look(fenced, waldrand, paths)

        assert (len(named) > 10, failed) == (True, [])

    def test_answers_no_till_with_rows_of_a_neighbour(
        self, fenced: Server, unfenced: Server, seeblick: Tenant, paths: dict[str, str]
    ) -> None:
        token = mint(seeblick).token
        asked = ("/transactions/", f"/transactions/T-1-{MARK}/", "/products/", "/ping/")

        answers = [[WireTill(server.port, token).get(path) for path in asked] for server in (fenced, unfenced)]

        assert not any(MARK in answer.content.decode() or answer.status >= 500 for answer in answers[0])
        # What follows by hand-written SQL finds nothing to a neighbour's reference.
        assert any(MARK in answer.content.decode() or answer.status >= 500 for answer in answers[1])
