"""Sales into the tables, many at once: one statement on PostgreSQL, one transaction on SQLite.

The one place where the ledger is written, and so the one place where it is written by hand: the ORM's way
costs ten times the work and more (see "Performance" in the documentation). Both forms do the same:

1. the rider opens or shuts the gate (a budget, for one);
2. sales are inserted whose reference nobody holds; a racing twin is waited for, not failed on;
3. lines and payments follow, of the inserted ones alone;
4. the rider adds its own rows.

On PostgreSQL that is a single statement of a few data-modifying ``WITH`` parts: one round trip, one commit. Sales with
riders share it if they come at the same moment (``kasse.together``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from kasse.riders import ALONE, Parts, Rider
from kasse.rows import LINE_COLUMNS, PAYMENT_COLUMNS, SALE_COLUMNS, Row, line_rows, payment_rows, sale_row
from kasse.sales import StoredSale
from kasse.sqlite import for_sqlite, in_turn, on_sqlite
from kasse.statements import Shared, execute_told, told, typed


def write_sales(sales: Sequence[StoredSale], *, rider: Rider | None = None) -> set[UUID]:
    """Insert ``sales``, and return the ids of those whose reference was free; a rider goes with one sale, and may keep
    it out.

    Whoever writes several at once should sort them by reference: two writers then cannot wait for each other.
    """
    if on_sqlite():
        written = _write_on_sqlite(sales, rider)
    elif rider is None:
        written = {sale for sale, is_new, _ in _insert_all(ALONE, sales, map(sale_row, sales)) if is_new}
    else:
        written = _write_with_others(*sales, rider=rider)
    if rider is not None:
        # Only now: what the rider has written commits, though it kept the sale out.
        rider.raise_if_shut()
    return written


# PostgreSQL -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Entry:
    """A sale that is to be written with its rider; whether it has been."""

    sale: StoredSale
    rider: Rider
    is_new: bool = False


def _write_with_others(sale: StoredSale, *, rider: Rider) -> set[UUID]:
    entry = _Entry(sale, rider)
    _shared(rider.parts).do(entry, turn=rider.turn)
    return {sale.id} if entry.is_new else set()


@cache
def _shared(_parts: Parts) -> Shared[_Entry]:
    """The statement of those whose riders are of one kind."""
    return Shared(_write_entries)


def _write_entries(entries: Sequence[_Entry]) -> None:
    # All in the same order, so that no two statements wait for each other.
    entries = sorted(entries, key=attrgetter("rider.turn"))
    rows = (sale_row(each.sale) | each.rider.row() for each in entries)
    found = _insert_all(entries[0].rider.parts, [each.sale for each in entries], rows)
    became = {sale: (is_new, answer) for sale, is_new, answer in found}
    for each in entries:
        each.is_new, answer = became[each.sale.id]
        each.rider.hear(answer)


def _insert_all(parts: Parts, sales: Sequence[StoredSale], rows: Iterable[Row]) -> list[tuple[UUID, bool, Any]]:
    """Of each sale its id, whether it is new, and the answer to its rider."""
    tenants = (each.tenant_id for each in sales)
    lines, payments = list(line_rows(sales)), list(payment_rows(sales))
    found = execute_told(_statement(parts), list(rows), tenants=tenants, lines=lines, payments=payments)
    return cast("list[tuple[UUID, bool, Any]]", found)


@cache
def _statement(parts: Parts) -> str:
    """The statement for a kind of rider; its text never changes, so the server plans it once a connection."""
    return f"""
        {told(", ".join(filter(None, [typed(SALE_COLUMNS), parts.columns])), fenced=parts is not ALONE)},
        {parts.before}{", " if parts.before else ""}
        sale AS (
            INSERT INTO kasse_transaction ({", ".join(SALE_COLUMNS)})
            SELECT {", ".join(f"s.{name}" for name in SALE_COLUMNS)} FROM {parts.gate} AS s
            ORDER BY s.tenant_id, s.external_ref
            ON CONFLICT (tenant_id, external_ref) DO NOTHING
            RETURNING id
        ),
        line AS (
            INSERT INTO kasse_transactionitem ({", ".join(LINE_COLUMNS)})
            SELECT l.* FROM json_to_recordset(%(lines)s::json) AS l({typed(LINE_COLUMNS)})
            JOIN sale ON sale.id = l.transaction_id
        ),
        payment AS (
            INSERT INTO kasse_payment ({", ".join(PAYMENT_COLUMNS)})
            SELECT p.* FROM json_to_recordset(%(payments)s::json) AS p({typed(PAYMENT_COLUMNS)})
            JOIN sale ON sale.id = p.transaction_id
        ){", " if parts.after else ""}{parts.after}
        SELECT told.id, sale.id IS NOT NULL, {parts.answer} FROM told LEFT JOIN sale ON sale.id = told.id
    """


# SQLite ---------------------------------------------------------------------------------------------


def _write_on_sqlite(sales: Sequence[StoredSale], rider: Rider | None) -> set[UUID]:
    with in_turn(), transaction.atomic(), connection.cursor() as cursor:
        if rider and not rider.open_gate(cursor):
            return set()
        written = [each for each in sales if _insert_if_free(cursor, each)]
        for row in line_rows(written):
            cursor.execute(INSERT_LINE, for_sqlite(row))
        for row in payment_rows(written):
            cursor.execute(INSERT_PAYMENT, for_sqlite(row))
        if rider and written:
            rider.follow(cursor)
    return {each.id for each in written}


def _insert_if_free(cursor: CursorWrapper, sale: StoredSale) -> bool:
    cursor.execute(INSERT_SALE, for_sqlite(sale_row(sale)))
    return bool(cursor.rowcount == 1)


def _insert(table: str, columns: Iterable[str]) -> str:
    names = list(columns)
    values = ", ".join(f"%({name})s" for name in names)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"


INSERT_SALE = _insert("kasse_transaction", SALE_COLUMNS) + " ON CONFLICT (tenant_id, external_ref) DO NOTHING"
INSERT_LINE = _insert("kasse_transactionitem", LINE_COLUMNS)
INSERT_PAYMENT = _insert("kasse_payment", PAYMENT_COLUMNS)
