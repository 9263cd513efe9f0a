"""What the service stands on is looked at before it serves."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from campone import footing
from campone.footing import Unsound, keep_file_to_oneself, look_at_footing, require_whole_file

pytestmark = pytest.mark.django_db


@pytest.mark.postgresql
class TestPostgreSQL:
    def test_has_room_for_all_workers(self) -> None:
        list(look_at_footing(connections=16))

    def test_without_room_for_all_is_refused_with_both_figures(self) -> None:
        with pytest.raises(Unsound, match=r"500 connections.*allows 197"):
            list(look_at_footing(connections=500))

    def test_that_may_lose_sales_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said = {"max_connections": "200", "superuser_reserved_connections": "3", "fsync": "off"}
        monkeypatch.setattr(footing, "_show", lambda name: said.get(name, "on"))

        assert [sentence.partition(":")[0] for sentence in look_at_footing(connections=1)] == [
            "PostgreSQL runs with fsync=off"
        ]


@pytest.mark.sqlite
class TestSQLite:
    def test_keeps_its_file_to_itself(self, tmp_path: Path) -> None:
        file = tmp_path / "books.sqlite3"
        file.touch(mode=0o644)

        keep_file_to_oneself(file)

        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_that_is_whole_is_let_serve(self) -> None:
        list(look_at_footing(connections=1))

    def test_that_is_damaged_is_not(self, tmp_path: Path) -> None:
        file = tmp_path / "books.sqlite3"
        with closing(sqlite3.connect(file)) as made:
            made.executescript("CREATE TABLE sale (ref TEXT UNIQUE); INSERT INTO sale VALUES ('T-1'), ('T-2')")
        whole = file.read_bytes()
        file.write_bytes(whole[:-4096] + b"\0" * 4096)

        with pytest.raises(Unsound, match="damaged"):
            require_whole_file(file)
