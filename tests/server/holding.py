"""Writers made to wait: a slow disk, but exact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def writers_waiting() -> Iterator[None]:
    """No sale is written until this ends."""
    with transaction.atomic():  # on SQLite this holds the one write lock already
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE kasse_transaction IN SHARE MODE")
        yield
