"""From SQLite to PostgreSQL: whole, or not at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from tests.house.documents import ROOT
from tests.server.calls import WireTill
from tests.server.process import plain_environment, running_server
from tests.till import croissants_and_coffee

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(300)]


def manage(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """One of our commands, as an operator types it."""
    environment = {**plain_environment(), "DATABASE_URL": url, "DEVELOPMENT": "1"}
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def did(url: str, *words: str) -> str:
    """What a command has said that has come to its end."""
    done = manage(url, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def target(transactional_db: None) -> Iterator[str]:
    """A PostgreSQL database that is migrated and empty."""
    name = f"moved_{uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + quote(name)))
    did(url, "migrate", "--no-input")
    yield url
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A SQLite file with the demo's two campgrounds: years of sales, closes, journals, people, connections."""
    path = tmp_path / "campone.sqlite3"
    did(f"sqlite:///{path}", "migrate", "--no-input")
    did(f"sqlite:///{path}", "demo", "--days", "20")
    return path


class TestMoving:
    def test_brings_everything_and_lets_tills_go_on(self, source: Path, target: str, tmp_path: Path) -> None:
        here = f"sqlite:///{source}"
        mint = ["--name", "Till", "--scope", "pos:read", "--scope", "pos:write", "--budget", "none"]
        token = did(here, "mint_key", "--tenant", "seeblick", *mint).strip()
        with running_server(tmp_path, workers=1, DATABASE_URL=here) as server:
            assert WireTill(server.port, token).post(croissants_and_coffee()).status == 201
        before = did(here, "ledger_digest")

        said = did(target, "move_to_postgresql", str(source))

        assert said == before == did(target, "ledger_digest")
        with running_server(tmp_path, DATABASE_URL=target) as server:
            till = WireTill(server.port, token)
            assert till.post(croissants_and_coffee()).status == 200
            assert till.post(croissants_and_coffee(external_ref="T-after")).status == 201
        did(target, "mint_key", "--tenant", "waldrand", *mint)

    def test_into_something_else_is_refused_and_changes_nothing(self, source: Path, target: str) -> None:
        did(target, "create_tenant", "fichtengrund")

        refused = manage(target, "move_to_postgresql", str(source))

        assert (refused.returncode, refused.stdout) == (1, "")
        assert "not empty" in refused.stderr
        assert re.findall(r"  (\w+)$", did(target, "ledger_digest"), re.MULTILINE) == ["fichtengrund"]

    def test_of_another_version_is_refused(self, source: Path, target: str) -> None:
        with psycopg.connect(target, autocommit=True) as later:
            later.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('kasse', '9999_later', now())")

        assert "different versions" in manage(target, "move_to_postgresql", str(source)).stderr

    def test_of_no_file_is_refused(self, target: str, tmp_path: Path) -> None:
        assert "no file" in manage(target, "move_to_postgresql", str(tmp_path / "nothing")).stderr

    def test_into_sqlite_is_refused(self, source: Path) -> None:
        assert "PostgreSQL" in manage(f"sqlite:///{source}", "move_to_postgresql", str(source)).stderr
