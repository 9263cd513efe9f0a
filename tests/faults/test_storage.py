"""What judges a full disk, a harmed file and a flood: what must not be has to be told."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.databases import SqliteFile
from tests.faults.filling import checkpoint
from tests.faults.flooding import LONGEST_BODY, longest_sale, note_failure
from tests.faults.migrating import how_it_ended, is_half_done, parts_of
from tests.faults.model import Answer, Model
from tests.faults.tills import Keys, Shop

TABLE = ("table", "kasse_transaction", "…")
APPLIED = ("migration", "kasse", "0010_receipt_numbers")
NEXT = ("migration", "kasse", "0011_receipts_in_order")


@pytest.fixture
def database(tmp_path: Path) -> SqliteFile:
    """A file with nothing in it but which migrations are applied."""
    database = SqliteFile(tmp_path / "books.sqlite3")
    with closing(sqlite3.connect(database.path)) as made:
        made.executescript("PRAGMA journal_mode = WAL; CREATE TABLE django_migrations (app TEXT, name TEXT)")
    return database


@pytest.fixture
def shop() -> Shop:
    return Shop(Model(7), Keys({}), port=0)


class TestAFailedMigration:
    def test_leaves_everything_as_it_was(self) -> None:
        assert not is_half_done(frozenset({TABLE, APPLIED}), frozenset({TABLE, APPLIED}), to="0011")

    @pytest.mark.parametrize("left", [{TABLE, APPLIED, ("index", "half", "…")}, {APPLIED}])
    def test_that_has_changed_something_is_told(self, left: set[tuple[str, ...]]) -> None:
        assert is_half_done(frozenset(left), frozenset({TABLE, APPLIED}), to="0011")

    def test_may_leave_an_index_that_is_not_used(self) -> None:
        left = frozenset({TABLE, APPLIED, ("invalid index", "half", "…")})

        assert not is_half_done(left, frozenset({TABLE, APPLIED}), to="0011")

    def test_that_went_through_all_the_same_has_changed_what_it_should(self) -> None:
        left = frozenset({TABLE, APPLIED, NEXT, ("index", "whole", "…")})

        assert not is_half_done(left, frozenset({TABLE, APPLIED}), to="0011")

    @pytest.mark.parametrize(
        ("status", "said", "ended"),
        [
            (0, "", ""),
            (1, "…\nOperationalError: No space left on device", "failed for want of room"),
            (1, "OperationalError: database or disk is full", "failed for want of room"),
            (1, "…\nrelation exists", "failed: relation exists"),
            (1, "", "failed: no word"),
        ],
    )
    def test_is_told_by_what_it_said(self, status: int, said: str, ended: str) -> None:
        assert how_it_ended(status, said) == ended

    def test_is_seen_in_the_schema(self, database: SqliteFile) -> None:
        before = parts_of(database)
        with closing(sqlite3.connect(database.path)) as made:
            made.execute("CREATE INDEX half ON django_migrations (app)")

        assert {each[:2] for each in parts_of(database) - before} == {("index", "half")}


class TestACheckpoint:
    def test_goes_through(self, database: SqliteFile) -> None:
        assert checkpoint(database)

    def test_that_is_kept_waiting_has_failed(self, database: SqliteFile) -> None:
        with closing(sqlite3.connect(database.path)) as other:
            other.execute("BEGIN IMMEDIATE")

            assert not checkpoint(database)


class TestALongBody:
    def test_is_as_long_as_may_be_and_a_sale(self) -> None:
        body = longest_sale(7)

        assert len(body) == LONGEST_BODY
        assert json.loads(body)["external_ref"] == "flood"

    @pytest.mark.parametrize(
        ("status", "headers", "fine"),
        [
            (200, {}, True),
            (503, {"retry-after": "1"}, True),
            (429, {"retry-after": "1"}, True),
            (503, {}, False),
            (500, {}, False),
            (413, {}, False),
        ],
    )
    def test_is_taken_or_told_to_come_again(
        self, shop: Shop, status: int, headers: dict[str, str], *, fine: bool
    ) -> None:
        note_failure(shop, Answer(status, headers, b"{}"))

        assert bool(shop.model.findings.counts) is not fine
