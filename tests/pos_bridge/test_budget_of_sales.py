"""A posted sale and the budget: one statement, that counts the call and stores the sale, or only counts."""

from __future__ import annotations

import pytest

from apikeys.minting import Minted
from apikeys.models import Scope
from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge.models import BridgeSettings, InboundCall, ParkedSale
from tenants.models import Tenant
from tests.factories import mint
from tests.pos_bridge.breaking import AWAY, assert_unavailable, statements_failing
from tests.pos_bridge.test_budget import Clock, clock, counted, statuses, three
from tests.till import Till, body_of, croissants_and_coffee

__all__ = ["clock", "three"]


class TestASaleBeyondTheBudget:
    """The count rides in the sale's own statement, and shuts its gate."""

    def test_is_counted_and_stores_nothing(self, three: Minted, clock: Clock) -> None:
        till = Till(three.token)

        answers = [till.post(croissants_and_coffee(external_ref=f"T-{number}")) for number in range(5)]

        assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
        assert [model.objects.count() for model in (Transaction, TransactionItem, Payment)] == [3, 6, 3]
        assert counted(three.key, clock) == 5
        assert answers[4]["Retry-After"] == "3600"
        assert set(InboundCall.objects.values_list("status", "outcome")) == {(201, "created"), (429, "throttled")}

    def test_of_which_there_is_a_record_is_no_replay(self, three: Minted, clock: Clock) -> None:
        till = Till(three.token)

        answers = [till.post(croissants_and_coffee()) for _ in range(4)]

        assert [answer.status_code for answer in answers] == [201, 200, 200, 429]
        assert counted(three.key, clock) == 4

    def test_with_other_money_is_not_parked(self, three: Minted, clock: Clock) -> None:
        till = Till(three.token)
        statuses(till, 3)
        Till(mint(three.key.tenant).token).post(croissants_and_coffee())

        assert till.post(croissants_and_coffee(payment_method="CARD")).status_code == 429
        assert ParkedSale.objects.count() == 0

    def test_is_taken_once_the_hour_has_passed(self, three: Minted, clock: Clock) -> None:
        till = Till(three.token)
        statuses(till, 3)
        wait = int(till.post(croissants_and_coffee())["Retry-After"])
        clock.move(wait)

        assert till.post(croissants_and_coffee()).status_code == 201

    @pytest.mark.parametrize("bad", [b"{", b"[]", b'{"external_ref": "T-1"}', b"\xff", b'{"a": 1, "a": 1}'])
    def test_that_is_no_sale_at_all_is_429_too(self, three: Minted, clock: Clock, bad: bytes) -> None:
        till = Till(three.token)
        within = [till.call("POST", "/transactions/", body=bad).status_code for _ in range(3)]

        answer = till.call("POST", "/transactions/", body=bad)

        assert within == [400, 400, 400]
        assert (answer.status_code, body_of(answer)["detail"]) == (429, "throttled")
        assert answer["Retry-After"] == "3600"
        assert counted(three.key, clock) == 4

    def test_without_the_scope_is_429_too(self, seeblick: Tenant, clock: Clock) -> None:
        reader = mint(seeblick, budget=2, scopes=[Scope.POS_READ])
        till = Till(reader.token)

        answers = [till.post(croissants_and_coffee()).status_code for _ in range(4)]

        assert answers == [403, 403, 429, 429]
        assert counted(reader.key, clock) == 4

    def test_while_the_bridge_is_off_is_429_too(self, three: Minted, clock: Clock) -> None:
        BridgeSettings.objects.create(tenant=three.key.tenant, enabled=False)
        till = Till(three.token)

        assert [till.post(croissants_and_coffee()).status_code for _ in range(4)] == [403, 403, 403, 429]

    def test_that_cannot_be_counted_is_503(self, three: Minted, clock: Clock) -> None:
        """A refusal is counted on its own; with the database away, that is what is answered."""
        till = Till(three.token)
        statuses(till, 1)

        with statements_failing(AWAY[0], touching="INTO pos_bridge_budgettotal"):
            assert_unavailable(till.call("POST", "/transactions/", body=b"{"))

        assert counted(three.key, clock) == 1
