"""What SQLite needs and PostgreSQL does not: values in its forms, and a line to wait in for its one writer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from kasse.models import LineKind, PaymentMethod, Source, Status


@cache
def on_sqlite() -> bool:
    """Whether the rows are kept in SQLite, and not in PostgreSQL; never changes while a process lives."""
    return bool(connection.vendor == "sqlite")


_TURN = threading.Lock()


@contextmanager
def in_turn() -> Iterator[None]:
    """Wait in line for the one writer that SQLite has at a time.

    Whoever finds its lock taken asks again after ever longer pauses; with many threads, somebody is late by a
    second. Within a transaction the lock is ours already.
    """
    if connection.in_atomic_block:
        yield
    else:
        with _TURN:
            yield


def for_sqlite(row: dict[str, Any]) -> dict[str, Any]:
    """A row as Django's fields write it on SQLite: ids as 32 hex digits, instants as UTC text, JSON as text."""
    return {name: _SQLITE_FORMS.get(type(value), _as_is)(value) for name, value in row.items()}


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
