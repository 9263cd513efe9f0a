"""The same reference at the same moment: one sale, whoever wins, on both engines."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction

from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge.models import InboundCall, Outcome, ParkedSale
from pos_bridge.riding import TillRider
from tests.pos_bridge.breaking import run
from tests.races.racing import race, with_own_connection
from tests.till import Body, Till, body_of, croissants_and_coffee

pytestmark = pytest.mark.django_db(transaction=True)

TWINS = 50


def sale_of(price: str, **changes: Any) -> Body:
    """One line at a price: the same reference, other money."""
    line = {"description": "Gasflasche", "quantity": 1, "unit_price": price, "line_total": price}
    return croissants_and_coffee(total_amount=price, items=[line], **changes)


class TestTwins:
    def test_are_one_sale(self, till: Till) -> None:
        answers = race([partial(till.post, croissants_and_coffee())] * TWINS)

        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: TWINS - 1}
        assert len({body_of(answer)["id"] for answer in answers}) == 1
        assert len({answer.content for answer in answers}) == 1
        assert [model.objects.count() for model in (Transaction, TransactionItem, Payment)] == [1, 2, 1]

    def test_leave_a_row_each_and_one_of_them_created_it(self, till: Till) -> None:
        race([partial(till.post, croissants_and_coffee())] * TWINS)

        outcomes = Counter(InboundCall.objects.values_list("outcome", flat=True))
        assert outcomes == {Outcome.CREATED: 1, Outcome.REPLAYED: TWINS - 1}

    def test_of_two_campgrounds_are_two_sales(self, till: Till, neighbours_till: Till) -> None:
        both = [till, neighbours_till] * 20
        answers = race([partial(each.post, croissants_and_coffee()) for each in both])

        for mine in (answers[0::2], answers[1::2]):
            assert Counter(answer.status_code for answer in mine) == {201: 1, 200: 19}
            assert len({body_of(answer)["id"] for answer in mine}) == 1
        assert Transaction.objects.count() == 2

    def test_many_pairs_at_once_are_one_sale_each(self, till: Till) -> None:
        sales = [croissants_and_coffee(external_ref=f"T-{number // 2}") for number in range(TWINS)]
        answers = race([partial(till.post, sale) for sale in sales])

        assert Counter(answer.status_code for answer in answers) == {201: TWINS // 2, 200: TWINS // 2}
        assert Transaction.objects.count() == TWINS // 2


class TestRivals:
    def test_with_other_money_are_refused_and_parked_once_each(self, till: Till) -> None:
        prices = ["11.00", "12.00", "13.00", "14.00", "15.00"]
        answers = race([partial(till.post, sale_of(price)) for price in prices * 6])

        stored = str(Transaction.objects.get().total_amount)
        by_price = {
            price: Counter(answer.status_code for answer in answers[index::5]) for index, price in enumerate(prices)
        }
        assert by_price == {price: {201: 1, 200: 5} if price == stored else {409: 6} for price in prices}
        assert Counter(ParkedSale.objects.values_list("times_received", flat=True)) == {6: 4}

    def test_that_come_later_are_parked_once_with_the_right_count(self, till: Till) -> None:
        till.post(croissants_and_coffee())

        answers = race([partial(till.post, sale_of("99.00"))] * 30)

        assert {answer.status_code for answer in answers} == {409}
        assert ParkedSale.objects.get().times_received == 30

    def test_leave_what_is_stored_untouched(self, till: Till) -> None:
        first = till.post(croissants_and_coffee())

        race([partial(till.post, sale_of(f"{price}.00")) for price in range(20, 40)])

        assert till.read_back("seeblick-2026-04-29-T-1").content == first.content
        assert ParkedSale.objects.count() == 20


class TestAWinner:
    """The first has written its sale and not yet committed; the second meets it at the constraint."""

    def meet(self, till: Till, *, abort: bool) -> list[int]:
        """The statuses of the first and the second."""
        assert till.get("/ping/").status_code == 200
        post = partial(with_own_connection, partial(till.post, croissants_and_coffee()))
        pausing = pausing_on_postgresql if connection.vendor == "postgresql" else pausing_on_sqlite
        with ThreadPoolExecutor(2) as threads, pausing(abort=abort) as pause:
            first = threads.submit(post)
            pause.wait_until_there()
            second = threads.submit(post)
            pause.wait_until_blocked()
            assert not second.done()
            pause.end()
            return [first.result().status_code, second.result().status_code]

    def test_that_commits_is_what_the_second_reads(self, till: Till) -> None:
        assert self.meet(till, abort=False) == [201, 200]
        assert Transaction.objects.count() == 1

    def test_that_aborts_leaves_the_place_to_the_second(self, till: Till) -> None:
        status = 503 if connection.vendor == "postgresql" else 500

        assert self.meet(till, abort=True) == [status, 201]
        assert Transaction.objects.count() == 1
        assert TransactionItem.objects.count() == 2

    @pytest.mark.postgresql
    def test_holds_up_no_other_reference(self, till: Till) -> None:
        assert till.get("/ping/").status_code == 200  # the use of the key is noted, once a minute
        others = [partial(till.post, croissants_and_coffee(external_ref=f"T-{number}")) for number in range(2, 8)]
        with transaction.atomic():
            first = till.post(croissants_and_coffee(external_ref="T-1"))
            answers = race(others)

        assert first.status_code == 201
        assert {answer.status_code for answer in answers} == {201}


@dataclass(frozen=True)
class Pause:
    """A sale that has been written and waits before it commits."""

    wait_until_there: Callable[[], None]
    wait_until_blocked: Callable[[], None]
    end: Callable[[], None]


@contextmanager
def pausing_on_sqlite(*, abort: bool) -> Iterator[Pause]:
    """The first stops between its sale and its row of the log; then it goes on, or breaks off."""
    written, go_on = threading.Event(), threading.Event()
    follow = TillRider.follow

    def pause(rider: TillRider, cursor: Any) -> None:
        if not written.is_set():
            written.set()
            assert go_on.wait(20)
            if abort:
                raise RuntimeError("the first breaks off")
        follow(rider, cursor)

    with patch.object(TillRider, "follow", pause):
        # SQLite cannot say that somebody waits; a moment must do.
        yield Pause(lambda: succeed(written.wait(20)), lambda: time.sleep(0.5), go_on.set)


LOCK = 12776
PAUSE = f"BEGIN PERFORM pg_advisory_xact_lock({LOCK}); RETURN NEW; END"


@contextmanager
def pausing_on_postgresql(*, abort: bool) -> Iterator[Pause]:
    """The first stops before its payment, at a lock that is ours; then we let go, or cut its connection."""
    run(f"CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $${PAUSE}$$")
    run("CREATE TRIGGER pause BEFORE INSERT ON kasse_payment FOR EACH ROW EXECUTE FUNCTION pause()")
    run(f"SELECT pg_advisory_lock({LOCK})")

    def end() -> None:
        if abort:
            run("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        run(f"SELECT pg_advisory_unlock({LOCK})")

    try:
        yield Pause(partial(wait_for_waiters, "advisory"), partial(wait_for_waiters, "transactionid"), end)
    finally:
        run("SELECT pg_advisory_unlock_all()")
        run("DROP FUNCTION pause() CASCADE")


def wait_for_waiters(kind: str) -> None:
    """Until another transaction waits for a lock of this kind."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = %s", [kind])
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("Nobody waits.")


def succeed(happened: bool) -> None:
    """What had to happen in time did."""
    assert happened
