"""What nobody may find who has a copy of the database, or reads a log: keys, addresses, secrets of vendors."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.test import override_settings

from adapters.connections import address_of, entrust, secrets_of
from adapters.models import Connection, ConnectionCall
from apikeys.minting import Minted
from tenants.models import Tenant
from tests.adapters.vendors_tills import LightspeedTill, connection_of, fondue
from tests.pos_bridge.breaking import AWAY, statements_failing


def everything_stored() -> str:
    """All rows of all tables."""
    return "\n".join(str(row) for model in apps.get_models() for row in model._default_manager.values_list())


class TestASecret:
    def test_is_nowhere_in_the_database_nor_in_a_log(
        self, lightspeed: LightspeedTill, restaurant: Connection, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        entrust(restaurant, signing_key="zLzClQLQN8yfH8aE")
        restaurant.save()
        address = urlsplit(address_of(restaurant) or "").path.rpartition("/")[2]

        lightspeed.charge(fondue(note=lightspeed.token), user_agent=lightspeed.token, x_request_id=lightspeed.token)
        lightspeed.search(lightspeed.token)
        lightspeed.call("POST", f"/{lightspeed.token}", b"{}")
        lightspeed.call("POST", "/charge", json.dumps({"apiKey": lightspeed.token, "x": "\0"}).encode())
        with statements_failing(AWAY[0], touching="adapters_vendorevent"):
            lightspeed.charge(fondue())
        with statements_failing(AWAY[0], touching="INSERT INTO kasse_transaction "):
            lightspeed.charge(fondue(fiscId="A1.1"))

        assert ConnectionCall.objects.count() >= 5
        for secret in (lightspeed.token, "zLzClQLQN8yfH8aE", address):
            assert secret not in everything_stored()
            assert secret not in caplog.text

    def test_is_not_told_by_what_stands_for_it(self, restaurant: Connection, key: Minted) -> None:
        entrust(restaurant, signing_key="zLzClQLQN8yfH8aE")

        assert "zLzC" not in repr(restaurant) + str(restaurant) + repr(vars(restaurant))

    def test_can_be_read_again(self, restaurant: Connection) -> None:
        entrust(restaurant, signing_key="zLzClQLQN8yfH8aE")
        entrust(restaurant, client_id="7")

        assert secrets_of(restaurant) == {"signing_key": "zLzClQLQN8yfH8aE", "client_id": "7"}

    def test_of_the_neighbour_is_no_use(self, restaurant: Connection, waldrand: Tenant) -> None:
        entrust(restaurant, signing_key="zLzClQLQN8yfH8aE")
        theirs = connection_of(waldrand, "lightspeed")
        theirs.sealed_secrets, theirs.sealed_address = restaurant.sealed_secrets, restaurant.sealed_address

        assert secrets_of(theirs) == {}
        assert address_of(theirs) is None

    def test_outlives_a_change_of_the_servers_own(self, restaurant: Connection, settings: Any) -> None:
        entrust(restaurant, signing_key="zLzClQLQN8yfH8aE")
        before = address_of(restaurant)

        with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            assert (secrets_of(restaurant)["signing_key"], address_of(restaurant)) == ("zLzClQLQN8yfH8aE", before)
        with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[]):
            assert (secrets_of(restaurant), address_of(restaurant)) == ({}, None)
