"""The budget of a key: so many calls in a rolling hour, to the second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apikeys.minting import Minted
from apikeys.models import ApiKey, Scope
from pos_bridge import intake
from pos_bridge.models import BridgeSettings, BudgetSlot, BudgetTotal
from pos_bridge.throttling import WINDOW, BudgetUsedUp, Charge, calls_in_last_hour, refund_budget
from pos_bridge.wire import MOST_BYTES
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.pos_bridge.breaking import AWAY, statements_failing
from tests.till import Till, body_of, croissants_and_coffee


class Clock:
    """Our clock, standing still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON.replace(microsecond=700_000)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def three(seeblick: Tenant, clock: Clock) -> Minted:
    """A key with a budget of three calls."""
    return mint(seeblick, budget=3)


def statuses(till: Till, times: int) -> list[int]:
    return [till.get("/ping/").status_code for _ in range(times)]


class TestABudget:
    def test_of_three_lets_three_calls_through(self, three: Minted) -> None:
        assert statuses(Till(three.token), 5) == [200, 200, 200, 429, 429]

    def test_is_a_rolling_hour_and_not_one_of_the_clock(self, three: Minted, clock: Clock) -> None:
        till = Till(three.token)
        assert statuses(till, 2) == [200, 200]
        clock.move(1800)
        assert statuses(till, 1) == [200]
        clock.move(1799)
        assert statuses(till, 1) == [429]
        clock.move(1)
        assert statuses(till, 2) == [200, 429]

    def test_used_up_is_answered_429_with_the_seconds_to_wait(self, three: Minted, clock: Clock) -> None:
        till = Till(three.token)
        statuses(till, 3)
        clock.move(100)

        answer = till.get("/ping/")

        body = body_of(answer)
        assert answer.status_code == 429
        assert (body["detail"], body["retryable"]) == ("throttled", True)
        # Two of the four calls of this hour must leave it, and the three first leave together.
        assert answer["Retry-After"] == "3500"

    def test_lets_the_next_call_through_in_exactly_the_second_it_named(self, three: Minted, clock: Clock) -> None:
        till = Till(three.token)
        for pause in (0, 7, 11):
            clock.move(pause)
            assert statuses(till, 1) == [200]
        wait = int(till.get("/ping/")["Retry-After"])

        clock.now = (clock.now + timedelta(seconds=wait)).replace(microsecond=0)
        early = calls_in_last_hour(three.key, at=clock.now - timedelta(microseconds=1))

        assert early == 3
        assert statuses(till, 1) == [200]

    def test_keeps_a_till_that_hammers_locked_out(self, three: Minted, clock: Clock) -> None:
        till = Till(three.token)
        statuses(till, 3)
        for _ in range(12):
            clock.move(600)
            assert statuses(till, 3) == [429, 429, 429]

        assert int(till.get("/ping/")["Retry-After"]) > 3000

    def test_of_none_has_no_end_and_no_slots(self, seeblick: Tenant, clock: Clock) -> None:
        assert statuses(Till(mint(seeblick, budget=None).token), 30) == [200] * 30
        assert BudgetSlot.objects.count() == 0

    def test_is_a_thousand_unless_said_otherwise(self, seeblick: Tenant) -> None:
        assert ApiKey._meta.get_field("budget").default == 1000

    def test_is_each_keys_own(self, three: Minted, seeblick: Tenant, waldrand: Tenant) -> None:
        second, neighbours = mint(seeblick, budget=3), mint(waldrand, budget=3)
        assert statuses(Till(three.token), 4) == [200, 200, 200, 429]

        assert statuses(Till(second.token), 3) == [200, 200, 200]
        assert statuses(Till(neighbours.token), 3) == [200, 200, 200]

    def test_that_is_raised_counts_at_once(self, three: Minted) -> None:
        till = Till(three.token)
        assert statuses(till, 4) == [200, 200, 200, 429]

        ApiKey.objects.update(budget=5)

        assert statuses(till, 2) == [200, 429]

    def test_used_up_stores_nothing(self, three: Minted) -> None:
        till = Till(three.token)
        statuses(till, 3)

        assert till.post(croissants_and_coffee()).status_code == 429
        ApiKey.objects.update(budget=None)
        assert till.post(croissants_and_coffee()).status_code == 201


def counted(key: ApiKey, clock: Clock) -> int:
    """What the hour holds; the sum in the key's row is the sum of its slots."""
    slots = BudgetSlot.objects.filter(api_key=key).values_list("calls", flat=True)
    assert BudgetTotal.objects.get(api_key=key).calls == sum(slots)
    return calls_in_last_hour(key, at=clock.now)


