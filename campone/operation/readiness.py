"""Whether this process can take sales: the database answers, can be written, and has the tables of this version."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from psycopg_pool import PoolTimeout

PATIENCE = 1.0
"""Seconds within which the database must have answered."""
REMEMBERED = 1.0
"""Seconds for which an answer holds: nobody can ask the database more often than that through here."""


class Readiness:
    """Looks, and remembers for a moment what it has seen."""

    def __init__(self) -> None:
        # One look at a time: while one hangs, the next is not begun, and has no answer either.
        self.looking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")
        self.in_turn = threading.Lock()
        self.look: Future[list[str]] | None = None
        self.begun = 0.0

    def missing(self) -> list[str]:
        """What is missing: ``database``, ``migrations``, ``writing``, or nothing."""
        try:
            return self._look().result(PATIENCE)
        except TimeoutError:
            return ["database"]

    def _look(self) -> Future[list[str]]:
        """The look that is under way, or was a moment ago, or a new one."""
        with self.in_turn:
            old = self.look is None or (self.look.done() and time.monotonic() - self.begun > REMEMBERED)
            if self.look is None or old:
                self.look, self.begun = self.looking.submit(look_at_database), time.monotonic()
            return self.look


def look_at_database() -> list[str]:
    """What is missing, by the database's own words."""
    try:
        applied = MigrationRecorder(connection).applied_migrations()
        writing = [] if may_write() else ["writing"]
    except (Error, PoolTimeout):
        return ["database"]
    finally:
        connection.close()  # this thread has no use for it until somebody asks again
    return writing if migrations_of_this_version() <= applied.keys() else ["migrations", *writing]


def may_write() -> bool:
    """Whether anything can be stored, without storing anything: a file has its mode, a standby only reads."""
    if connection.vendor == "sqlite":
        return os.access(connection.settings_dict["NAME"], os.W_OK)
    told = connection.connection.info.parameter_status
    return "on" not in {told("in_hot_standby"), told("default_transaction_read_only")}


@cache
def migrations_of_this_version() -> frozenset[tuple[str, str]]:
    """All that this version brings."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
