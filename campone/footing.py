"""What the service stands on, looked at before it serves: is the database one that keeps what it was given?"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from django.db import connection

from campone.roles import fenced_models
from tenants.fence import is_standing

KEPT_FOR_OTHERS = 5
"""Connections for commands and people, beside those of the workers."""
LARGEST_TO_CHECK = 256 * 1024 * 1024
"""Bytes of an SQLite file that is read through at each start; some tenths of a second."""


class Unsound(Exception):
    """The service must not begin; the message says why, and what to do."""


def look_at_footing(*, connections: int) -> Iterator[str]:
    """Yield a sentence for whatever may lose sales; ``connections`` is how many the workers may open together.

    Raises:
        Unsound: calls would be refused, or the database is damaged.
    """
    if connection.vendor == "sqlite":
        keep_file_to_oneself(Path(connection.settings_dict["NAME"]))
        require_whole_file(Path(connection.settings_dict["NAME"]))
        return
    require_enough_connections(connections)
    require_whole_fence()
    yield from promises_not_kept()


def require_enough_connections(wanted: int) -> None:
    """Whatever is refused a connection is refused in the busiest hour.

    Raises:
        Unsound: PostgreSQL allows fewer than all workers may open.
    """
    allowed = int(_show("max_connections")) - int(_show("superuser_reserved_connections"))
    if wanted + KEPT_FOR_OTHERS > allowed:
        raise Unsound(
            f"The workers may open {wanted} connections, {KEPT_FOR_OTHERS} more are for commands, and PostgreSQL "
            f"allows {allowed}: lower DATABASE_POOL_SIZE or --workers, or raise max_connections."
        )


def require_whole_fence() -> None:
    """Where the second fence stands, it stands round every table.

    Raises:
        Unsound: a table came with a migration, and nobody has told its policies since.
    """
    if not is_standing():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND pg_table_is_visible(oid)")
        fenced = {name for (name,) in cursor.fetchall()}
    bare = sorted(model._meta.db_table for model in fenced_models() if model._meta.db_table not in fenced)
    if bare:
        raise Unsound(f"There is no fence round {', '.join(bare)}: run `manage.py create_roles` as the owner.")


def promises_not_kept() -> Iterator[str]:
    """What an operator may have switched off for speed, and what it costs."""
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if _show(name) == "off":
            yield f"PostgreSQL runs with {name}=off: sales that were acknowledged can be lost. Switch it on."


def keep_file_to_oneself(file: Path) -> None:
    """Takings, people and sealed secrets are in it; what SQLite puts beside it has the same mode."""
    for each in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
        if each.exists() and each.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            each.chmod(0o600)


def require_whole_file(file: Path) -> None:
    """A damaged file is found now, and not in the middle of an evening.

    Raises:
        Unsound: SQLite finds it damaged.
    """
    if not file.exists() or file.stat().st_size > LARGEST_TO_CHECK:
        return
    try:
        with closing(sqlite3.connect(file)) as opened:
            said = str(opened.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise Unsound(f"The database file is damaged ({said}): restore the last backup.")


def _show(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])
