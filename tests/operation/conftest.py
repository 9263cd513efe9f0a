"""Some tests here speak with a real server."""

from __future__ import annotations

from tests.server.fixtures import server, server_of_this_run

__all__ = ["server", "server_of_this_run"]
