"""What a database may say when it is not our fault, nor the till's: 503, and when to come again."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from django.db import Error, connection

from pos_bridge.problems import problem_of

AWAY = {
    "08000": "a connection that failed",
    "08006": "a connection that was lost",
    "25006": "a standby",
    "25P03": "idle in a transaction for too long",
    "40001": "two that cannot both be",
    "40P01": "a deadlock",
    "53100": "a full disk",
    "53200": "no memory",
    "53300": "too many connections",
    "55P03": "a lock that was not to be had",
    "57014": "a statement that took too long",
    "57P01": "told to stop",
    "57P02": "crashed",
    "57P03": "still starting",
    "58030": "a disk that fails",
}


def answer_to(error: Exception) -> tuple[int, bool]:
    """The status, and whether it is said when to come again."""
    try:
        with connection.wrap_database_errors:
            raise error
    except Error as found:
        problem = problem_of(found)
    return problem.status, "Retry-After" in problem.headers


@pytest.mark.postgresql
class TestPostgreSQL:
    @pytest.mark.parametrize("code", AWAY)
    def test_that_cannot_just_now_is_asked_again_later(self, code: str) -> None:
        assert answer_to(psycopg.errors.lookup(code)()) == (503, True)

    @pytest.mark.parametrize("code", ["22001", "22P02", "23502", "23514", "42501", "42601"])
    def test_that_was_asked_wrongly_is_a_fault_of_ours(self, code: str) -> None:
        assert answer_to(psycopg.errors.lookup(code)()) == (500, False)


@pytest.mark.sqlite
@pytest.mark.django_db
@pytest.mark.parametrize("said", ["database or disk is full", "disk I/O error", "database is locked"])
def test_sqlite_that_cannot_just_now_is_asked_again_later(said: str) -> None:
    assert answer_to(sqlite3.OperationalError(said)) == (503, True)
