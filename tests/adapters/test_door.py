"""A connection is a way in: the bridge's pill, and the lists of keys and tills, take it for one."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from adapters.models import Connection
from apikeys.models import ApiKey
from pos_bridge.pages.keys import NAME_ONLY
from pos_bridge.pill import pill_of
from tenants.models import Role, Tenant
from tests.adapters.vendors_tills import LightspeedTill, fondue
from tests.factories import NOON, member
from tests.till import HOST


def codes(tenant: Tenant) -> list[str]:
    return [reason.code for reason in pill_of(tenant, at=NOON).reasons]


@pytest.fixture
def chief(seeblick: Tenant) -> Client:
    browser = Client(headers={"host": HOST})
    browser.force_login(member(seeblick, Role.TENANT_ADMIN, is_staff=False))
    return browser


class TestThePillOfTheBridge:
    def test_minds_no_missing_key_where_a_connection_is_switched_on(
        self, seeblick: Tenant, waldrand: Tenant, restaurant: Connection
    ) -> None:
        assert codes(seeblick) == []
        assert codes(waldrand) == ["no_writing_key"]

    def test_is_red_once_it_is_switched_off(self, seeblick: Tenant, restaurant: Connection) -> None:
        Connection.objects.filter(pk=restaurant.pk).update(enabled=False)

        assert codes(seeblick) == ["no_writing_key"]


class TestTheListOfKeys:
    def test_shows_a_connections_name_as_what_it_is(self, chief: Client, restaurant: Connection) -> None:
        page = chief.get("/einstellungen/integrationen/schluessel").content.decode()

        (row,) = re.findall(rf'<tr data-key="{restaurant.till_id}".*?</tr>', page, re.DOTALL)
        assert f'data-state="{NAME_ONLY}"' in row
        assert f"/adapter/{restaurant.pk}" in row
        assert "badge bad" not in row
        assert "button" not in row

    def test_shows_a_revoked_key_as_revoked(self, chief: Client, restaurant: Connection, lightspeed: object) -> None:
        key = ApiKey.objects.exclude(pk=restaurant.till_id).get()
        key.revoke(at=NOON)

        assert b'data-state="revoked"' in chief.get("/einstellungen/integrationen/schluessel").content


class TestTheListOfTills:
    def test_names_those_of_connections_beside_the_others(
        self, chief: Client, restaurant: Connection, lightspeed: LightspeedTill
    ) -> None:
        lightspeed.charge(fondue())

        page = chief.get("/einstellungen/integrationen/kassen").content.decode()

        (row,) = re.findall(rf'<tr id="till-{restaurant.till_id}".*?</tr>', page, re.DOTALL)
        assert f"/adapter/{restaurant.pk}" in row
        assert "badge bad" not in row
        assert page.count('<tr id="till-') == 2
