"""The whole database in one file while tills sell, and back again.

The file is as the database was at one moment: PostgreSQL's own dump, or SQLite's own copy. It has its name only once
it is whole, and is for its owner's eyes alone: it holds hashes of keys and sealed secrets, though no key itself.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

SUFFIX = {"postgresql": ".dump", "sqlite": ".sqlite3"}
LIBPQ = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "NAME": "PGDATABASE"}
LIBPQ_OPTIONS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "service": "PGSERVICE",
    "passfile": "PGPASSFILE",
}
# They name roles that a fresh server does not have; ``create_roles`` makes them anew.
OF_ROLES = ("POLICY", "ROW SECURITY")


class BackupFailed(Exception):
    """No backup, or none restored; the message is one sentence."""


def back_up(folder: Path, *, at: datetime) -> Path:
    """Write a backup into a folder; its name tells the moment.

    Raises:
        BackupFailed: nothing of it is left behind.
    """
    path = folder / f"campone-{at:%Y%m%dT%H%M%SZ}{SUFFIX[connection.vendor]}"
    if path.exists():
        raise BackupFailed(f"{path} is there already.")
    with unfinished(path) as beside:
        if connection.vendor == "postgresql":
            run_postgresql("pg_dump", "--format=custom", f"--file={beside}")
        else:
            copy_sqlite(beside)
    return path


def restore(path: Path) -> None:
    """Put a backup into the database of DATABASE_URL, which must be empty.

    Raises:
        BackupFailed: the database is as it was.
    """
    if not path.is_file():
        raise BackupFailed(f"There is no file {path}.")
    if connection.introspection.table_names():
        raise BackupFailed("The database is not empty: nothing is ever restored over something else.")
    if connection.vendor == "postgresql":
        restore_postgresql(path)
    else:
        restore_sqlite(path)


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """A name beside the final one; the file gets that once it is whole and on the disk."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
        beside = Path(folder) / path.name
        yield beside
        beside.chmod(0o600)
        flush(beside)
        beside.rename(path)
    flush(path.parent)


def flush(path: Path) -> None:
    """See that a file, or what stands in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# PostgreSQL -----------------------------------------------------------------------------------------


def run_postgresql(program: str, *arguments: str) -> str:
    """One of PostgreSQL's own programs, on our database; the password goes by the environment, never by the arguments.

    Raises:
        BackupFailed: it is not installed, or has failed.
    """
    try:
        done = subprocess.run(  # noqa: S603 (program and arguments are our own)
            [program, "--no-password", *arguments], env=libpq(), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise BackupFailed(f"{program} is not on PATH: it comes with PostgreSQL's own client programs.") from None
    if done.returncode:
        raise BackupFailed(f"{program}: {(done.stderr.strip().splitlines() or ['no reason given'])[0]}")
    return done.stdout


def libpq() -> dict[str, str]:
    """Where our database is, as PostgreSQL's programs are told."""
    settings: dict[str, Any] = connection.settings_dict
    told = {LIBPQ[name]: str(settings[name]) for name in LIBPQ if settings.get(name)}
    options = settings.get("OPTIONS", {})
    told |= {LIBPQ_OPTIONS[name]: str(options[name]) for name in LIBPQ_OPTIONS if options.get(name)}
    return {"PATH": os.environ.get("PATH", os.defpath), **told}


def restore_postgresql(path: Path) -> None:
    """All or nothing; the roles' rights and policies are not in it."""
    listed = run_postgresql("pg_restore", "--list", str(path)).splitlines()
    wanted = [line for line in listed if not any(f" {kind} " in line for kind in OF_ROLES)]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as chosen:
        chosen.write("\n".join(wanted))
        chosen.flush()
        name = str(connection.settings_dict["NAME"])
        whole = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        run_postgresql("pg_restore", *whole, f"--use-list={chosen.name}", f"--dbname={name}", str(path))


# SQLite ---------------------------------------------------------------------------------------------


def copy_sqlite(to: Path) -> None:
    """As the file was at one moment, whoever writes meanwhile."""
    try:
        with closing(sqlite3.connect(source_file())) as source:
            source.execute("VACUUM INTO ?", [str(to)])
    except sqlite3.Error as error:
        raise BackupFailed(f"SQLite: {error}") from None
    require_sound(to)


def restore_sqlite(path: Path) -> None:
    """Copied beside, looked through, then put in place. It is ours to do: nobody may serve from the empty one."""
    require_sound(path)
    connection.close()
    target = source_file()
    for left in (target, *(target.with_name(target.name + end) for end in ("-wal", "-shm"))):
        left.unlink(missing_ok=True)
    with unfinished(target) as beside:
        shutil.copyfile(path, beside)


def source_file() -> Path:
    """The file of our database."""
    return Path(str(connection.settings_dict["NAME"]))


def require_sound(path: Path) -> None:
    """Look through every page. An empty file, for one, is a database to SQLite.

    Raises:
        BackupFailed: it is no database, a damaged one, or another.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
            if not copy.execute("SELECT name FROM sqlite_master WHERE name = 'django_migrations'").fetchone():
                found = "it is no backup of ours"
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise BackupFailed(f"{path.name}: {found}")
