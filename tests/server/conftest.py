"""Tests here speak with a real server."""

from __future__ import annotations

import pytest

from tests.server.fixtures import server, server_of_this_run

__all__ = ["server", "server_of_this_run"]


@pytest.fixture(autouse=True)
def hashes_as_the_server_makes_them(full_hashes: None) -> None:
    """Some start a server of their own, which would renew cheaper ones."""
