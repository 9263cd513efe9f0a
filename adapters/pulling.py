"""A vendor's turn with the scheduler: when it is time, by one machine alone, and later and later while it ails.

A turn is taken in the database, for a while: should the machine die in it, another one takes over. What the vendor's
folder remembers between turns lies in ``connection.state``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from adapters.connections import held, note_heard, note_trouble
from adapters.fetching import Trouble
from adapters.logbook import write_call
from adapters.models import Connection

TURN = timedelta(minutes=10)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
HINTS_APART = timedelta(minutes=1)
NEXT, BUSY, HINTED, FAILURES = "next_at", "busy_until", "hinted_at", "failures"


def pull_in_turn(connection: Connection, *, at: datetime, every: timedelta, deed: str, pull: Callable[[], str]) -> bool:
    """Do ``pull`` if its time has come, else False; it returns what the connection's log says of it.

    After a trouble the pause doubles up to an hour, or is what the vendor asks for.
    """
    if not _take_turn(connection, at):
        return False
    try:
        detail = pull()
    except Trouble as trouble:
        failures = int(connection.state.get(FAILURES, 0)) + 1
        pause = min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE)
        later = _text(at + max(pause, trouble.wait or pause))
        remember(connection, **{NEXT: later, BUSY: None, FAILURES: failures})
        note_trouble(connection, trouble.code, at=at)
        write_call(connection, at=at, deed=deed, outcome=trouble.code)
        return True
    with held(connection) as row:
        # Whoever has hinted while this went on may have meant something that it did not see.
        hinted = instant_of(row.state.get(HINTED))
        following = at + (FIRST_PAUSE if hinted is not None and hinted >= at else every)
        remember(connection, **{NEXT: _text(following), BUSY: None, FAILURES: None})
    note_trouble(connection, "", at=at)
    note_heard(connection, at=at)
    write_call(connection, at=at, deed=deed, outcome="pulled", detail=detail)
    return True


def pull_soon(connection: Connection) -> None:
    """Let the next turn be the scheduler's next."""
    remember(connection, **{NEXT: None})


def take_hint(connection: Connection, *, at: datetime) -> bool:
    """Let the next turn come soon, since somebody says there is something; False if that was heeded just now.

    Anybody may hint who knows the address: once a minute at most, and not while the vendor ails or asks us to wait.
    """
    with held(connection) as row:
        hinted = instant_of(row.state.get(HINTED))
        if row.trouble or (hinted is not None and hinted > at - HINTS_APART):
            return False
        row.state = {**row.state, HINTED: _text(at), NEXT: _text(at)}
        row.save(update_fields=["state"])
    return True


def remember(connection: Connection, **changes: Any) -> None:
    """Change what is remembered; None forgets."""
    with held(connection) as row:
        state = {**row.state, **changes}
        connection.state = {name: value for name, value in state.items() if value is not None}
        connection.save(update_fields=["state"])


def instant_of(text: object) -> datetime | None:
    """An instant as ``state`` keeps it."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def asked_since(connection: Connection, cursor: str, *, overlap: timedelta) -> datetime:
    """From when on to ask: a little before the instant that ``cursor`` remembers, never before the connection."""
    last = instant_of(connection.state.get(cursor))
    return connection.created_at if last is None else max(connection.created_at, last - overlap)


def _take_turn(connection: Connection, at: datetime) -> bool:
    with held(connection) as row:
        waits = [instant_of(row.state.get(name)) for name in (NEXT, BUSY)]
        if not row.enabled or any(each is not None and each > at for each in waits):
            return False
        # The round may have begun long ago: what staff have entered since then counts.
        for column in Connection._meta.concrete_fields:
            setattr(connection, column.attname, getattr(row, column.attname))
        connection.state = {**row.state, BUSY: _text(at + TURN)}
        connection.save(update_fields=["state"])
    return True


def _text(instant: datetime) -> str:
    return instant.isoformat()
