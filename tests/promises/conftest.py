"""Promises are tested from outside: a real server, a key minted by the command, Python's own HTTP client."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

import pytest
from django.core.management import call_command

from apikeys.models import ApiKey
from tenants.models import Tenant
from tests.server.calls import WireTill
from tests.server.fixtures import server, server_of_this_run
from tests.server.process import Server

__all__ = ["server", "server_of_this_run"]


@dataclass(frozen=True)
class Office:
    """The campground's office, with what it can do at the command line."""

    server: Server

    def mint(self, tenant: str = "seeblick", *scopes: str, name: str = "Lightspeed shop till") -> str:
        """A key's raw token, as the command shows it; both scopes unless said otherwise."""
        shown = StringIO()
        asked = [part for scope in scopes or ("pos:read", "pos:write") for part in ("--scope", scope)]
        call_command("mint_key", "--tenant", tenant, "--name", name, *asked, stdout=shown)
        return shown.getvalue().strip()

    def revoke(self, token: str) -> None:
        """End a key."""
        call_command("revoke_key", token[:11], stdout=StringIO())

    def till(self, token: str | None) -> WireTill:
        """A till that calls the campground's own address."""
        return WireTill(self.server.port, token, host="seeblick.campone.example")


@pytest.fixture
def office(server: Server, seeblick: Tenant, waldrand: Tenant) -> Office:
    """Seeblick's office; the neighbour is there, and nobody has a key yet."""
    assert ApiKey.objects.count() == 0
    return Office(server)


@pytest.fixture
def till(office: Office) -> WireTill:
    """Seeblick's till, its key minted and pasted in."""
    return office.till(office.mint())