class TestTheRing:
    def test_does_not_grow(self, three: Minted) -> None:
        """Seven calls an hour, in the same seconds of every hour, for a day."""
        for hour in range(24):
            for second in (0, 0, 1, 59, 3598, 3599, 3599):
                charge(three.key, NOON + timedelta(hours=hour, seconds=second))

        assert BudgetSlot.objects.count() == 5

    @pytest.mark.parametrize("deed", ["post", "read"])
    def test_loses_with_the_next_call_what_is_older_than_an_hour(
        self, three: Minted, waldrand: Tenant, clock: Clock, deed: str
    ) -> None:
        neighbours = Till(mint(waldrand, budget=3).token)
        till = Till(three.token)
        for each in (till, neighbours):
            statuses(each, 2)
        clock.move(WINDOW)

        answer = till.post(croissants_and_coffee()) if deed == "post" else till.get("/ping/")

        assert answer.status_code in {200, 201}
        assert [each.calls for each in BudgetSlot.objects.filter(api_key=three.key)] == [1]
        assert counted(three.key, clock) == 1
        assert BudgetSlot.objects.get(tenant=waldrand).calls == 2

    def test_takes_no_call_of_an_hour_ago_for_one_of_now(self, three: Minted) -> None:
        for _ in range(3):
            charge(three.key, NOON)

        assert charge(three.key, NOON + timedelta(seconds=WINDOW)) == 0
        assert calls_in_last_hour(three.key, at=NOON + timedelta(seconds=WINDOW)) == 1


class TestOurOwnClock:
    @pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
    def test_that_was_ahead_locks_no_till_out_once_it_is_right(
        self, three: Minted, clock: Clock, ahead: timedelta
    ) -> None:
        till = Till(three.token)
        clock.move(ahead.total_seconds())
        assert statuses(till, 4) == [200, 200, 200, 429]
        clock.move(-ahead.total_seconds())

        refused = till.get("/ping/")

        assert (refused.status_code, refused["Retry-After"]) == (429, "1")
        assert statuses(till, 3) == [200, 200, 429]
        assert counted(three.key, clock) == 4

    def test_that_differs_by_seconds_between_servers_counts_as_one(self, three: Minted, clock: Clock) -> None:
        till = Till(three.token)
        clock.move(30)
        assert statuses(till, 2) == [200, 200]
        clock.move(-30)

        assert statuses(till, 3) == [200, 429, 429]
        assert counted(three.key, clock) == 5


