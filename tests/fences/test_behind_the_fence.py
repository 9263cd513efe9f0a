"""The service as a role that row level security holds: everything works, and ends at the fence."""

from __future__ import annotations

import pytest

from apikeys.minting import Minted
from kasse.models import Transaction
from pos_bridge.models import InboundCall, ParkedSale
from tenants.models import Tenant
from tests.factories import mint
from tests.server.calls import WireTill
from tests.server.process import Server
from tests.till import croissants_and_coffee

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("roles")]


@pytest.fixture
def till(fenced_server: Server, key: Minted, waldrand: Tenant) -> WireTill:
    return WireTill(fenced_server.port, key.token)


class TestATill:
    def test_sells_and_sells_again_and_reads_back(self, till: WireTill) -> None:
        sale = croissants_and_coffee()

        answers = [till.post(sale) for _ in range(4)]

        assert [each.status for each in answers] == [201, 200, 200, 200]
        assert Transaction.objects.get().items.count() == 2
        assert till.read_back(sale["external_ref"]).body == answers[0].body
        assert [each["id"] for each in till.get("/transactions/").body["results"]] == [answers[0].body["id"]]
        assert InboundCall.objects.filter(tenant=Transaction.objects.get().tenant).count() == 6

    def test_is_refused_other_money_and_the_sale_is_parked(self, till: WireTill, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee())
        other = croissants_and_coffee(total_amount="5.50", items=croissants_and_coffee()["items"][1:])

        assert [till.post(other).status for _ in range(2)] == [409, 409]
        assert ParkedSale.objects.of(seeblick).get().times_received == 2

    def test_is_held_to_its_budget(self, fenced_server: Server, seeblick: Tenant, waldrand: Tenant) -> None:
        till = WireTill(fenced_server.port, mint(seeblick, budget=3).token)

        answers = [till.post(croissants_and_coffee(external_ref=f"T-{number}")).status for number in range(5)]

        assert answers == [201, 201, 201, 429, 429]
        assert Transaction.objects.count() == 3

    def test_of_a_neighbour_finds_nothing(self, till: WireTill, fenced_server: Server, waldrand: Tenant) -> None:
        neighbour = WireTill(fenced_server.port, mint(waldrand).token)
        till.post(croissants_and_coffee())

        assert neighbour.read_back(croissants_and_coffee()["external_ref"]).status == 404
        assert neighbour.get("/transactions/").body["results"] == []
        assert neighbour.post(croissants_and_coffee()).status == 201

    def test_notes_that_the_key_is_used(self, till: WireTill, key: Minted) -> None:
        till.post(croissants_and_coffee())

        key.key.refresh_from_db()
        assert key.key.last_used_at is not None

    def test_without_a_key_is_refused_and_logged(self, fenced_server: Server, seeblick: Tenant) -> None:
        assert WireTill(fenced_server.port, None).get("/ping/").status == 401
        assert InboundCall.objects.get().tenant is None
