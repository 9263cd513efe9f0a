"""The run's own PostgreSQL: durable as in production, one server and disk for all, one database for each target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from tests.cluster import (
    NAME,
    Cluster,
    choose_account,
    cleaning_up_when_told_to_end,
    find_programs,
    let_read,
    private_folder,
    stop,
)

# What any operator would set on a machine of this size, and what keeps one target's upkeep out of another's round.
SETTINGS = {
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "autovacuum": "off",
}


@dataclass(frozen=True, slots=True)
class Database:
    """A server under way; its process is the root of everything that works for the database."""

    cluster: Cluster
    pid: int

    @property
    def programs(self) -> Path:
        """Where pgbench lies."""
        return self.cluster.programs

    def url(self, name: str) -> str:
        """One of its databases, as DATABASE_URL."""
        return f"postgres://{NAME}@{quote(str(self.cluster.folder), safe='')}/{name}"

    def environment(self, name: str) -> dict[str, str]:
        """One of its databases, as libpq, asyncpg and pgbench read it."""
        return {"PGHOST": str(self.cluster.folder), "PGPORT": "5432", "PGUSER": NAME, "PGDATABASE": name}

    def create(self, name: str, *, template: str = "template1") -> None:
        """A database, empty or as a copy of another one, to which nobody may be connected."""
        self.execute(NAME, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def execute(self, name: str, statement: str) -> None:
        """Run one statement, or several, outside of any transaction."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(statement.encode())

    def ask(self, name: str, question: str) -> Any:
        """The single value that a query answers."""
        with psycopg.connect(self.url(name)) as connection:
            row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None

    def wal_position(self) -> int:
        """Bytes of write-ahead log ever written by this server."""
        return int(self.ask(NAME, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))


@contextmanager
def own_database() -> Iterator[Database]:
    """A fresh server that is stopped and removed on every way out.

    Raises:
        tests.cluster.PostgresMissing: no PostgreSQL 15 or newer was found.
        tests.cluster.ClusterFailed: it was found and did not start.
    """
    programs, account = find_programs(), choose_account()
    with cleaning_up_when_told_to_end(), private_folder(account) as folder:
        cluster = Cluster(folder, let_read(programs, account, folder), account)
        cluster.create()
        with (cluster.data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
        server = cluster.start(durable=True)
        try:
            yield Database(cluster, server.pid)
        finally:
            stop(server)
