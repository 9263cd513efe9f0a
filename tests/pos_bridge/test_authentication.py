"""The door: what a call costs before it is let in, and what closes it to a key that is good."""

from __future__ import annotations

import re
from collections.abc import Callable
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

TABLES = ("apikeys_apikey", "pos_bridge_inboundcall", "pos_bridge_budgettotal", "kasse_transaction")


# On PostgreSQL one text, which never changes, confirms what is remembered of keys, if anything, and counts their calls.
CONFIRMING = {"apikeys_apikey", "pos_bridge_budgettotal"} if connection.vendor == "postgresql" else set()


def asked(deed: Callable[[], Any]) -> list[set[str]]:
    """Which of the tables each statement of a deed has touched; what begins or ends a transaction touches none."""
    with CaptureQueriesContext(connection) as queries:
        deed()
    words = [set(re.findall(r"\w+", query["sql"])) for query in queries]
    touched = [{table for table in TABLES if table in each} for each in words]
    return [tables for tables in touched if tables]


class TestACall:
    def test_of_a_proven_key_costs_one_read_and_its_row_in_the_log(self, till: Till) -> None:
        """Key, campground, settings card and rates are one read."""
        till.get("/ping/")

        assert asked(lambda: till.get("/ping/")) == [{"apikeys_apikey"}, {"pos_bridge_inboundcall"} | CONFIRMING]

    @pytest.mark.postgresql
    def test_of_a_key_not_remembered_that_posts_a_sale_costs_two_statements(self, seeblick: Tenant) -> None:
        """The second counts the call, stores the sale, and writes its row in the log."""
        till = Till(mint(seeblick, budget=1000).token)
        till.get("/ping/")

        assert asked(lambda: till.post(croissants_and_coffee())) == [
            {"apikeys_apikey"},
            {"kasse_transaction", "pos_bridge_inboundcall"} | CONFIRMING,
        ]

    @pytest.mark.postgresql
    def test_of_a_remembered_key_that_repeats_a_sale_costs_three_statements(self, seeblick: Tenant) -> None:
        """Who holds the reference is read, and the row of the call is written on its own."""
        till = Till(mint(seeblick, budget=1000).token)
        for _ in range(2):
            till.post(croissants_and_coffee())

        assert asked(lambda: till.post(croissants_and_coffee())) == [
            {"kasse_transaction", "pos_bridge_inboundcall"} | CONFIRMING,
            {"kasse_transaction"},
            {"pos_bridge_inboundcall"},
        ]

    @pytest.mark.parametrize("line", [{}, {"vat_rate": "8.1"}], ids=["no rate", "its rate"])
    def test_that_posts_a_sale_reads_the_rates_with_the_key(self, till: Till, line: dict[str, str]) -> None:
        till.get("/ping/")
        bottle = {"description": "Gasflasche", "quantity": 1, "unit_price": "12.50", "line_total": "12.50", **line}

        with CaptureQueriesContext(connection) as queries:
            assert till.post(croissants_and_coffee(items=[bottle])).status_code == 201

        statements = [query["sql"] for query in queries if "catalogue_" in query["sql"]]
        assert ["apikeys_apikey" in each for each in statements] == [True] * (2 if CONFIRMING else 1)

    def test_of_a_made_up_token_reads_no_key(self, db: None) -> None:
        statements = asked(lambda: Till("ck_" + "a" * 32).get("/ping/"))

        assert set().union(*statements) == {"pos_bridge_inboundcall"}

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
