"""How long a person's question may keep the database busy.

A filter that hardly any of a million sales fulfils is found out by reading them all. On PostgreSQL such a question is
given up in time, so that nobody waits for a page that does not come; SQLite has no such limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable, QueryCanceled

from kasse.sqlite import LOCKED, on_sqlite


class TookTooLong(Exception):
    """The database was not done in time, and has given up."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Let each statement inside take so long.

    Raises:
        TookTooLong: one of them took longer.
    """
    if on_sqlite():
        yield
        return
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(seconds * 1000))])
            yield
    except OperationalError as problem:
        if isinstance(problem.__cause__, QueryCanceled):
            raise TookTooLong from problem
        raise


def waited_in_vain(problem: OperationalError) -> bool:
    """Whether somebody else has held what was asked for, for longer than is waited."""
    return isinstance(problem.__cause__, LockNotAvailable) or LOCKED in str(problem)