class Spending:
    """A till with a budget, and what it has used of it."""

    def __init__(self, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
        self.seeblick, self.monkeypatch, self.clock = seeblick, monkeypatch, clock
        self.take()

    def take(self, **fields: Any) -> Spending:
        """Go on with another key."""
        minted = mint(self.seeblick, **{"budget": 50, **fields})
        self.key, self.till = minted.key, Till(minted.token)
        return self

    @property
    def used(self) -> int:
        return calls_in_last_hour(self.key, at=self.clock.now)

    def send(self, body: bytes, content_type: str = "application/json") -> HttpResponse:
        return self.till.call("POST", "/transactions/", body=body, headers={"content-type": content_type})

    def twice(self, **changes: Any) -> HttpResponse:
        Till(mint(self.seeblick).token).post(croissants_and_coffee())
        return self.till.post(croissants_and_coffee(**changes))

    def known_products(self) -> HttpResponse:
        etag = Till(mint(self.seeblick).token).get("/products/")["ETag"]
        return self.till.get("/products/", if_none_match=etag)

    def disabled(self, method: str = "GET") -> HttpResponse:
        BridgeSettings.objects.create(tenant=self.seeblick, enabled=False)
        return self.till.get("/ping/") if method == "GET" else self.till.post(croissants_and_coffee())

    def unparkable(self) -> HttpResponse:
        with statements_failing(AWAY[0], touching="pos_bridge_parkedsale"):
            return self.twice(payment_method="CARD")

    def broken(self, error: Exception) -> HttpResponse:
        def fail(*args: Any, **kwargs: Any) -> Any:
            raise error

        self.monkeypatch.setattr(intake, "record_transaction", fail)
        return self.till.post(croissants_and_coffee())


Deed = Callable[[Spending], HttpResponse]

COUNTED: dict[str, tuple[Deed, int]] = {
    "a read": (lambda spend: spend.till.get("/ping/"), 200),
    "a retry": (Spending.twice, 200),
    "a new sale": (lambda spend: spend.till.post(croissants_and_coffee()), 201),
    "known products": (Spending.known_products, 304),
    "no JSON": (lambda spend: spend.send(b"{"), 400),
    "a missing field": (lambda spend: spend.till.post({}), 400),
    "a mistyped filter": (lambda spend: spend.till.get("/transactions/?bussiness_date=2026-04-29"), 400),
    "a sale without the scope": (
        lambda spend: spend.take(scopes=[Scope.POS_READ]).till.post(croissants_and_coffee()),
        403,
    ),
    "a sale while the bridge is off": (lambda spend: spend.disabled("POST"), 403),
    "a missing scope": (lambda spend: spend.take(scopes=[Scope.POS_WRITE]).till.get("/transactions/"), 403),
    "a bridge switched off": (Spending.disabled, 403),
    "an unknown reference": (lambda spend: spend.till.read_back("T-404"), 404),
    "an unknown path": (lambda spend: spend.till.get("/receipts/"), 404),
    "other money": (lambda spend: spend.twice(payment_method="CARD"), 409),
}
FREE: dict[str, tuple[Deed, int]] = {
    "an expired key": (lambda spend: spend.take(expires_at=NOON).till.get("/ping/"), 401),
    "another method": (lambda spend: spend.till.call("DELETE", "/ping/"), 405),
    "HTML asked for": (lambda spend: spend.till.get("/ping/", accept="text/html"), 406),
    "a huge body": (lambda spend: spend.send(b" " * (MOST_BYTES + 1)), 413),
    "XML sent": (lambda spend: spend.send(b"<sale/>", "text/xml"), 415),
    "another charset": (lambda spend: spend.send(b"{}", "application/json; charset=utf-16"), 415),
    "a fault of ours": (lambda spend: spend.broken(RuntimeError()), 500),
    "a database away": (lambda spend: spend.broken(OperationalError()), 503),
    "a conflict that cannot be parked": (Spending.unparkable, 503),
}


class TestWhatCounts:
    @pytest.fixture
    def spend(self, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Spending:
        return Spending(seeblick, monkeypatch, clock)

    @pytest.mark.parametrize("kind", COUNTED)
    def test_counts_once(self, spend: Spending, kind: str) -> None:
        deed, status = COUNTED[kind]

        assert deed(spend).status_code == status
        assert spend.used == 1

    @pytest.mark.parametrize("kind", FREE)
    def test_is_free(self, spend: Spending, kind: str) -> None:
        deed, status = FREE[kind]

        assert deed(spend).status_code == status
        assert spend.used == 0

    @pytest.mark.parametrize("kind", ["another method", "HTML asked for", "a huge body", "XML sent"])
    def test_is_refused_for_what_it_is_even_when_the_budget_is_used_up(self, spend: Spending, kind: str) -> None:
        spend.take(budget=1)
        assert statuses(spend.till, 2) == [200, 429]
        deed, status = FREE[kind]

        assert deed(spend).status_code == status
        assert spend.used == 2

    def test_429_counts(self, spend: Spending) -> None:
        spend.take(budget=1)
        assert statuses(spend.till, 3) == [200, 429, 429]

        assert spend.used == 3

    def test_a_refund_gives_back_one_call_of_its_second_and_no_more(self, spend: Spending) -> None:
        second = int(NOON.timestamp())
        Charge(spend.key, at=NOON).pay()
        Charge(spend.key, at=NOON).pay()
        for _ in range(2):
            refund_budget(spend.key, second=second)
        refund_budget(spend.key, second=second)

        assert calls_in_last_hour(spend.key, at=NOON) == 0


def charge(key: ApiKey, at: datetime) -> int:
    """The seconds to wait, 0 if the call was let through."""
    try:
        Charge(key, at=at).pay()
    except BudgetUsedUp as used_up:
        return used_up.retry_after
    return 0


class ListOfInstants:
    """The same budget kept in the simplest way there is: every call remembered."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.calls: list[int] = []

    def used(self, second: int) -> int:
        return sum(call > second - WINDOW for call in self.calls)

    def charge(self, second: int) -> int:
        full = self.used(second) >= self.budget
        self.calls.append(second)
        return next(self._waits(second)) if full else 0

    def _waits(self, second: int) -> Iterator[int]:
        return (wait for wait in range(1, WINDOW + 1) if self.used(second + wait) < self.budget)


PAUSES = st.sampled_from([0, 0.4, 1, 2, 59, 600, 1799, 1800, 1801, 3598, 3599, 3600, 3601, 7199, 7200, 100_000])


class TestAgainstAListOfInstants:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        budget=st.integers(1, 6),
        calls=st.lists(st.tuples(PAUSES, st.sampled_from(["kept", "kept", "refunded"])), max_size=25),
    )
    def test_every_call_is_answered_alike(self, seeblick: Tenant, budget: int, calls: list[tuple[float, str]]) -> None:
        key = mint(seeblick, budget=budget).key
        model = ListOfInstants(budget)
        at = NOON
        for pause, fate in calls:
            at += timedelta(seconds=pause)
            second = int(at.timestamp())
            wait = charge(key, at)

            assert wait == model.charge(second)
            if fate == "refunded" and not wait:
                refund_budget(key, second=second)
                model.calls.remove(second)
            assert calls_in_last_hour(key, at=at) == model.used(second) == BudgetTotal.objects.get(api_key=key).calls
        assert BudgetSlot.objects.filter(api_key=key).count() <= WINDOW
