"""The same races against a real server: two processes that share nothing but the database."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from django.core.management import call_command
from django.db.models import Sum

from apikeys.minting import Minted
from apikeys.tokens import make_token
from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge.floods import SECONDS_BEFORE_WRITING
from pos_bridge.models import InboundCall, Outcome, ParkedSale
from tenants.models import Tenant
from tests.factories import mint
from tests.races.racing import crowd, race, wait_for_sales
from tests.server.calls import Answer, WireTill
from tests.server.process import Server
from tests.till import croissants_and_coffee

TWINS = 50
# Each call: whether it began after the revocation had returned, and its status.
Seen: TypeAlias = list[tuple[bool, int]]


class TestTwins:
    def test_are_one_sale(self, server: Server, key: Minted, waldrand: Tenant) -> None:
        till = WireTill(server.port, key.token)
        for number in range(3):
            sale = croissants_and_coffee(external_ref=f"T-{number}")

            answers = race([partial(till.post, sale)] * TWINS)

            assert Counter(answer.status for answer in answers) == {201: 1, 200: TWINS - 1}
            assert len({answer.content for answer in answers}) == 1
            assert till.read_back(f"T-{number}").body["id"] == answers[0].body["id"]
        assert [model.objects.count() for model in (Transaction, TransactionItem, Payment)] == [3, 6, 3]
        assert InboundCall.objects.filter(outcome=Outcome.CREATED).count() == 3

    def test_with_rivals_among_them_are_one_sale_and_the_rivals_parked(self, server: Server, key: Minted) -> None:
        till = WireTill(server.port, key.token)
        ours, rival = croissants_and_coffee(), croissants_and_coffee(payment_method="CARD")

        answers = race([partial(till.post, sale) for sale in (ours, rival) * 20])

        stored = Transaction.objects.get().payment_method
        won, lost = (answers[0::2], answers[1::2]) if stored == "CASH" else (answers[1::2], answers[0::2])
        assert Counter(answer.status for answer in won) == {201: 1, 200: 19}
        assert Counter(answer.status for answer in lost) == {409: 20}
        assert ParkedSale.objects.get().times_received == 20


class TestABudget:
    def test_lets_exactly_so_many_calls_through_both_processes(self, server: Server, seeblick: Tenant) -> None:
        till = WireTill(server.port, mint(seeblick, budget=25).token)

        answers = crowd([partial(till.get, "/ping/")] * 75, at_once=16)

        assert Counter(answer.status for answer in answers) == {200: 25, 429: 50}
        waits = [int(answer.headers["retry-after"]) for answer in answers if answer.status == 429]
        assert min(waits) > 3500
        assert max(waits) <= 3600


class TestARevocation:
    def test_counts_for_every_call_that_begins_after_the_command_returned(self, server: Server, key: Minted) -> None:
        revoked, ended = threading.Event(), threading.Event()
        till = WireTill(server.port, key.token)

        def sell(first: int) -> Seen:
            """On one connection that stays open, so that both processes know the key well."""
            shared, number = till.connect(), first
            seen: Seen = []
            while not ended.is_set():
                late = revoked.is_set()
                sale = croissants_and_coffee(external_ref=f"T-{number}")
                seen.append((late, till.post(sale, on=shared).status))
                number += 1
            shared.close()
            return seen

        def revoke() -> Seen:
            try:
                wait_for_sales(20)
                call_command("revoke_key", key.key.prefix, verbosity=0)
                revoked.set()
                time.sleep(0.5)
            finally:
                ended.set()
            return []

        sellers = [partial(sell, 10_000 * each) for each in range(8)]
        deeds: list[Callable[[], Seen]] = [*sellers, revoke]
        seen = Counter(call for calls in race(deeds) for call in calls)

        assert seen[False, 201] >= 20
        assert seen[True, 401] > 0
        assert {status for late, status in seen if late} == {401}
        assert Transaction.objects.count() == seen[False, 201]
        assert till.get("/ping/").body["detail"] == "key_inactive"


class TestAFloodOfForgedTokens:
    def test_holds_up_no_till_that_is_known(self, server: Server, key: Minted) -> None:
        """Tokens whose check characters are right, so that each must be hashed: the worst that a thief can send."""
        forget_earlier_floods()
        till, ended = WireTill(server.port, key.token), threading.Event()
        for _ in range(20):
            assert till.get("/ping/").status == 200  # both processes know the key now

        def forge() -> list[Answer]:
            seen = []
            while not ended.is_set():
                seen.append(WireTill(server.port, make_token()).get("/ping/"))
            return seen

        def sell() -> list[Answer]:
            try:
                return [till.post(croissants_and_coffee(external_ref=f"T-{number}")) for number in range(40)]
            finally:
                ended.set()

        *forgers, sold = race([*[forge] * 20, sell])

        assert {answer.status for answer in sold} == {201}
        refused = [answer for seen in forgers for answer in seen]
        assert {answer.status for answer in refused} <= {401, 503}
        busy = [answer for answer in refused if answer.status == 503]
        assert all((each.body["code"], each.headers["retry-after"]) == ("busy", "1") for each in busy)
        wait_for_calls(20 + len(sold) + len(refused))


def forget_earlier_floods() -> None:
    """What the processes have counted of other tests' floods is written within a second, and is none of ours."""
    time.sleep(2 * SECONDS_BEFORE_WRITING)
    InboundCall.objects.all().delete()


def wait_for_calls(expected: int) -> None:
    """What a process has counted of a flood is written a second later."""
    deadline = time.monotonic() + 10
    while (logged := InboundCall.objects.aggregate(Sum("calls"))["calls__sum"]) != expected:
        assert time.monotonic() < deadline, f"{logged} calls in the log, not {expected}"
        time.sleep(0.1)
