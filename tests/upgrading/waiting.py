"""Who waits for a lock, and how long: PostgreSQL asked fifty times a second."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.faults.databases import Postgres
from tests.upgrading.stage import OWNER

EVERY = 0.02
"""Seconds; a wait is known to this much."""
WAITING = f"""
    SELECT a.usename = '{OWNER}', extract(epoch FROM clock_timestamp() - l.waitstart)::float8
    FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE NOT l.granted AND l.waitstart IS NOT NULL
"""


@dataclass(slots=True)
class Waits:
    """By part of the run, the longest wait in seconds: of the service, and of whoever migrates."""

    part: str = ""
    of_service: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    of_owner: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def note(self, *, is_owner: bool, seconds: float) -> None:
        """Somebody waits, and has for so long."""
        whose = self.of_owner if is_owner else self.of_service
        whose[self.part] = max(whose[self.part], seconds)


@contextmanager
def watching(database: Postgres) -> Iterator[Waits]:
    """Ask all the while."""
    waits, enough = Waits(), threading.Event()

    def watch() -> None:
        with database.connect() as connection:
            while not enough.wait(EVERY):
                for is_owner, seconds in connection.execute(WAITING):
                    waits.note(is_owner=is_owner, seconds=seconds)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield waits
    finally:
        enough.set()
        thread.join()


@contextmanager
def reading_on(database: Postgres, *, times: int, seconds: float, pause: float) -> Iterator[None]:
    """Somebody reads all tables for a while, as a backup does, and again after a pause; nobody writes for that.

    No table can be changed meanwhile, and no index be finished.
    """
    enough = threading.Event()

    def read() -> None:
        for _ in range(times):
            with psycopg.connect(database.url) as connection:
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                connection.execute(READ)
                enough.wait(seconds)
            enough.wait(pause)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


READ = """
    DO $$ DECLARE name regclass; BEGIN
        FOR name IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') LOOP
            EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE', name);
        END LOOP;
    END $$
"""
