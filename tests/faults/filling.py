"""A disk on which nothing more fits: at any moment, all through checkpoints, and in the midst of a migration."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import psycopg

from tests.faults.databases import Database, Postgres, SqliteFile
from tests.faults.migrating import STEPS, Migrating
from tests.faults.stage import Stage
from tests.faults.striking import Fault
from tests.faults.tills import Shop

SECONDS_FULL = 5
PAUSE = 0.2
ROOM = 4 * 2**20
"""What a migration finds of it: it begins, and comes to the end of the disk in its midst."""


def fill_the_disk(stage: Stage, shop: Shop, rng: Random) -> None:
    """Nothing more fits for five seconds."""
    with full(stage, shop):
        time.sleep(SECONDS_FULL)
    stage.database.bring_back()


def fill_in_a_checkpoint(stage: Stage, shop: Shop, rng: Random) -> None:
    """One checkpoint after the other, from before the disk is full until after it."""
    over = threading.Event()
    asking = threading.Thread(target=_checkpoints, args=(stage.database, shop, over))
    asking.start()
    try:
        with full(stage, shop):
            time.sleep(SECONDS_FULL)
    finally:
        over.set()
        asking.join()
    stage.database.bring_back()


def _checkpoints(database: Database, shop: Shop, over: threading.Event) -> None:
    while not over.wait(PAUSE):
        shop.incidents[f"checkpoint {'went through' if checkpoint(database) else 'failed'}"] += 1


def checkpoint(database: Database) -> bool:
    """What was only written ahead, into its place; whether that could be done."""
    try:
        if isinstance(database, Postgres):
            database.execute("CHECKPOINT")
        elif isinstance(database, SqliteFile):
            with closing(sqlite3.connect(database.path, timeout=1)) as connection:
                return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except (psycopg.Error, sqlite3.Error):
        return False
    return True


def fill_in_a_migration(stage: Stage, shop: Shop, rng: Random) -> None:
    """It fails, leaves everything as it was, and is done when it is asked for again."""
    migrating = Migrating(stage, shop, rng.choice(STEPS))
    migrating.prepare()
    with full(stage, shop, but=ROOM if migrating.step.needs_much else 0):
        migrating.attempt()
    stage.database.bring_back()
    migrating.repeat()


@contextmanager
def full(stage: Stage, shop: Shop, *, but: int = 0) -> Iterator[None]:
    """Nothing more fits, or no more than so many bytes, and tills call meanwhile."""
    filling, model = stage.database.data / "filling", shop.model
    calls, failed = len(model.statuses), model.failures.total()
    try:
        _fill(filling)
        os.truncate(filling, max(filling.stat().st_size - but, 0))
        yield
    finally:
        filling.unlink()
    shop.incidents["calls while it was full"] += len(model.statuses) - calls
    shop.incidents["of them 503"] += model.failures.total() - failed
    if len(model.statuses) == calls:
        model.findings.add("a full disk that nobody met", filling)


def _fill(path: Path) -> None:
    piece = bytes(2**20)
    with path.open("wb", buffering=0) as file:
        while piece:
            try:
                file.write(piece)
            except OSError:
                piece = piece[: len(piece) // 2]


ON_A_SMALL_DISK = (
    Fault("disk full for 5 s", fill_the_disk),
    Fault("disk full through checkpoints", fill_in_a_checkpoint),
    Fault("disk full in a migration", fill_in_a_migration),
)
