"""Statements by hand, and the connection they go over: what every call needs, without what is the same each time.

To Django, taking a connection out of the pool is as if it had just been opened: it reads its settings again, sets the
connection up, sends signals. To the driver, making a cursor is as much work as using it once. A call that asks one
statement would pay more for that than for the statement. So a connection is only lent and given back once
Django has set this thread up, and keeps a cursor.

A connection that was kept may have died meanwhile, and what stores something must not be sent twice. So each is
looked at before its first statement in a call, and another one taken in place of a dead one.
"""

from __future__ import annotations

import re
import select
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.backends.utils import CursorWrapper

from kasse.rows import Columns, Row
from kasse.sqlite import in_turn, on_sqlite
from kasse.together import Together
from tenants.fence import CARRIED, is_standing, sides_of


class _Thread(threading.local):
    """What Django's ``connections`` finds for a thread, and looks for each time."""

    def __init__(self) -> None:
        self.connection: Any = connections[DEFAULT_DB_ALIAS]
        self.in_use: Any = None
        """The driver's connection that has been looked at."""
        self.does_without = False


_THREAD = _Thread()
Work = TypeVar("Work")
MOST_AT_ONCE = 32
PATIENCE = 0.02
"""Seconds for which somebody waits for the statement before their own; hardly any takes as long."""
_ENCODE = msgspec.json.Encoder().encode
_NAME = re.compile(r"%\((\w+)\)s")


def execute(statement: str, values: Mapping[str, Any]) -> CursorWrapper:
    """Execute a statement, and return the cursor; what it answers is to be fetched before the next statement."""
    held = _THREAD.connection if on_sqlite() else borrow_connection()
    if on_sqlite() or held.queries_logged:
        cursor: CursorWrapper = held.cursor()
        cursor.execute(statement, values)
        return cursor
    cursor = held.make_cursor(_kept_cursor(held))
    text, names = _numbered(statement)
    cursor.execute(text, [values[name] for name in names])
    return cursor


def change(statement: str, values: Mapping[str, Any]) -> int:
    """Execute a statement that writes, in turn where there is one writer at a time; how many rows it has touched."""
    with in_turn() if on_sqlite() else nullcontext():
        return int(execute(statement, values).rowcount)


class Shared(Together[Work]):
    """A statement that several threads share: what comes while it is under way goes together in the next one."""

    def __init__(self, do: Callable[[Sequence[Work]], None]) -> None:
        super().__init__(do, nothing_came_of_it=_has_refused, most=MOST_AT_ONCE, patience=PATIENCE)

    def do(self, work: Work, *, turn: Hashable) -> None:
        """Have it done with what others bring; within a transaction alone, which is nobody else's."""
        if connection.in_atomic_block:
            self._do([work])
        else:
            super().do(work, turn=turn)


def _has_refused(error: Exception) -> bool:
    """Whether the database has said no, and so stored nothing: not if the connection was lost on the way."""
    return isinstance(error, DatabaseError) and connection.is_usable()


def told(columns: str, *, fenced: bool) -> str:
    """How a statement for PostgreSQL begins that is handed rows, as JSON in the parameter ``told``: with a ``WITH``
    part of that name, which has these columns.

    ``fenced`` puts up the second fence in the statement itself, if there is one: whatever is made of ``told`` is
    written behind it. Whose rows it lets through is the parameter ``fence``.
    """
    carried, behind = (f"{CARRIED}, ", "fence, ") if fenced and is_standing() else ("", "")
    rows = f"SELECT each.* FROM {behind}json_to_recordset(%(told)s::json) AS each({columns})"
    return f"WITH {carried}told AS MATERIALIZED ({rows})"


def execute_told(statement: str, rows: Sequence[Row], *, tenants: Iterable[int], **more: Any) -> list[tuple[Any, ...]]:
    """Execute a statement that begins with ``told()``; all that it answers. ``tenants`` are those of the rows, by their
    ids; ``more`` are further lists of rows that it asks for by name.
    """
    values = {name: _ENCODE(each).decode() for name, each in {"told": rows, **more}.items()}
    return cast("list[tuple[Any, ...]]", execute(statement, {**values, "fence": sides_of(tenants)}).fetchall())


def typed(columns: Columns) -> str:
    """Columns and their types, as PostgreSQL is told them."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def borrow_connection() -> Any:
    """The connection of this thread, connected, and alive when the call under way began to use it.

    Raises:
        OperationalError, PoolTimeout: there is none to be had.
    """
    held = _THREAD.connection
    if held.connection is not None and held.connection is _THREAD.in_use:
        return held
    _THREAD.does_without = False
    _connect(held)
    if not held.in_atomic_block and not _is_quiet(held.connection) and not held.is_usable():
        leave_the_dead()
        _connect(held)
    _THREAD.in_use = held.connection
    return held


def look_again() -> None:
    """At the beginning of a call: its first statement looks whether the connection of this thread still lives."""
    _THREAD.in_use = None
    _THREAD.does_without = False


def give_connection_back() -> None:
    """At the end of a call: into the pool, if there is one. After an error, in the way Django has for it.

    SQLite opens a file that may not be written to read alone, and keeps it so; Django finds nothing wrong with that. So
    after an error the file is opened anew.
    """
    held = _THREAD.connection
    if held.connection is None:
        return
    clean = not held.errors_occurred and held.autocommit and not held.in_atomic_block
    held.was_lent = clean and getattr(held, "pool", None) is not None
    if held.was_lent:
        lent, held.connection = held.connection, None
        held.pool.putconn(lent)
    elif held.errors_occurred and not held.in_atomic_block and on_sqlite():
        held.close()
    else:
        held.close_if_unusable_or_obsolete()


def do_without_connection() -> None:
    """Before waiting for something else than the database: others may have the connection meanwhile. Within a
    transaction it stays.
    """
    if not on_sqlite() and not connection.in_atomic_block:
        give_connection_back()
        _THREAD.does_without = True


def does_without_connection() -> bool:
    """Whether this thread has none because it has given it back, and has not asked for another since."""
    return _THREAD.does_without


def leave_the_dead() -> None:
    """Give this thread's connection up, which is dead, and with it all others of the pool that died of the same."""
    held = _THREAD.connection
    held.close()
    pool = getattr(held, "pool", None)
    if pool is not None:
        pool.check()


def _connect(held: Any) -> None:
    if held.connection is not None:
        return
    if getattr(held, "was_lent", False):
        with held.wrap_database_errors:
            held.connection = held.pool.getconn()
    else:
        held.ensure_connection()


def _is_quiet(lent: Any) -> bool:
    """Whether the server has said nothing since it last answered: of a dead one, a farewell or an end is waiting."""
    if lent.closed:
        return False
    waiting = select.poll()
    waiting.register(lent.fileno(), select.POLLIN)
    return not waiting.poll(0)


def _kept_cursor(held: Any) -> Any:
    kept = vars(held.connection)
    if "cursor_of_calls" not in kept:
        with held.wrap_database_errors:
            kept["cursor_of_calls"] = psycopg.RawCursor(held.connection)
    return kept["cursor_of_calls"]


@cache
def _numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """A statement on one line with PostgreSQL's own places for values, ``$1``, and the names of these in their order.

    The driver would read the text on each call again: it remembers only short ones.
    """
    names = tuple(dict.fromkeys(_NAME.findall(statement)))
    text = _NAME.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
    return " ".join(text.split()), names
