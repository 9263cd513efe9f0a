"""What a database does when it fails, and how a till hears of it.

A statement fails before it reaches the database (``statements_failing()``); or the database itself fails in the
middle of it, or when it commits (``writes_failing()``, ``commits_failing()``). The last two leave both engines
the way a full disk or a cut cable leaves them; tests that use them need transactions of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import IntegrityError, InterfaceError, OperationalError, connection, connections

from tests.till import body_of

AWAY = [OperationalError("server closed the connection"), InterfaceError("the connection is closed")]
DATABASE: Any = type(connections["default"])
ANYTHING = ""

FULL, RULE_BROKEN, CUT = "the disk is full", "a rule is broken", "the connection is cut"
# The sleep is where the backend notices that it is to end.
DEEDS = {
    FULL: "RAISE EXCEPTION 'on purpose' USING ERRCODE = 'disk_full';",
    RULE_BROKEN: "RAISE EXCEPTION 'on purpose' USING ERRCODE = 'integrity_constraint_violation';",
    CUT: "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1);",
}
ERRORS = {
    FULL: OperationalError("database or disk is full"),
    RULE_BROKEN: IntegrityError("FOREIGN KEY constraint failed"),
    CUT: OperationalError("disk I/O error"),
}


def failing(error: Exception) -> Callable[..., Any]:
    """A stand-in that raises ``error`` whatever it is asked."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


@contextmanager
def statements_failing(error: Exception, *, touching: str = ANYTHING, times: int | None = None) -> Iterator[list[str]]:
    """Statements that match the pattern ``touching`` raise ``error`` and never reach the database; their texts.

    All of them, or the first ``times``.
    """
    stopped: list[str] = []

    def stop(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if re.search(touching, sql) and (times is None or len(stopped) < times):
            stopped.append(sql)
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(stop):
        yield stopped
    assert stopped, "Nothing was asked that could have failed."


@contextmanager
def writes_failing(table: str, how: str = FULL) -> Iterator[None]:
    """The database fails as a row of ``table`` is written, in the middle of the statement or transaction."""
    if connection.vendor == "postgresql":
        with _trigger(f"TRIGGER on_purpose BEFORE INSERT ON {table} FOR EACH ROW", how):
            yield
    else:
        with statements_failing(ERRORS[how], touching=f"INSERT INTO {table} "):
            yield


@contextmanager
def commits_failing(
    how: str = FULL, *, table: str = "kasse_transaction", when: str = "true", from_then_on: bool = False
) -> Iterator[None]:
    """The database has written a row of ``table`` of which ``when`` is true, and fails as it commits it.

    On SQLite it may fail at every commit ``from_then_on``; on PostgreSQL it is the connection that can be cut.
    """
    if connection.vendor == "postgresql":
        event = f"CONSTRAINT TRIGGER on_purpose AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        with _trigger(f"{event} WHEN ({when})", how):
            yield
    else:
        with patch.object(DATABASE, "_commit", _commit_but_not(table, when, ERRORS[how], from_then_on)):
            yield


def _commit_but_not(table: str, when: str, error: Exception, from_then_on: bool) -> Callable[[Any], None]:
    """SQLite has nothing that could be asked to fail at the commit; so the driver's call does."""
    commit = DATABASE._commit
    failed: list[Any] = []

    def commit_or_fail(self: Any) -> None:
        with self.cursor() as cursor:
            cursor.execute(f"SELECT 'found' FROM {table} AS NEW WHERE {when}")
            found = cursor.fetchall()
        failed.extend(found)
        if found or (failed and from_then_on):
            raise error
        commit(self)

    return commit_or_fail


@contextmanager
def _trigger(event: str, how: str) -> Iterator[None]:
    body = f"BEGIN {DEEDS[how]} RETURN NEW; END"
    run(f"CREATE FUNCTION on_purpose() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    run(f"CREATE {event} EXECUTE FUNCTION on_purpose()")
    try:
        yield
    finally:
        if not connection.is_usable():
            connection.close()
        run("DROP FUNCTION on_purpose() CASCADE")


def run(statement: str) -> None:
    """Ask the database directly."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def answers_lost_after_the_commit() -> Iterator[None]:
    """The database commits a sale, and the connection breaks before it can say so."""
    if connection.vendor == "postgresql":
        with connection.execute_wrapper(_break_after_a_sale):
            yield
        return
    commit = DATABASE._commit

    def commit_and_break(self: Any) -> None:
        commit(self)
        raise AWAY[0]

    with patch.object(DATABASE, "_commit", commit_and_break):
        yield


def _break_after_a_sale(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    answer = execute(sql, params, many, context)
    if "INSERT INTO kasse_transaction " in sql:
        connection.connection.close()
        raise AWAY[0]
    return answer


def assert_unavailable(answer: Any) -> None:
    """503 in JSON that says: the same again, a little later."""
    body = body_of(answer)
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/json"
    assert (body["detail"], body["code"], body["retryable"]) == ("unavailable", "unavailable", True)
    assert int(answer["Retry-After"]) > 0
    assert body["request_id"] == answer["X-Request-Id"]
