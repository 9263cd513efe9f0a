"""The drill: back up while tills sell, restore elsewhere, let tills send their day again."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import dj_database_url
import pytest
from django.core.management import CommandError, call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.utils import timezone

from apikeys.minting import Minted
from campone.operation.backup import BackupFailed, back_up, libpq, run_postgresql
from kasse.digest import canonical_sales, digest_of
from kasse.models import Transaction
from tenants.models import Tenant
from tests.cluster import find_programs
from tests.server.calls import WireTill
from tests.server.process import PROJECT, Server, plain_environment, running_server
from tests.till import Till, croissants_and_coffee

SALES = 300


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the server that runs here: an older pg_dump refuses a newer server."""
    if connection.vendor == "postgresql":
        monkeypatch.setenv("PATH", f"{find_programs()}:{os.environ['PATH']}")


@pytest.fixture
def elsewhere(tmp_path: Path, transactional_db: None) -> Iterator[str]:
    """The address of an empty database."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/restored.sqlite3"
        return
    name = f"restored_{uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + quote(name)))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def database_at(url: str) -> Iterator[str]:
    """Another database beside ours, by its alias."""
    settings = {DEFAULT_DB_ALIAS: {}, "elsewhere": dict(dj_database_url.parse(url))}
    connections.settings["elsewhere"] = connections.configure_settings(settings)["elsewhere"]
    connections["elsewhere"].connect()  # by itself it would ask whether a test may have it
    try:
        yield "elsewhere"
    finally:
        connections["elsewhere"].close()
        del connections["elsewhere"], connections.settings["elsewhere"]


def manage(*words: str, url: str) -> subprocess.CompletedProcess[str]:
    """One of our commands on another database, as an operator types it."""
    environment = {**plain_environment(), "DATABASE_URL": url}
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


class TestTheDrill:
    def test_loses_nothing_that_tills_send_again(
        self, server: Server, key: Minted, waldrand: Tenant, tmp_path: Path, elsewhere: str
    ) -> None:
        seeblick = key.key.tenant
        till = WireTill(server.port, key.token)
        sales = [croissants_and_coffee(external_ref=f"T-{number}") for number in range(SALES)]

        with ThreadPoolExecutor(4) as tills:
            answers = [tills.submit(till.post, sale) for sale in sales]
            while Transaction.objects.across_tenants().count() < SALES // 4:
                time.sleep(0.01)
            before = set(Transaction.objects.of(seeblick).values_list("external_ref", flat=True))
            path = back_up(tmp_path, at=timezone.now())
            assert {answer.result().status for answer in answers} == {201}
        done = manage("restore", str(path), url=elsewhere)

        assert done.returncode == 0, done.stderr
        with database_at(elsewhere) as other:
            kept = list(canonical_sales(seeblick, using=other))
            references = set(Transaction.objects.of(seeblick).using(other).values_list("external_ref", flat=True))
            assert set(kept) <= set(canonical_sales(seeblick))
            assert before <= references
            assert 0 < len(references) < SALES
            told = digest_of(seeblick, using=other)
        assert f"{told.sha256}  {told.sales}  seeblick\n" in done.stdout
        assert "0  waldrand\n" in done.stdout

        with running_server(tmp_path, DATABASE_URL=elsewhere) as restored, ThreadPoolExecutor(4) as tills:
            again = list(tills.map(WireTill(restored.port, key.token).post, sales))
        assert [answer.status for answer in again] == [200 if f"T-{n}" in references else 201 for n in range(SALES)]
        with database_at(elsewhere) as other:
            rows = Transaction.objects.of(seeblick).using(other)
            assert Counter(rows.values_list("external_ref", "total_amount")) == Counter(
                Transaction.objects.of(seeblick).values_list("external_ref", "total_amount")
            )


class TestBackUp:
    def test_is_for_its_owners_eyes_alone_and_leaves_nothing_else(self, till: Till, tmp_path: Path) -> None:
        path = back_up(tmp_path, at=timezone.now())

        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [path]

    def test_writes_over_nothing(self, till: Till, tmp_path: Path) -> None:
        now = timezone.now()
        back_up(tmp_path, at=now)

        with pytest.raises(BackupFailed):
            back_up(tmp_path, at=now)

    def test_into_no_folder_is_one_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no folder"):
            call_command("backup", str(tmp_path / "nowhere"))

    @pytest.mark.postgresql
    def test_that_fails_leaves_nothing_behind(self, db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(CommandError, match="pg_dump is not on PATH"):
            call_command("backup", str(tmp_path))

        assert list(tmp_path.iterdir()) == []

    def test_tells_the_password_in_no_argument(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(connection.settings_dict, "PASSWORD", "a-croissant-a-day")
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"sslmode": "verify-full"})
        ran: list[list[str]] = []

        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            ran.append(command)
            return subprocess.CompletedProcess(command, 0, "", "")

        monkeypatch.setattr(subprocess, "run", run)

        run_postgresql("pg_dump", "--format=custom")

        assert ran == [["pg_dump", "--no-password", "--format=custom"]]
        assert libpq()["PGPASSWORD"] == "a-croissant-a-day"
        assert libpq()["PGSSLMODE"] == "verify-full"


class TestRestore:
    def test_over_something_else_is_refused(self, till: Till, tmp_path: Path) -> None:
        path = back_up(tmp_path, at=timezone.now())

        with pytest.raises(CommandError, match="not empty"):
            call_command("restore", str(path))

    def test_of_what_is_no_backup_is_refused_and_leaves_the_database_empty(
        self, tmp_path: Path, elsewhere: str
    ) -> None:
        path = tmp_path / "holiday.jpg"
        path.write_bytes(b"\xff\xd8\xff" * 1000)

        refused = manage("restore", str(path), url=elsewhere)

        assert refused.returncode == 1
        assert len(refused.stderr.splitlines()) == 1
        with database_at(elsewhere) as other:
            assert connections[other].introspection.table_names() == []

    def test_of_no_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no file"):
            call_command("restore", str(tmp_path / "nothing"))

    @pytest.mark.sqlite
    def test_of_an_older_version_is_restored_and_says_what_to_do(self, tmp_path: Path, elsewhere: str) -> None:
        path = tmp_path / "older.sqlite3"
        with closing(sqlite3.connect(path)) as made:
            made.executescript("CREATE TABLE django_migrations (id); CREATE TABLE tenants_tenant (id)")

        restored = manage("restore", str(path), url=elsewhere)

        assert restored.returncode == 0
        assert "manage.py migrate" in restored.stdout

    @pytest.mark.sqlite
    def test_of_a_damaged_copy_is_refused(self, till: Till, tmp_path: Path, elsewhere: str) -> None:
        till.post(croissants_and_coffee())
        path = tmp_path / "damaged.sqlite3"
        with sqlite3.connect(path) as made:
            made.execute("CREATE TABLE sales AS SELECT value FROM json_each('[1, 2, 3]')")
        damaged = bytearray(path.read_bytes())
        damaged[-4096:] = os.urandom(4096)
        path.write_bytes(damaged)

        refused = manage("restore", str(path), url=elsewhere)

        assert refused.returncode == 1
        assert "damaged.sqlite3:" in refused.stderr

    @pytest.mark.sqlite
    def test_of_an_empty_file_is_refused(self, tmp_path: Path, elsewhere: str) -> None:
        path = tmp_path / "disk-was-full.sqlite3"
        path.touch()

        refused = manage("restore", str(path), url=elsewhere)

        assert refused.returncode == 1
        assert "no backup" in refused.stderr
        with database_at(elsewhere) as other:
            assert connections[other].introspection.table_names() == []
