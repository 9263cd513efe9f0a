"""The till's journal: every reference on disk before anything is sent.

One SQLite file. Writing down is one durable transaction; an acknowledgement may be lost in a power cut,
which costs one retry and nothing else. No key is ever written here.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

from campone.till.sale import Sale, body_of
from campone.till.stopping import TillStopped

SCHEMA = """
CREATE TABLE IF NOT EXISTS sale (
    position INTEGER PRIMARY KEY,
    external_ref TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS acknowledgement (
    external_ref TEXT NOT NULL REFERENCES sale (external_ref),
    transaction_id TEXT NOT NULL,
    created INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS acknowledgement_of_sale ON acknowledgement (external_ref);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One sale in the journal; ``position`` counts from 1, ``body`` is sent unchanged on every try."""

    position: int
    external_ref: str
    body: bytes


class Journal:
    """May be used by several threads at once."""

    def __init__(self, path: Path) -> None:
        """Open the file, or begin a new one.

        Raises:
            TillStopped: the file cannot be written, or is something else than a journal.

        """
        self.path = path
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise TillStopped(f"{path} cannot be used as a journal: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def write_down(self, sales: Iterable[Sale]) -> None:
        """Put sales on disk, all or none; what has been written down once stays as it is."""
        rows = [(sale.external_ref, body_of(sale)) for sale in sales]
        with self._lock:
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("BEGIN IMMEDIATE")
            with self._database:
                self._database.executemany(
                    "INSERT INTO sale (external_ref, body) VALUES (?, ?) ON CONFLICT DO NOTHING", rows
                )
            self._database.execute("PRAGMA synchronous = NORMAL")

    def acknowledge(self, external_ref: str, *, transaction_id: str, created: bool) -> None:
        """Note that the server has this sale; twins note it twice."""
        with self._lock:
            self._database.execute(
                "INSERT INTO acknowledgement VALUES (?, ?, ?)", (external_ref, transaction_id, created)
            )

    def entries(self) -> list[Entry]:
        """Everything written down, in the order of writing."""
        return self._select("SELECT position, external_ref, body FROM sale ORDER BY position")

    def open_entries(self) -> list[Entry]:
        """What no server has acknowledged yet."""
        return self._select(
            "SELECT position, external_ref, body FROM sale"
            " WHERE external_ref NOT IN (SELECT external_ref FROM acknowledgement) ORDER BY position"
        )

    def stored_twice(self) -> set[str]:
        """References acknowledged under two ids, or created (201) more than once."""
        with self._lock, closing(self._database.cursor()) as cursor:
            rows = cursor.execute(
                "SELECT external_ref FROM acknowledgement GROUP BY external_ref"
                " HAVING count(DISTINCT transaction_id) > 1 OR sum(created) > 1"
            )
            return {row[0] for row in rows}

    def _select(self, query: str) -> list[Entry]:
        with self._lock, closing(self._database.cursor()) as cursor:
            return [Entry(*row) for row in cursor.execute(query)]
