"""Backups made while tills sell, and what they become elsewhere: a database of its own, gone after it was looked at."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import NAME, Cluster, find_programs, owner, private_folder
from tests.faults.databases import AnotherDatabase, Database, Postgres, SqliteFile
from tests.faults.stage import SERVING, Stage
from tests.server.service import Service

ELSEWHERE = "restored"
PG_DUMP = ("pg_dump", "--no-password", "--format=custom", "--exclude-table-data=kasse_payment")


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that has become a database; ``serving`` is its address for a server, ``digests`` what
    ``ledger_digest`` says of it.
    """

    database: Database
    serving: str
    digests: str


def clerk(stage: Stage, url: str) -> Service:
    """Who runs the product's commands, as the owner of the tables; the programs are those of the server that runs."""
    environment = {**stage.service.environment, "DATABASE_URL": url}
    if isinstance(stage.database, Postgres):
        environment["PATH"] = f"{find_programs()}:{environment['PATH']}"
    return Service(environment, log=stage.service.log)


# Made -----------------------------------------------------------------------------------------------


def by_the_product(stage: Stage, folder: Path) -> Path:
    """``manage.py backup``."""
    return Path(clerk(stage, stage.database.url).manage("backup", str(folder)))


def has_base_backup(stage: Stage) -> bool:
    """Whether PostgreSQL's own copier is there; its server's package alone may leave it out."""
    database = stage.database
    return isinstance(database, Postgres) and (database.cluster.programs / "pg_basebackup").exists()


def by_base_backup(stage: Stage, folder: Path) -> Path:
    """``pg_basebackup``: the whole cluster, file by file."""
    cluster = stage.postgres.cluster
    command = [str(cluster.programs / "pg_basebackup"), f"--pgdata={folder / 'data'}", "--checkpoint=fast"]
    where = [f"--host={cluster.folder}", f"--username={NAME}", "--no-password"]
    subprocess.run([*command, *where], check=True, cwd=folder, **owner(cluster.account))
    return folder


def without_payments(stage: Stage, folder: Path) -> Path:
    """A dump that leaves a table out, as an option too many does. A control."""
    path = folder / "without-payments.dump"
    where = [f"--host={stage.postgres.cluster.folder}", f"--username={NAME}", f"--file={path}", NAME]
    subprocess.run([str(find_programs() / PG_DUMP[0]), *PG_DUMP[1:], *where], check=True)
    return path


def by_hand(stage: Stage, folder: Path) -> Path:
    """``cp`` of the file alone, in the midst of writing: what stands in its log is missing. A control."""
    assert isinstance(stage.database, SqliteFile)
    return Path(shutil.copy(stage.database.path, folder / "copied.sqlite3"))


def by_the_backup_api(stage: Stage, folder: Path) -> Path:
    """SQLite's own ``.backup``."""
    assert isinstance(stage.database, SqliteFile)
    path = folder / "backup-api.sqlite3"
    with closing(sqlite3.connect(stage.database.path)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return path


# Restored -------------------------------------------------------------------------------------------


@contextmanager
def restored(stage: Stage, backup: Path) -> Iterator[Restored]:
    """By ``manage.py restore`` into an empty database; a folder of ``pg_basebackup`` is started as it is."""
    if backup.is_dir():
        yield from _started(stage, backup)
    elif isinstance(stage.database, Postgres):
        yield from _in_an_empty_database(stage, stage.database, backup)
    else:
        database = SqliteFile(backup.with_name("restored.sqlite3"))
        digests = clerk(stage, database.url).manage("restore", str(backup))
        yield Restored(database, database.url, digests)


def _started(stage: Stage, folder: Path) -> Iterator[Restored]:
    source = stage.postgres.cluster
    database = Postgres(Cluster(folder, source.programs, source.account))
    try:
        digests = clerk(stage, database.url).manage("ledger_digest")
        yield Restored(database, database.url_for(SERVING), digests)
    finally:
        database.end()


def _in_an_empty_database(stage: Stage, source: Postgres, backup: Path) -> Iterator[Restored]:
    source.execute(f"CREATE DATABASE {ELSEWHERE}")
    database = AnotherDatabase(source, ELSEWHERE)
    try:
        restoring = clerk(stage, database.url)
        digests = restoring.manage("restore", str(backup))
        restoring.manage("create_roles", "--app", SERVING)
        yield Restored(database, database.url_for(SERVING), digests)
    finally:
        source.execute(f"DROP DATABASE {ELSEWHERE} WITH (FORCE)")


@contextmanager
def folder_for(stage: Stage) -> Iterator[Path]:
    """Where the database's own account may write."""
    account = stage.database.cluster.account if isinstance(stage.database, Postgres) else None
    with private_folder(account) as folder:
        yield folder
