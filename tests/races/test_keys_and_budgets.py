"""Keys and budgets under load: hashed once, revoked at once, counted exactly."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeAlias

import pytest
from django.db.models import Sum

from apikeys import verification
from apikeys.hashing import ApiKeyHasher, hash_token, token_fits
from apikeys.minting import Minted
from apikeys.models import ApiKey
from kasse.models import Transaction
from pos_bridge.activity import ROWS_PER_ADDRESS_AND_MINUTE
from pos_bridge.models import BudgetSlot, InboundCall, Outcome
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.races.racing import crowd, race, wait_for_sales
from tests.till import Till, croissants_and_coffee

# Each call: whether it began after the revocation had returned, and its status.
Seen: TypeAlias = list[tuple[bool, int]]

pytestmark = pytest.mark.django_db(transaction=True)


class TestAKey:
    def test_used_for_the_first_time_by_many_is_hashed_once(self, key: Minted, monkeypatch: pytest.MonkeyPatch) -> None:
        hashed: list[str] = []

        def watch(token: str, encoded: str) -> bool:
            hashed.append(token)
            return token_fits(token, encoded)

        monkeypatch.setattr(verification, "token_fits", watch)

        answers = race([partial(Till(key.token).get, "/ping/")] * 30)

        assert {answer.status_code for answer in answers} == {200}
        assert hashed == [key.token]

    def test_whose_hash_is_outdated_is_renewed_once(self, key: Minted, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as yesterday:
            yesterday.setattr(ApiKeyHasher, "memory_cost", 4096)
            ApiKey.objects.update(token_hash=hash_token(key.token))
        renewed: set[str] = set()
        for _round in range(3):
            answers = race([partial(Till(key.token).get, "/ping/")] * 10)
            assert {answer.status_code for answer in answers} == {200}
            renewed.add(ApiKey.objects.get().token_hash)

        assert len(renewed) == 1
        assert "m=8192" in renewed.pop()

    def test_revoked_lets_no_call_through_that_begins_afterwards(self, key: Minted) -> None:
        """Tills post flat out; a call counts as late if it began after the revocation had returned."""
        revoked, ended = threading.Event(), threading.Event()
        till = Till(key.token)

        def sell(first: int) -> Seen:
            seen: Seen = []
            while not ended.is_set():
                late = revoked.is_set()
                sale = croissants_and_coffee(external_ref=f"T-{first + len(seen)}")
                seen.append((late, till.post(sale).status_code))
            return seen

        def revoke() -> Seen:
            try:
                wait_for_sales(20)
                ApiKey.objects.get().revoke(at=NOON)
                revoked.set()
                time.sleep(0.3)
            finally:
                ended.set()
            return []

        sellers = [partial(sell, 10_000 * each) for each in range(8)]
        deeds: list[Callable[[], Seen]] = [*sellers, revoke]
        seen = Counter(call for calls in race(deeds) for call in calls)

        assert seen[False, 201] >= 20
        assert seen[True, 401] > 0
        assert {status for late, status in seen if late} == {401}
        assert {status for late, status in seen if not late} <= {201, 401}
        assert Transaction.objects.count() == seen[False, 201]


class TestABudget:
    @pytest.mark.parametrize("budget", [1, 40])
    def test_lets_exactly_so_many_calls_through(self, seeblick: Tenant, budget: int) -> None:
        till = Till(mint(seeblick, budget=budget).token)

        answers = crowd([partial(till.get, "/ping/")] * (3 * budget), at_once=20)

        assert Counter(answer.status_code for answer in answers) == {200: budget, 429: 2 * budget}
        assert BudgetSlot.objects.aggregate(Sum("calls"))["calls__sum"] == 3 * budget

    def test_is_not_touched_by_the_neighbours_haste(self, seeblick: Tenant, waldrand: Tenant) -> None:
        ours, theirs = Till(mint(seeblick, budget=10).token), Till(mint(waldrand, budget=10).token)

        answers = crowd([partial(each.get, "/ping/") for each in (ours, theirs, theirs, theirs) * 10], at_once=20)

        assert Counter(answer.status_code for answer in answers[0::4]) == {200: 10}


class TestAFlood:
    def test_of_refusals_adds_up_exactly(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOON + timedelta(seconds=7))
        refusals = 3 * ROWS_PER_ADDRESS_AND_MINUTE

        answers = crowd([partial(Till(None).get, "/ping/")] * refusals, at_once=20)

        assert {answer.status_code for answer in answers} == {401}
        assert InboundCall.objects.aggregate(Sum("calls"))["calls__sum"] == refusals
        assert InboundCall.objects.filter(outcome=Outcome.FLOOD).count() == 1
        # Those that look at the same moment may each still see room for one.
        assert InboundCall.objects.filter(outcome=Outcome.REFUSED).count() < ROWS_PER_ADDRESS_AND_MINUTE + 20
