"""Servers that work behind the second fence: as a role that does not own the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
def put_up_fence(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Callable[[], None]:
    """Makes both roles, and the fence, in the database of this run; the tests themselves own its tables.

    Whoever needs the fence puts it up again: a test of another room may have unmade tables since, and made them anew
    without one. Servers of the session start before any fixture of the test.
    """

    def put_up() -> None:
        with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django has no name for what it gives
            make_roles(app=APP, reader=READER)

    return put_up


@pytest.fixture
def roles(transactional_db: None, put_up_fence: Callable[[], None]) -> None:
    put_up_fence()


@pytest.fixture(scope="session")
def fenced_server(put_up_fence: Callable[[], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as the service's role."""
    put_up_fence()
    with running_server(tmp_path_factory.mktemp("fenced"), DATABASE_URL=address_for(APP), DEVELOPMENT="1") as server:
        yield server
