"""The door: what a call costs before it is let in, and what closes it to a key that is good."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apikeys.minting import Minted
from apikeys.models import Scope
from kasse.models import Transaction
from pos_bridge.models import BridgeSettings, InboundCall
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.till import Till, body_of, croissants_and_coffee


def tables_asked(till: Till, path: str = "/ping/") -> list[str]:
    """The tables that a call has touched, one for each query."""
    with CaptureQueriesContext(connection) as queries:
        till.get(path)
    tables = ("apikeys_apikey", "pos_bridge_bridgesettings", "pos_bridge_inboundcall", "pos_bridge_budgetslot")
    return [table for query in queries for table in tables if f'"{table}"' in query["sql"].split("WHERE")[0]]


class TestACall:
    def test_of_a_proven_key_costs_the_key_the_settings_and_its_row_in_the_log(self, till: Till) -> None:
        till.get("/ping/")

        assert tables_asked(till) == ["apikeys_apikey", "pos_bridge_bridgesettings", "pos_bridge_inboundcall"]

    def test_of_a_made_up_token_reads_no_key(self, db: None) -> None:
        asked = tables_asked(Till("ck_" + "a" * 32))

        assert set(asked) == {"pos_bridge_inboundcall"}

    def test_without_a_key_says_nothing_of_what_it_asked_for(self, till: Till) -> None:
        till.post(croissants_and_coffee())

        answer = Till(None).read_back("seeblick-2026-04-29-T-1")

        assert b"12.50" not in answer.content
        assert b"seeblick" not in answer.content

    def test_tells_a_till_who_it_is(self, till: Till, key: Minted, seeblick: Tenant) -> None:
        body = body_of(till.get("/ping/"))

        assert body["tenant"] == {"slug": "seeblick", "name": "Camping Seeblick", "zone": "Europe/Zurich"}
        assert (body["key_prefix"], body["scopes"]) == (key.key.prefix, ["pos:read", "pos:write"])
        assert key.token not in str(body)


class TestABridgeThatIsSwitchedOff:
    @pytest.fixture(autouse=True)
    def switched_off(self, seeblick: Tenant) -> BridgeSettings:
        return BridgeSettings.objects.create(tenant=seeblick, enabled=False)

    def calls(self, till: Till) -> list[Any]:
        gets = [till.get(path) for path in ("/ping/", "/transactions/", "/transactions/T-1/", "/products/")]
        return [*gets, till.post(croissants_and_coffee())]

    def test_refuses_every_call_of_a_good_key(self, till: Till) -> None:
        for answer in self.calls(till):
            assert (answer.status_code, body_of(answer)["detail"]) == (403, "pos_bridge_disabled")
            assert body_of(answer)["retryable"] is False
        assert Transaction.objects.count() == 0

    def test_takes_the_same_sale_as_new_once_it_is_on_again(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        BridgeSettings.objects.update(enabled=True)

        assert till.post(croissants_and_coffee()).status_code == 201

    def test_says_so_only_to_who_may_know(self, seeblick: Tenant) -> None:
        revoked = mint(seeblick)
        revoked.key.revoke(at=NOON)

        assert {answer.status_code for answer in self.calls(Till(None))} == {401}
        assert {answer.status_code for answer in self.calls(Till(revoked.token))} == {401}
        reader = Till(mint(seeblick, scopes=[Scope.POS_READ]).token)
        assert body_of(reader.post(croissants_and_coffee()))["detail"] == "insufficient_scope"

    def test_is_not_the_neighbours(self, neighbours_till: Till) -> None:
        assert [answer.status_code for answer in self.calls(neighbours_till)] == [200, 200, 404, 200, 201]

    def test_leaves_its_refusals_in_the_activity_log(self, till: Till, seeblick: Tenant) -> None:
        self.calls(till)

        rows = InboundCall.objects.filter(tenant=seeblick, status=403, error_code="pos_bridge_disabled")
        assert rows.count() == 5
