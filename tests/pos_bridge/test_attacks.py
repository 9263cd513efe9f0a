"""What was found by attacking the way of a call, and must not come back."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from psycopg_pool import PoolTimeout

from apikeys.minting import Minted
from kasse import sqlite
from kasse.models import Transaction
from kasse.sqlite import LOCKED
from pos_bridge.throttling import calls_in_last_hour
from tenants.models import Tenant
from tests.factories import mint
from tests.pos_bridge.breaking import AWAY, assert_unavailable, run, statements_failing
from tests.till import Till, body_of, croissants_and_coffee

READ_BACK = "FROM kasse_transaction AS t"
OUR_RECIPE = "Croissant, nach Grossmutters Rezept"


class TestACallThatIsCounted:
    """Its count commits with the statement that finds the reference taken; what follows may still fail."""

    @pytest.fixture
    def budgeted(self, seeblick: Tenant) -> Minted:
        return mint(seeblick, budget=10)

    def test_is_not_counted_again_when_the_stored_sale_cannot_be_read(
        self, budgeted: Minted, caplog: pytest.LogCaptureFixture
    ) -> None:
        till = Till(budgeted.token)
        till.post(croissants_and_coffee())

        with statements_failing(AWAY[0], touching=READ_BACK, times=1) as stopped:
            answer = till.post(croissants_and_coffee())

        assert len(stopped) == 1
        assert_unavailable(answer)
        assert "now without" not in caplog.text
        assert calls_in_last_hour(budgeted.key, at=timezone.now()) == 1

    def test_beyond_the_budget_is_not_counted_again_when_the_wait_cannot_be_told(self, seeblick: Tenant) -> None:
        lone = mint(seeblick, budget=1)
        till = Till(lone.token)
        till.post(croissants_and_coffee())

        with statements_failing(AWAY[0], touching='SELECT "pos_bridge_budgetslot"."second"', times=1):
            assert_unavailable(till.post(croissants_and_coffee(external_ref="T-2")))

        assert calls_in_last_hour(lone.key, at=timezone.now()) == 1
        assert Transaction.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
class TestARowThatTheDatabaseRefuses:
    def test_is_not_repeated_in_the_operators_log(self, till: Till, caplog: pytest.LogCaptureFixture) -> None:
        """PostgreSQL's second line would be: Failing row contains …"""
        run(f"ALTER TABLE kasse_transactionitem ADD CONSTRAINT on_purpose CHECK (description <> '{OUR_RECIPE}')")
        body = croissants_and_coffee()
        body["items"][0]["description"] = OUR_RECIPE
        try:
            answer = till.post(body)
        finally:
            run("ALTER TABLE kasse_transactionitem DROP CONSTRAINT on_purpose")

        assert answer.status_code == 500
        assert 'violates check constraint "on_purpose"' in caplog.text
        assert OUR_RECIPE not in caplog.text


@pytest.mark.django_db(transaction=True)
class TestAPoolWithNothingLeft:
    def test_is_waited_for_once_to_know_the_key(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever waits twice holds a thread for twice as long, when threads are scarce."""
        asked: list[float] = []

        def nothing_left(_parameters: Any) -> Any:
            asked.append(time.monotonic())
            raise OperationalError("couldn't get a connection") from PoolTimeout()

        connection.close()
        with monkeypatch.context() as patched:
            patched.setattr(connection, "get_new_connection", nothing_left)
            patched.setattr("pos_bridge.activity.log_call", lambda *args, **kwargs: None)
            answer = till.get("/ping/")

        assert (answer.status_code, body_of(answer)["code"], answer["Retry-After"]) == (503, "busy", "1")
        assert len(asked) == 1


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
class TestAFileThatSomebodyElseKeepsLocked:
    """A backup, or a VACUUM: SQLite waits for 20 seconds before it gives up."""

    def test_is_not_waited_for_once_more_without_the_log(self, till: Till) -> None:
        with statements_failing(OperationalError(LOCKED), touching="INSERT INTO kasse_transaction ") as stopped:
            answer = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert len(stopped) == 1

    def test_does_not_make_a_line_without_an_end(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        assert till.get("/ping/").status_code == 200
        monkeypatch.setattr(sqlite, "PATIENCE_SECONDS", 0.05)

        with sqlite._TURN:  # somebody before us, who waits for the file
            answer = till.post(croissants_and_coffee())
        retry = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert retry.status_code == 201


class TestAnAnswerWithoutABody:
    def test_does_not_say_how_long_that_is(self, till: Till) -> None:
        """With 304 the length would be that of the body which is not sent; 0 is never that."""
        etag = till.get("/products/")["ETag"]

        answer = till.call("HEAD", "/products/", headers={"if-none-match": etag})

        assert answer.status_code == 304
        assert "Content-Length" not in answer
