"""The activity log on PostgreSQL: one partition for each month in UTC, and one for calls whose month has none.

Old months then go by ``DROP TABLE`` in milliseconds, where deleting ten million rows takes most of a minute and
leaves as many dead ones. A month is made ahead of its first call: by the migration, by ``prune`` every day, by
``serve`` at its start. If all of them have failed, rows land in the default partition, where they are read and
forgotten like others, and are moved out when their month is made.

Nothing here may stop a till. Every lock is asked for briefly and then given up, to be tried again; what cannot be
done, for lack of rights or of a quiet moment, is told to the operator. SQLite has one plain table and nothing to do.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

TABLE = "pos_bridge_inboundcall"
DEFAULT = f"{TABLE}_default"
MONTHS_AHEAD = 2

# Tills wait behind a lock that we wait for, so we do not wait long; then a pause lets them through.
LOCK_PATIENCE = "200ms"
TRIES = 5
PAUSE_SECONDS = 0.3
# Rows of a missed month move while tills wait. They wait two seconds for a lock (``campone.wsgi``), so this must take
# less; where it would take longer, the rows stay where they are.
MOVE_PATIENCE = "800ms"
LOCK_NOT_AVAILABLE = "55P03"
# Nothing is ever updated here: without these, only a fifth more rows would make the freezing and the analysing begin.
STORAGE = "autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"

LOGGER = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, instant: datetime) -> Month:
        """The month of an aware instant."""
        there = instant.astimezone(timezone.utc)
        return cls(there.year, there.month)

    @property
    def begins(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=timezone.utc)

    @property
    def ends(self) -> datetime:
        """The first instant that is no longer in it."""
        return self.next.begins

    @property
    def next(self) -> Month:
        return Month.of(self.begins + timedelta(days=32))

    @property
    def table(self) -> str:
        """The name of its partition."""
        return f"{TABLE}_{self.year:04}_{self.number:02}"


@dataclass(frozen=True, slots=True)
class Ensured:
    """Which months have got a partition now, and which ought to have one and do not."""

    made: tuple[Month, ...] = ()
    missing: tuple[Month, ...] = ()


def ensure_partitions(*, now: datetime) -> Ensured:
    """Make the partitions of this month and the next two; never raises what a database may say."""
    if connection.vendor != "postgresql":
        return Ensured()
    made, missing = [], []
    for month in months_from(now):
        try:
            # Who does not own the log may not even ask for the lock, and need not.
            if month not in list_partitions() and _do_briefly(partial(make_partition, month=month)):
                made.append(month)
        except DatabaseError as error:
            LOGGER.warning("No %s; its calls go to the default partition: %s", month.table, _first_line(error))
            missing.append(month)
    return Ensured(tuple(made), tuple(missing))


def months_from(now: datetime) -> list[Month]:
    """The months that ought to have a partition."""
    months = [Month.of(now)]
    while len(months) <= MONTHS_AHEAD:
        months.append(months[-1].next)
    return months


def list_partitions() -> list[Month]:
    """The months that have one, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass",
            [TABLE],
        )
        named = [re.fullmatch(TABLE + r"_(\d{4})_(\d{2})", name) for (name,) in cursor.fetchall()]
    return sorted(Month(int(found[1]), int(found[2])) for found in named if found)


def make_partition(cursor: CursorWrapper, month: Month) -> bool:
    """Make one, with the rows of its month that lie in the default partition; False if it was there.

    Inside a transaction, until whose end tills wait: some milliseconds, or as long as the rows need to move. Attaching
    would do with a weaker lock. But a till that has chosen the default partition, and waits for it, is refused by
    its new bounds afterwards, and would lose its row.
    """
    cursor.execute(f"LOCK TABLE {TABLE} IN SHARE ROW EXCLUSIVE MODE")
    if month in list_partitions():
        return False
    cursor.execute(
        f"CREATE TABLE {month.table} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH ({STORAGE})"
    )
    cursor.execute(
        f"WITH late AS (DELETE FROM {DEFAULT} WHERE at >= %s AND at < %s RETURNING *)"  # noqa: S608 (names of ours)
        f" INSERT INTO {month.table} SELECT * FROM late",
        [month.begins, month.ends],
    )
    cursor.execute(
        f"ALTER TABLE {TABLE} ATTACH PARTITION {month.table}"
        f" FOR VALUES FROM ('{month.begins.isoformat()}') TO ('{month.ends.isoformat()}')"
    )
    return True


def drop_partitions_before(bound: datetime) -> int:
    """Drop the months that lie wholly before ``bound``; how many rows went with them.

    ``DETACH … CONCURRENTLY`` would wait for nobody, but is refused beside a default partition. So all tills wait
    while we wait for those under way: ``LOCK_PATIENCE`` at most. What cannot be dropped stays, with its rows.
    """
    return sum(_drop_partition(month) for month in list_partitions() if month.ends <= bound)


def _drop_partition(month: Month) -> int:
    with connection.cursor() as cursor:
        # Counted first: under the lock, only the name goes.
        cursor.execute(f"SELECT count(*) FROM {month.table}")  # noqa: S608 (a name of ours)
        rows = int(cursor.fetchone()[0])
    try:
        _do_briefly(lambda cursor: cursor.execute(f"DROP TABLE {month.table}"))
    except DatabaseError as error:
        LOGGER.warning("%s cannot be dropped; its rows are deleted instead: %s", month.table, _first_line(error))
        return 0
    return rows


def _do_briefly(deed: Callable[[CursorWrapper], T]) -> T:
    """Do it in a transaction that waits for no lock for long, and again after a pause while a lock is not to be had.

    Raises:
        DatabaseError: it cannot be done, or not now.
    """
    for _ in range(TRIES - 1):
        try:
            return _try_briefly(deed)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
            time.sleep(PAUSE_SECONDS)
    return _try_briefly(deed)


def _try_briefly(deed: Callable[[CursorWrapper], T]) -> T:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_PATIENCE}'")
        cursor.execute(f"SET LOCAL statement_timeout = '{MOVE_PATIENCE}'")
        return deed(cursor)


def _first_line(error: DatabaseError) -> str:
    return str(error).strip().partition("\n")[0]
