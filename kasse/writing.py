"""Sales into the tables, many at once: one statement on PostgreSQL, one transaction on SQLite.

The one place where the ledger is written, and so the one place where it is written by hand: the ORM's way
costs ten times the work and more (see "Performance" in the documentation). Both forms do the same:

1. the rider opens or shuts the gate (a budget, for one);
2. sales are inserted whose reference nobody holds; a racing twin is waited for, not failed on;
3. lines and payments follow, of the inserted ones alone;
4. the rider adds its own rows.

On PostgreSQL that is a single statement of a few data-modifying ``WITH`` parts: one round trip, one commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from kasse.riders import Rider
from kasse.rows import LINE_COLUMNS, PAYMENT_COLUMNS, SALE_COLUMNS, line_rows, payment_rows, sale_row
from kasse.sales import StoredSale
from kasse.sqlite import for_sqlite, in_turn, on_sqlite
from kasse.statements import execute


def write_sales(sales: Sequence[StoredSale], *, rider: Rider) -> set[UUID]:
    """Insert ``sales``, and return the ids of those whose reference was free; the rider may keep all of them out.

    Whoever writes several at once should sort them by reference: two writers then cannot wait for each other.
    """
    write = _write_on_sqlite if on_sqlite() else _write_on_postgresql
    written = write(sales, rider)
    # Only now: what the rider has written commits, though it kept the sales out.
    rider.raise_if_shut()
    return written


# PostgreSQL -----------------------------------------------------------------------------------------


_ENCODE = msgspec.json.Encoder().encode


def _write_on_postgresql(sales: Sequence[StoredSale], rider: Rider) -> set[UUID]:
    parts = rider.parts()
    values = {
        "sales": _ENCODE([sale_row(each) for each in sales]).decode(),
        "lines": _ENCODE(list(line_rows(sales))).decode(),
        "payments": _ENCODE(list(payment_rows(sales))).decode(),
        **parts.values,
    }
    written, answer = execute(_statement(*parts[:4]), values).fetchone()
    rider.hear(answer)
    return set(written)


@cache
def _statement(before: str, gate: str, after: str, answer: str) -> str:
    """The statement for a kind of rider; its text never changes, so the server plans it once a connection."""
    text = f"""
        WITH {before}{", " if before else ""}
        sale AS (
            INSERT INTO kasse_transaction ({", ".join(SALE_COLUMNS)})
            SELECT s.* FROM json_to_recordset(%(sales)s::json) AS s({_typed(SALE_COLUMNS)}){", " if gate else ""}{gate}
            ON CONFLICT (tenant_id, external_ref) DO NOTHING
            RETURNING id
        ),
        line AS (
            INSERT INTO kasse_transactionitem ({", ".join(LINE_COLUMNS)})
            SELECT l.* FROM json_to_recordset(%(lines)s::json) AS l({_typed(LINE_COLUMNS)})
            JOIN sale ON sale.id = l.transaction_id
        ),
        payment AS (
            INSERT INTO kasse_payment ({", ".join(PAYMENT_COLUMNS)})
            SELECT p.* FROM json_to_recordset(%(payments)s::json) AS p({_typed(PAYMENT_COLUMNS)})
            JOIN sale ON sale.id = p.transaction_id
        ){", " if after else ""}{after}
        SELECT ARRAY(SELECT id FROM sale), {answer}
    """
    # On one line: the driver remembers how it has read a text only if that is short.
    return " ".join(text.split())


def _typed(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


# SQLite ---------------------------------------------------------------------------------------------


def _write_on_sqlite(sales: Sequence[StoredSale], rider: Rider) -> set[UUID]:
    with in_turn(), transaction.atomic(), connection.cursor() as cursor:
        if not rider.open_gate(cursor):
            return set()
        written = [each for each in sales if _insert_if_free(cursor, each)]
        for row in line_rows(written):
            cursor.execute(INSERT_LINE, for_sqlite(row))
        for row in payment_rows(written):
            cursor.execute(INSERT_PAYMENT, for_sqlite(row))
        if written:
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
