"""A sale is written once: by no way of the application, and by none into the database, is it changed or deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction

from kasse.models import Payment, Transaction, TransactionItem
from tenants.models import Tenant
from tenants.rehearsals import open_rehearsal
from tenants.written_once import WrittenOnce
from tests.kasse.selling import sell

TABLES = (Payment, TransactionItem, Transaction)
NAMES = [model._meta.db_table for model in TABLES]


def rows() -> list[dict[str, Any]]:
    return [dict(row) for model in TABLES for row in model._base_manager.order_by("pk").values()]


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


class TestASale:
    @pytest.mark.parametrize("model", TABLES)
    def test_is_offered_no_way_to_be_changed(
        self, seeblick: Tenant, waldrand: Tenant, model: type[models.Model]
    ) -> None:
        sell(seeblick)
        sell(waldrand)
        before = rows()

        for deed in ("update", "delete"):
            with pytest.raises(WrittenOnce):
                getattr(model.objects.of(seeblick), deed)()  # type: ignore[attr-defined]  # each of them has it
        assert rows() == before

    @pytest.mark.parametrize("table", NAMES)
    @pytest.mark.parametrize("statement", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}"])
    def test_is_kept_by_the_database_from_whoever_writes_into_it(
        self, seeblick: Tenant, table: str, statement: str
    ) -> None:
        sell(seeblick)
        before = rows()

        with pytest.raises(IntegrityError, match="written once"):
            run(statement.format(table))
        assert rows() == before

    @pytest.mark.sqlite
    @pytest.mark.parametrize("table", NAMES)
    def test_is_not_replaced_either(self, seeblick: Tenant, table: str) -> None:
        sell(seeblick)
        before = rows()

        with pytest.raises(IntegrityError, match="written once"):
            run(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
        assert rows() == before

    @pytest.mark.postgresql
    @pytest.mark.parametrize("table", NAMES)
    def test_is_not_emptied_away(self, seeblick: Tenant, table: str) -> None:
        sell(seeblick)
        connection.check_constraints()
        before = rows()

        with pytest.raises(IntegrityError, match="written once"):
            run(f"TRUNCATE {table} CASCADE")
        assert rows() == before


class TestASaleOfARehearsal:
    def test_may_be_forgotten_but_not_changed(self, seeblick: Tenant) -> None:
        sell(seeblick)
        kept = rows()
        sell(open_rehearsal(seeblick))
        connection.check_constraints()

        for table in NAMES:
            with pytest.raises(IntegrityError, match="written once"):
                run(f"UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id < 0")
        for table in NAMES:
            run(f"DELETE FROM {table} WHERE tenant_id < 0")
        assert rows() == kept
