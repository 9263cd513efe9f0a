"""A database on the tables of one version, a long ledger in it, and both versions of the service beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from bench import growth_rows
from tests.faults.databases import Postgres, postgres
from tests.faults.sales import CAMPGROUNDS
from tests.faults.stage import SERVING, open_campgrounds, production
from tests.faults.tills import Keys
from tests.server.service import Service
from tests.upgrading.versions import Version

OWNER = "campone_owner"
ALONE = "campone_alone"
"""The only role of a version that knows no others: it is the owner, under a name of its own to be told apart by."""
LAID_IN = "growth-"
MONTHS = """
from datetime import timedelta
from django.utils import timezone
from pos_bridge.partitions import Month, ensure_partitions
now = timezone.now()
month = Month.of(now - timedelta(days=730))
while month <= Month.of(now):
    ensure_partitions(now=month.begins)
    month = month.next
"""
SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "4GB", "maintenance_work_mem": "256MB"}


@dataclass(frozen=True, slots=True)
class UpgradeStage:
    """``before`` and ``after`` serve on the same port, one at a time; ``owner`` changes tables with the new code."""

    database: Postgres
    before: Service
    after: Service
    owner: Service
    keys: Keys


@contextmanager
def set_upgrade_stage(old: Version, new: Version, folder: Path, *, rows: int, patience: str) -> Iterator[UpgradeStage]:
    """The old version's tables and ledger; nobody serves yet. ``patience`` is how long the owner waits for a lock."""
    with postgres(settings=SETTINGS) as database:
        database.execute(
            f"CREATE ROLE {OWNER} LOGIN CREATEROLE",
            f"ALTER DATABASE campone OWNER TO {OWNER}",
            f"CREATE ROLE {ALONE} LOGIN IN ROLE {OWNER}",
            f"ALTER ROLE {ALONE} SET role = {OWNER}",
        )
        (folder / "static").mkdir()
        common = {**production(database.url_for(OWNER)), "STATIC_ROOT": str(folder / "static")}
        first = Service({**common, **old.environment}, log=folder / "server.log", code=old.code)
        first.manage("migrate", "--no-input", "-v", "0")
        first.manage("shell", "-c", MONTHS)
        keys = open_campgrounds(first)
        now = datetime.now(timezone.utc) - timedelta(minutes=1)  # noqa: TID251 (the edge of a test)
        growth_rows.fill(database.url, count=rows, now=now, spared=CAMPGROUNDS)
        if old.has_roles:
            first.manage("create_roles", "--app", SERVING)
        owner = Service({**common, **new.environment}, log=first.log, code=new.code)
        owner.environment["PGOPTIONS"] = f"-c lock_timeout={patience}"
        before, after = serving(first, database, SERVING if old.has_roles else ALONE), serving(owner, database, SERVING)
        after.port = before.port
        try:
            yield UpgradeStage(database, before, after, owner, keys)
        finally:
            before.kill()
            after.kill()


def serving(like: Service, database: Postgres, role: str) -> Service:
    """The same code, on the same database, by the role that serves."""
    environment = {**like.environment, "DATABASE_URL": database.url_for(role)}
    environment.pop("PGOPTIONS", None)  # whoever serves has bounds of its own
    return Service(environment, log=like.log, code=like.code)
