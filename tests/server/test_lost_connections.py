"""A server whose connections to PostgreSQL are cut, or all taken."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from apikeys.minting import Minted
from tests.server.calls import WireTill
from tests.server.holding import writers_waiting
from tests.server.process import Server, running_server
from tests.till import croissants_and_coffee

pytestmark = pytest.mark.postgresql


def cut_every_other_connection() -> int:
    """End the server's side of every connection but ours; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        cut: int = cursor.fetchone()[0]
        return cut


class TestConnections:
    def test_that_were_cut_between_two_calls_are_replaced_unseen(self, server: Server, key: Minted) -> None:
        till = WireTill(server.port, key.token)
        with ThreadPoolExecutor(16) as tills:
            list(tills.map(till.get, ["/ping/"] * 64))
            assert cut_every_other_connection() > 1
            time.sleep(0.1)
            answers = list(tills.map(till.get, ["/ping/"] * 64))

        assert {answer.status for answer in answers} == {200}

    def test_that_are_cut_in_the_middle_of_a_sale_make_a_503_and_the_retry_settles_it(
        self, server: Server, key: Minted
    ) -> None:
        till = WireTill(server.port, key.token)
        assert till.get("/ping/").status == 200
        with ThreadPoolExecutor(1) as tills:
            with writers_waiting():
                call = tills.submit(till.post, croissants_and_coffee())
                time.sleep(0.5)
                assert not call.done()
                cut_every_other_connection()
                answer = call.result()
            retry = till.post(croissants_and_coffee())

        assert (answer.status, answer.body["code"], answer.body["retryable"]) == (503, "unavailable", True)
        assert int(answer.headers["retry-after"]) > 0
        assert retry.status == 201

    def test_that_are_all_taken_make_a_503_that_says_busy(
        self, tmp_path: Path, transactional_db: None, key: Minted
    ) -> None:
        # The lock outlasts the patience of the pool.
        settings = {"DATABASE_POOL_SIZE": "1", "PGOPTIONS": "-c lock_timeout=20s"}
        with running_server(tmp_path, workers=1, **settings) as server, ThreadPoolExecutor(1) as tills:
            till = WireTill(server.port, key.token)
            assert till.get("/ping/").status == 200
            with writers_waiting():
                first = tills.submit(till.post, croissants_and_coffee())
                time.sleep(0.5)
                second = till.get("/ping/")
            answer = first.result()

        assert (second.status, second.body["code"], second.headers["retry-after"]) == (503, "busy", "1")
        assert answer.status == 201

    def test_that_cannot_be_had_make_a_503_that_says_unavailable_and_are_had_at_once_when_they_can(
        self, tmp_path: Path, transactional_db: None, key: Minted
    ) -> None:
        with running_server(tmp_path, workers=1, DATABASE_POOL_SIZE="2") as server:
            till = WireTill(server.port, key.token)
            assert till.get("/ping/").status == 200
            with nobody_let_in():
                cut_every_other_connection()
                time.sleep(0.1)
                away = [till.get("/ping/") for _ in range(2)]
            back = till.get("/ping/")

        assert {(answer.status, answer.body["code"]) for answer in away} == {(503, "unavailable")}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in away)
        assert back.status == 200


@contextmanager
def nobody_let_in() -> Iterator[None]:
    """The database takes no new connections; ours stays."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            yield
        finally:
            cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
