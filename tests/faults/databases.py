"""The databases that are struck, and read directly afterwards: neither by the product nor through its settings."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import psycopg

from bench.accounting import processes, tree_of
from tests.cluster import (
    NAME,
    Cluster,
    ClusterFailed,
    choose_account,
    find_programs,
    let_read,
    private_folder,
    stop,
)

START_SECONDS = 20
DURABLE = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
WRITTEN_AHEAD_AT_MOST = "128MB"


class Database(Protocol):
    """What both kinds have in common."""

    engine: str
    url: str
    data: Path

    def rows(self, question: str) -> Iterator[tuple[Any, ...]]:
        """What a question answers, row by row; a million are no burden."""

    def bring_back(self) -> None:
        """Start it if it has ended."""


class Postgres:
    """A server with everything on that keeps an acknowledged commit; killed, stopped and started again."""

    engine = "postgresql"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.url = cluster.dsn
        self.data = cluster.data
        self._server = cluster.start(durable=True)

    def url_for(self, role: str) -> str:
        """The same database, for another role."""
        return url_of(self.cluster.folder, role)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of our own, each statement by itself."""
        return psycopg.connect(self.url, autocommit=True)

    def execute(self, *statements: str) -> None:
        """One after the other."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, question: str) -> Iterator[tuple[Any, ...]]:
        return rows_of(self.url, question)

    def settings(self) -> dict[str, str]:
        """How durable it is, in its own words."""
        with self.connect() as connection:
            found = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in DURABLE]
        return {name: row[0] for name, row in zip(DURABLE, found, strict=True) if row}

    def terminate_all(self) -> None:
        """End the server's side of every connection but ours."""
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()"
        )

    def stop_at_once(self) -> None:
        """``pg_ctl -m immediate stop``: no farewell, no checkpoint; the log is gone through at the next start."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(START_SECONDS)

    def kill(self) -> None:
        """``kill -9`` to the postmaster and every child."""
        self.tell_all(signal.SIGKILL)
        self._server.wait()

    def tell_all(self, word: signal.Signals) -> None:
        """A signal to the postmaster and every child."""
        for each in tree_of(self._server.pid, processes()):
            with suppress(ProcessLookupError):
                os.kill(each.pid, word)

    def bring_back(self) -> None:
        """Start it, unless it runs. Orphans of a killed server hold its memory for a moment longer."""
        deadline = time.monotonic() + START_SECONDS
        while self._server.poll() is not None:
            try:
                self._server = self.cluster.start(durable=True)
            except ClusterFailed:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def end(self) -> None:
        """Stop it for good."""
        stop(self._server)


def url_of(folder: Path, role: str, *, name: str = NAME) -> str:
    """As DATABASE_URL, where a server or a line to one listens in a folder."""
    return f"postgres://{role}@{quote(str(folder), safe='')}/{name}"


class AnotherDatabase:
    """One more of the same server."""

    engine = "postgresql"

    def __init__(self, server: Postgres, name: str) -> None:
        self._server, self._name = server, name
        self.url = self.url_for(NAME)
        self.data = server.data

    def url_for(self, role: str) -> str:
        """For a role."""
        return url_of(self._server.cluster.folder, role, name=self._name)

    def rows(self, question: str) -> Iterator[tuple[Any, ...]]:
        return rows_of(self.url, question)

    def bring_back(self) -> None:
        """It comes and goes with its server."""


def rows_of(url: str, question: str) -> Iterator[tuple[Any, ...]]:
    """Out of a PostgreSQL, some at a time."""
    with psycopg.connect(url) as connection, connection.cursor(name="books") as cursor:
        cursor.itersize = 5000
        yield from cursor.execute(question.encode())


class SqliteFile:
    """A file; all there is to strike is whoever writes into it, and its disk."""

    engine = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{quote(str(path))}"
        self.data = path.parent

    def rows(self, question: str) -> Iterator[tuple[Any, ...]]:
        connection = sqlite3.connect(self.path, timeout=20)
        try:
            yield from connection.execute(question)
        finally:
            connection.close()

    def bring_back(self) -> None:
        """There is no server."""


@contextmanager
def postgres(*, megabytes: int | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """A fresh one, removed on every way out; with ``megabytes``, on a disk of its own that is no larger.

    Raises:
        tests.cluster.PostgresMissing: no PostgreSQL 15 or newer was found.
        tests.cluster.ClusterFailed: it was found and did not start.
    """
    programs, account = find_programs(), choose_account()
    with private_folder(account) as folder:
        cluster = Cluster(folder, let_read(programs, account, folder), account)
        with small_disk(cluster.data, megabytes, owner=account.pw_uid if account else os.getuid()):
            cluster.create("--data-checksums", *(["--wal-segsize=4"] if megabytes else []))
            conf = {"max_wal_size": WRITTEN_AHEAD_AT_MOST if megabytes else "1GB", **(settings or {})}
            with (cluster.data / "postgresql.conf").open("a") as configuration:
                configuration.writelines(f"{name} = {value}\n" for name, value in conf.items())
            database = Postgres(cluster)
            try:
                yield database
            finally:
                database.end()


@contextmanager
def sqlite_file(folder: Path, *, megabytes: int | None = None) -> Iterator[SqliteFile]:
    """A fresh file in a folder of its own."""
    place = folder / "books"
    with small_disk(place, megabytes, owner=os.getuid()):
        place.mkdir(mode=0o700, exist_ok=True)
        yield SqliteFile(place / "campone.sqlite3")


@contextmanager
def small_disk(place: Path, megabytes: int | None, *, owner: int) -> Iterator[None]:
    """A disk that is soon full, mounted at ``place``; only root may. Nothing if no size is given."""
    if megabytes is None:
        yield
        return
    place.mkdir(mode=0o700)
    options = f"size={megabytes}m,uid={owner},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
