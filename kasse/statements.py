"""Statements by hand, and the connection they go over: what every call needs, without what is the same each time.

To Django, taking a connection out of the pool is as if it had just been opened: it reads its settings again, sets the
connection up, sends signals. To the driver, making a cursor is as much work as using it once. A call that asks one
statement would pay more for that than for the statement. So a connection is only lent and given back once
Django has set this thread up, and keeps a cursor.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper

from kasse.sqlite import in_turn, on_sqlite


class _Thread(threading.local):
    """What Django's ``connections`` finds for a thread, and looks for each time."""

    def __init__(self) -> None:
        self.connection: Any = connections[DEFAULT_DB_ALIAS]


_THREAD = _Thread()


def execute(statement: str, values: Mapping[str, Any]) -> CursorWrapper:
    """Execute a statement, and return the cursor; what it answers is to be fetched before the next statement."""
    if on_sqlite():
        cursor: CursorWrapper = _THREAD.connection.cursor()
    else:
        held = borrow_connection()
        make = held.make_debug_cursor if held.queries_logged else held.make_cursor
        cursor = make(_kept_cursor(held))
    cursor.execute(statement, values)
    return cursor


def change(statement: str, values: Mapping[str, Any]) -> int:
    """Execute a statement that writes, in turn where there is one writer at a time; how many rows it has touched."""
    with in_turn() if on_sqlite() else nullcontext():
        return int(execute(statement, values).rowcount)


def borrow_connection() -> Any:
    """The connection of this thread, connected."""
    held = _THREAD.connection
    if held.connection is None:
        if getattr(held, "was_lent", False):
            with held.wrap_database_errors:
                held.connection = held.pool.getconn()
        else:
            held.ensure_connection()
    return held


def give_connection_back() -> None:
    """At the end of a call: into the pool, if there is one. After an error, in the way Django has for it."""
    held = _THREAD.connection
    if held.connection is None:
        return
    clean = not held.errors_occurred and held.autocommit and not held.in_atomic_block
    held.was_lent = clean and getattr(held, "pool", None) is not None
    if held.was_lent:
        lent, held.connection = held.connection, None
        held.pool.putconn(lent)
    else:
        held.close_if_unusable_or_obsolete()


def _kept_cursor(held: Any) -> Any:
    kept = vars(held.connection)
    if "cursor_of_calls" not in kept:
        with held.wrap_database_errors:
            kept["cursor_of_calls"] = held.create_cursor()
    return kept["cursor_of_calls"]
