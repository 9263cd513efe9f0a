"""What SQLite needs and PostgreSQL does not: values in its forms, and a line to wait in for its one writer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timezone
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from django.db import OperationalError, connection

from kasse.models import LineKind, PaymentMethod, Source, Status


@cache
def on_sqlite() -> bool:
    """Whether the rows are kept in SQLite, and not in PostgreSQL; never changes while a process lives."""
    return bool(connection.vendor == "sqlite")


_TURN = threading.Lock()
# As long as SQLite itself waits for its lock (campone.environment). While somebody else keeps it, for a backup or a
# VACUUM, a line without an end would make the last in it wait for all before.
PATIENCE_SECONDS = 20
LOCKED = "database is locked"
"""What SQLite says when it has waited in vain; and so do we."""


@contextmanager
def in_turn() -> Iterator[None]:
    """Wait in line for the one writer that SQLite has at a time.

    Whoever finds its lock taken asks again after ever longer pauses; with many threads, somebody is late by a
    second. Within a transaction the lock is ours already.

    Raises:
        OperationalError: the turn has not come in time.
    """
    if connection.in_atomic_block:
        yield
        return
    if not _TURN.acquire(timeout=PATIENCE_SECONDS):
        raise OperationalError(LOCKED)
    try:
        yield
    finally:
        _TURN.release()


def for_sqlite(row: dict[str, Any]) -> dict[str, Any]:
    """A row as Django's fields write it on SQLite: ids as 32 hex digits, instants as UTC text, JSON as text."""
    return {name: _SQLITE_FORMS.get(type(value), _as_is)(value) for name, value in row.items()}


def in_utc(instant: datetime) -> datetime:
    """An instant out of the database. SQLite knows no zones; all instants in it are UTC."""
    return instant.replace(tzinfo=timezone.utc) if instant.tzinfo is None else instant.astimezone(timezone.utc)


def from_json(value: Any) -> Any:
    """JSON out of the database: a text on SQLite, and wherever the driver leaves it to us."""
    return msgspec.json.decode(value) if isinstance(value, str) else value


def _as_is(value: Any) -> Any:
    return value


def _utc_text(instant: datetime) -> str | None:
    return connection.ops.adapt_datetimefield_value(instant)


_SQLITE_FORMS: dict[type, Any] = {
    **dict.fromkeys((Source, Status, PaymentMethod, LineKind), str),
    UUID: lambda value: value.hex,
    datetime: _utc_text,
    date: date.isoformat,
    dict: lambda value: msgspec.json.encode(value).decode(),
}
