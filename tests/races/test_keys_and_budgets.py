"""Keys and budgets under load: hashed once, revoked at once, counted exactly."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, TypeAlias, cast

import pytest
from django.db.models import Sum
from django.http import HttpResponse

from apikeys import verification
from apikeys.hashing import ApiKeyHasher, hash_token, token_fits
from apikeys.minting import Minted
from apikeys.models import ApiKey
from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge.floods import ROWS_PER_ADDRESS_AND_MINUTE
from pos_bridge.models import BudgetSlot, BudgetTotal, InboundCall, Outcome
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

    @pytest.mark.usefixtures("full_hashes")
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

    @pytest.mark.parametrize("budget", [1, 25])
    def test_lets_exactly_so_many_sales_through(self, seeblick: Tenant, budget: int) -> None:
        """The count rides in the statement that stores the sale."""
        till = Till(mint(seeblick, budget=budget).token)
        sales = [croissants_and_coffee(external_ref=f"T-{number}") for number in range(3 * budget)]

        answers = crowd([partial(till.post, sale) for sale in sales], at_once=20)

        assert Counter(answer.status_code for answer in answers) == {201: budget, 429: 2 * budget}
        assert stored_rows() == [budget, 2 * budget, budget]
        assert InboundCall.objects.filter(outcome=Outcome.CREATED).count() == budget
        assert InboundCall.objects.filter(outcome=Outcome.THROTTLED).count() == 2 * budget
        assert sum_of_slots() == sum_of_totals() == 3 * budget

    def test_counts_sales_retries_reads_and_refusals_alike(self, seeblick: Tenant) -> None:
        till = Till(mint(seeblick, budget=30).token)
        deeds: list[Callable[[], HttpResponse]] = [
            deed
            for number in range(20)
            for deed in (
                partial(till.post, croissants_and_coffee(external_ref=f"T-{number}")),
                partial(till.post, croissants_and_coffee(external_ref=f"T-{number}")),
                partial(till.post, croissants_and_coffee(external_ref=f"T-{number}", items=[])),
                partial(till.get, "/ping/"),
            )
        ]

        answers = crowd(deeds, at_once=20)

        seen = Counter(answer.status_code for answer in answers)
        assert (seen[429], sum(seen[status] for status in (200, 201, 400))) == (50, 30)
        assert seen[201] == stored_rows()[0]
        assert sum_of_slots() == sum_of_totals() == 80

    def test_adds_up_while_slots_leave_the_hour(self, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        """All at once find the same slots of an hour ago; they are taken out of the sum once."""
        minted = mint(seeblick, budget=1000)
        for hour in range(4):
            monkeypatch.setattr("django.utils.timezone.now", lambda hour=hour: NOON + timedelta(hours=hour))
            sales = [croissants_and_coffee(external_ref=f"T-{hour}-{number}") for number in range(20)]

            answers = crowd([partial(Till(minted.token).post, sale) for sale in sales], at_once=20)

            assert {answer.status_code for answer in answers} == {201}
            assert sum_of_slots() == sum_of_totals() == 20

    def test_gives_back_in_a_race_what_was_charged_for_a_fault_of_ours(
        self, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each tenth list, which is counted before it begins, fails on our side, and costs nothing."""
        till = Till(mint(seeblick, budget=1000).token)
        monkeypatch.setattr("pos_bridge.api.read_query", every_tenth_fails())

        answers = crowd([partial(till.get, "/transactions/")] * 60, at_once=20)

        assert Counter(answer.status_code for answer in answers) == {200: 54, 500: 6}
        assert sum_of_slots() == sum_of_totals() == 54

    def test_is_not_touched_by_the_neighbours_haste(self, seeblick: Tenant, waldrand: Tenant) -> None:
        ours, theirs = Till(mint(seeblick, budget=10).token), Till(mint(waldrand, budget=10).token)

        answers = crowd([partial(each.get, "/ping/") for each in (ours, theirs, theirs, theirs) * 10], at_once=20)

        assert Counter(answer.status_code for answer in answers[0::4]) == {200: 10}


def sum_of_slots() -> int:
    """The calls of all seconds that are kept."""
    return cast(int, BudgetSlot.objects.aggregate(Sum("calls"))["calls__sum"])


def sum_of_totals() -> int:
    """The calls as each key's one row has them."""
    return cast(int, BudgetTotal.objects.aggregate(Sum("calls"))["calls__sum"])


def stored_rows() -> list[int]:
    """How many sales, lines and payments there are."""
    return [model.objects.count() for model in (Transaction, TransactionItem, Payment)]


def every_tenth_fails() -> Callable[..., dict[str, Any]]:
    """A stand-in for what reads the filters of a list; there are none."""
    numbers = count(1)

    def read(*_: Any) -> dict[str, Any]:
        if next(numbers) % 10 == 0:
            raise RuntimeError("a mouse in the engine room")
        return {}

    return read


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
