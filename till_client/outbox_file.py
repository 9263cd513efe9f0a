"""The outbox's file: what stands in it, and how it is opened so that a commit is on the disk."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from till_client.errors import OutboxFailed

VERSION = 1
BUSY_SECONDS = 30.0
OLDEST_SQLITE = (3, 35, 0)

SCHEMA = """
CREATE TABLE sale (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    external_ref   TEXT NOT NULL UNIQUE,
    total_amount   TEXT NOT NULL,
    body           BLOB NOT NULL,
    state          TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'acknowledged', 'poison')),
    put_at         REAL NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    not_before     REAL NOT NULL DEFAULT 0,
    claimed_by     TEXT NOT NULL DEFAULT '',
    claimed_until  REAL NOT NULL DEFAULT 0,
    reason         TEXT NOT NULL DEFAULT '',
    settled_at     REAL NOT NULL DEFAULT 0,
    transaction_id TEXT NOT NULL DEFAULT '',
    business_date  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sale_open ON sale (attempts, number) WHERE state IN ('waiting', 'sending');
CREATE INDEX sale_day ON sale (business_date) WHERE state = 'acknowledged';
CREATE TABLE pause (until REAL NOT NULL, failures INTEGER NOT NULL, reason TEXT NOT NULL);
INSERT INTO pause VALUES (0, 0, '');
"""


class OutboxFile:
    """The open file. Threads may share it; their deeds go one after the other."""

    def __init__(self, path: Path) -> None:
        """Open or make it; errors as of `open_file`."""
        self._path = path
        self._turn = threading.RLock()
        self._database = open_file(path)

    def close(self) -> None:
        """Nothing more can be read or written."""
        with self._turn:
            self._database.close()

    def read(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """The rows as they are at this moment."""
        with self._turn, self._failing_as_ours():
            return self._database.execute(statement, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: on the disk when it ends, or never begun."""
        with self._turn, self._failing_as_ours():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _failing_as_ours(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutboxFailed(f"{self._path}: {error}") from error


def open_file(path: Path) -> sqlite3.Connection:
    """Open or make an outbox, for its owner's eyes only.

    ``synchronous=FULL`` with a write-ahead log: a commit has reached the disk before it returns.

    Raises:
        OutboxFailed: it cannot be opened, is no outbox, or is one of a later version.

    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise OutboxFailed(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or later is needed.")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise OutboxFailed(f"{path}: {error}") from error
    try:
        _prepare(database)
    except sqlite3.Error as error:
        database.close()
        raise OutboxFailed(f"{path}: {error}") from error
    except OutboxFailed:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    if _version(database) == VERSION:
        return
    database.execute("BEGIN IMMEDIATE")
    if _version(database) == 0:  # nobody has made the tables while we waited
        if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise OutboxFailed("This is the database of something else.")
        for statement in filter(str.strip, SCHEMA.split(";")):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")
    if _version(database) != VERSION:
        raise OutboxFailed("This outbox was made by a later version of till_client.")


def _version(database: sqlite3.Connection) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version
