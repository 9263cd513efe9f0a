"""A restaurant with a Lightspeed till; the neighbour has one as well."""

from __future__ import annotations

import pytest

from adapters.models import Connection
from apikeys.minting import Minted
from tenants.models import Tenant
from tests.adapters.vendors_tills import LightspeedTill, connection_of


@pytest.fixture
def restaurant(seeblick: Tenant, waldrand: Tenant) -> Connection:
    """Seeblick's connection to its restaurant's till."""
    return connection_of(seeblick, "lightspeed", scope="seeblick-restaurant")


@pytest.fixture
def lightspeed(restaurant: Connection, key: Minted) -> LightspeedTill:
    """The till, with a key of Seeblick's."""
    return LightspeedTill(restaurant, key.token)
