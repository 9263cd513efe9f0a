"""The server as fixtures; a folder's ``conftest.py`` imports those it needs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pos_bridge.models import InboundCall
from tests.server.process import Server, running_server


@pytest.fixture(scope="session")
def server_of_this_run(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that leave it running: two processes, as on a machine with two cores."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(server_of_this_run: Server, transactional_db: None) -> Server:
    """The server; what the test commits it sees, and the tables are emptied afterwards."""
    return server_of_this_run


def wait_for_calls(count: int) -> None:
    """Until so many calls are in the activity log: the only way to know that an answer nobody heard was given."""
    deadline = time.monotonic() + 30
    while InboundCall.objects.count() < count:
        assert time.monotonic() < deadline, f"{InboundCall.objects.count()} calls, not {count}."
        time.sleep(0.01)
