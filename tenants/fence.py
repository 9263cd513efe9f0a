"""The second fence: whose rows PostgreSQL gives out at all.

The first is ``Model.objects.of(tenant)``. Should a query forget it, row level security answers with nothing. Whoever
asks stands within a campground, or by name across all of them::

    with within(tenant): ...
    with across_tenants(): ...

Who stands nowhere finds no row of anybody, but those a caller is recognised by (``campone.roles``). A campground and
its rehearsal are on the same side.

The fence stands where the tables belong to another role than ours. Where they are our own, and on SQLite, all of this
does nothing. Where we stand is told to the server for one transaction at a time, never for a session: a pool, or
PgBouncer, hands the connection to others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import connection
from psycopg.pq import TransactionStatus

from tenants.models import Tenant

NOWHERE = ""
NOBODYS = "0"
"""For whoever has no campground; ``NOWHERE`` would show what callers are recognised by."""
EVERYWHERE = "*"
CARRIED = "fence AS MATERIALIZED (SELECT set_config('app.tenant', %(fence)s, true))"
"""A ``WITH`` part that puts up the fence within a statement, which has to begin with it.

Rows that are written pass it if what they are made of is joined with ``fence``: its row comes before theirs.
"""
HELD = "SELECT bool_or(row_security_active(oid)) FROM pg_class WHERE relrowsecurity AND pg_table_is_visible(oid)"
T = TypeVar("T")


class _Here(threading.local):
    """Where this thread stands."""

    where = NOWHERE


_HERE = _Here()


@cache
def is_standing() -> bool:
    """Whether the database holds us to the fence; never changes while a process lives."""
    if connection.vendor != "postgresql":
        return False
    connection.ensure_connection()
    with connection.wrap_database_errors:
        found = connection.connection.execute(HELD).fetchone()
    return bool(found and found[0])


def side_of(tenant: Tenant) -> str:
    """What the server is told of where we stand: the ids of a campground and of its rehearsal."""
    return sides_of([tenant.pk])


def sides_of(tenants: Iterable[int]) -> str:
    """The same of several, by their ids; empty for none."""
    return ",".join(f"{each},{-each}" for each in sorted(set(tenants)))


@contextmanager
def within(*tenants: Tenant) -> Iterator[None]:
    """Whatever is asked inside concerns the rows of this campground alone; or of these, in the admin."""
    before = stand(sides_of(each.pk for each in tenants) or NOBODYS)
    try:
        yield
    finally:
        stand(before)


@contextmanager
def across_tenants() -> Iterator[None]:
    """For the few deeds that concern all campgrounds: lists of what is due, what is forgotten, an operator's admin."""
    before = stand(EVERYWHERE)
    try:
        yield
    finally:
        stand(before)


def each_within(tenant: Tenant, rows: Iterable[T]) -> Iterator[T]:
    """Rows that are made while they are sent, long after the view has ended, and may be left in the midst of it."""
    making = iter(rows)
    while True:
        with within(tenant):
            try:
                row = next(making)
            except StopIteration:
                return
        yield row


def stand(where: str) -> str:
    """Stand there from now on, in this thread; returns where one stood before."""
    before = _HERE.where
    if is_standing():
        _HERE.where = where
        if _guard not in connection.execute_wrappers:
            connection.execute_wrappers.insert(0, _guard)  # whoever adds one for a while takes the last away
    return before


def here() -> str:
    """Where this thread stands, for a statement that puts up the fence itself."""
    return _HERE.where


def leave() -> None:
    """Stand nowhere; at the end of whatever has begun with ``stand()``."""
    _HERE.where = NOWHERE


def _guard(execute: Callable[..., T], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> T:
    """Tell the server where we stand before it hears a statement: in the same transaction, be it for this one alone."""
    held = context["connection"]
    text = sql if isinstance(sql, str) else ""  # or what the driver puts together
    if held.in_atomic_block:
        _tell_transaction(held)
        try:
            return execute(sql, params, many, context)
        finally:
            if text.startswith("ROLLBACK TO"):
                held.fence_told = None  # whatever was told since then
    if _HERE.where == NOWHERE or text.startswith("WITH fence AS"):
        return execute(sql, params, many, context)
    with held.wrap_database_errors:
        _tell(held, "BEGIN; " + _telling(_HERE.where))
    try:
        done = execute(sql, params, many, context)
    except BaseException:
        with suppress(psycopg.Error):  # on a connection that is lost, it has ended
            _tell(held, "ROLLBACK")
        raise
    with held.wrap_database_errors:
        _tell(held, "COMMIT")
    return done


def _tell_transaction(held: Any) -> None:
    """Tell it once in a transaction, unless one stands elsewhere by now."""
    status = held.connection.info.transaction_status
    if status == TransactionStatus.INERROR:
        return  # whatever comes now only ends it
    told = NOWHERE if status == TransactionStatus.IDLE else getattr(held, "fence_told", NOWHERE)
    if told != _HERE.where:
        with held.wrap_database_errors:
            _tell(held, _telling(_HERE.where))
    held.fence_told = _HERE.where


def _telling(where: str) -> str:
    return f"SELECT set_config('app.tenant', '{where}', true)"


def _tell(held: Any, statements: str) -> None:
    held.connection.execute(statements, prepare=False)
