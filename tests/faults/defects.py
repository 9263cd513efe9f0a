"""An application of Django's that makes the product worse, in every process that installs it (see ``controls``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any
from uuid import UUID

from django.apps import AppConfig
from msgspec.structs import replace

IN_ORDER = "ORDER BY s.tenant_id, s.external_ref ON CONFLICT (tenant_id, external_ref) DO NOTHING"
LOOKED_UP = (
    "NOT EXISTS (SELECT 1 FROM kasse_transaction AS t WHERE t.tenant_id = s.tenant_id"
    " AND t.external_ref = s.external_ref)"
)


class Defects(AppConfig):
    """Puts in the defect that DEFECT names."""

    name = "tests.faults.defects"
    label = "defects"

    def ready(self) -> None:
        """Once all models are there."""
        {"two_transactions": write_lines_later, "no_unique_constraint": look_instead}[os.environ["DEFECT"]]()


def write_lines_later() -> None:
    """The sale commits by itself, its lines and payments in a transaction of their own."""
    from kasse.models import Payment, TransactionItem  # the models are ready by now
    from kasse.rows import line_rows, payment_rows

    recording: Any = import_module("kasse.recording")
    whole = recording.write_sales

    def write(sales: Sequence[Any], **kwargs: Any) -> set[UUID]:
        bare = [replace(each, sale=replace(each.sale, items=(), payments=())) for each in sales]
        written: set[UUID] = whole(bare, **kwargs)
        rest = [each for each in sales if each.id in written]
        _insert(TransactionItem, line_rows(rest))
        _insert(Payment, payment_rows(rest))
        return written

    recording.write_sales = write


def _insert(model: Any, rows: Any) -> None:
    from django.db import connection, transaction  # the same

    from kasse.sqlite import for_sqlite, in_turn, on_sqlite
    from tenants.fence import within
    from tenants.models import Tenant

    rows = list(rows)
    one = in_turn() if on_sqlite() else transaction.atomic()
    if rows:
        with within(Tenant(pk=rows[0]["tenant_id"])), one, connection.cursor() as cursor:
            for row in rows:
                places = ", ".join(f"%({name})s" for name in row)
                values = for_sqlite(row) if on_sqlite() else row
                cursor.execute(f"INSERT INTO {model._meta.db_table} ({', '.join(row)}) VALUES ({places})", values)


def look_instead() -> None:
    """A look whether the reference is free, and then the sale: in one statement even, and yet no constraint."""
    writing: Any = import_module("kasse.writing")
    straight: Callable[..., Any] = writing.execute_told

    def execute(statement: str, rows: Any, **more: Any) -> Any:
        before, in_order, after = " ".join(statement.split()).partition(IN_ORDER)
        assert in_order, "The statement is not what it was; this defect has to follow it."
        return straight(f"{before} WHERE {LOOKED_UP} {after}", rows, **more)

    writing.execute_told = execute
