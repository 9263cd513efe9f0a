"""Servers that work behind the second fence: as a role that does not own the tables."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from campone.roles import make_roles
from tests.server.process import Server, database_url, running_server

APP, READER = "campone_app", "campone_reader"


def address_for(role: str) -> str:
    """The database of this run, for another role; the cluster of the tests asks nobody for a password."""
    parts = urlsplit(database_url())
    return urlunsplit(parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}"))


@pytest.fixture(scope="session")
def roles(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """Both roles, and the fence, in the database of this run; the tests themselves own its tables."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django has no name for what it gives
        make_roles(app=APP, reader=READER)


@pytest.fixture(autouse=True)
def fence_is_up(request: pytest.FixtureRequest) -> None:
    """Again for each test: one of another room may have unmade tables and made them anew, without a fence."""
    if "roles" in request.fixturenames or "fenced_server" in request.fixturenames:
        request.getfixturevalue("transactional_db")
        make_roles(app=APP, reader=READER)


@pytest.fixture(scope="session")
def fenced_server(roles: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as the service's role."""
    folder = tmp_path_factory.mktemp("fenced")
    with running_server(folder, DATABASE_URL=address_for(APP), DEVELOPMENT="1") as server:
        yield server
