"""Indexes and constraints made while tills sell: what a backup at the wrong moment does to them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.state import ProjectState

from tenants.beside_tills import AddIndexBeside
from tests.server.process import database_url

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
NAME = "season_of_lines"
INDEX = AddIndexBeside("transactionitem", models.Index(fields=["tenant", "position"], name=NAME))


@pytest.fixture(autouse=True)
def no_index_is_left() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
        cursor.execute(f"DROP INDEX IF EXISTS {NAME}")


def make_it() -> None:
    """As a migration that is not atomic does, by a role that waits for no lock."""
    before = ProjectState.from_apps(apps)
    after = before.clone()
    INDEX.state_forwards("kasse", after)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '20ms'")
    with connection.schema_editor(atomic=False) as editor:
        INDEX.database_forwards("kasse", editor, before, after)


def is_valid() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [NAME])
        return bool(cursor.fetchone() == (True,))


class TestAnIndexBesideTills:
    def test_waits_for_whoever_reads(self) -> None:
        with psycopg.connect(database_url()) as backup:
            backup.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            backup.execute("SELECT count(*) FROM kasse_transactionitem")
            ends = threading.Timer(0.5, backup.rollback)
            ends.start()
            make_it()
            ends.join()

        assert is_valid()

    def test_is_made_again_where_one_was_cut_off(self) -> None:
        make_it()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", [NAME])

        make_it()

        assert is_valid()

    def test_keeps_one_that_is_whole(self) -> None:
        """Somebody else's index of the same name is nothing to take away."""
        make_it()

        with pytest.raises(Exception, match="already exists"):
            make_it()
