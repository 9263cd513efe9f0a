"""``migrate`` and ``create_roles`` as an operator runs them, again if a lock was not to be had, and the way back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.faults.databases import Postgres
from tests.server.service import Service

APPLIED = re.compile(r"(?:Applying|Unapplying) (\S+?)\.\.\..*?\bOK(?: \((\d+\.\d+)s\))?", re.DOTALL)
NOT_NOW = re.compile(r"lock timeout|deadlock detected")
MOST_TRIES = 30
PAUSE = 1.0

Known = dict[str, set[str]]
"""The migrations that a database has had, by app."""


class MigrationFailed(Exception):
    """It has, and not because of a lock; in its own words."""


@dataclass(slots=True)
class Deed:
    """A command that came to its end: each migration's seconds, how often it was begun, why it was not done before."""

    name: str
    steps: dict[str, float] = field(default_factory=dict)
    tries: int = 0
    seconds: float = 0.0
    refusals: list[str] = field(default_factory=list)


def do(owner: Service, *arguments: str) -> Deed:
    """One of Django's commands as the owner, until it is done.

    Raises:
        MigrationFailed: it will not be.
    """
    deed, began = Deed(" ".join(arguments[:3])), time.monotonic()
    while True:
        deed.tries += 1
        done = owner.attempt(*arguments)
        deed.steps.update({name: float(seconds or 0) for name, seconds in APPLIED.findall(done.stdout)})
        deed.seconds = time.monotonic() - began
        if done.returncode == 0:
            return deed
        deed.refusals.append((done.stderr.strip().splitlines() or ["nothing"])[-1])
        if deed.tries >= MOST_TRIES or not NOT_NOW.search(done.stderr):
            raise MigrationFailed(f"{deed.name}: {done.stderr[-2000:]}")
        time.sleep(PAUSE)


def upgrade(owner: Service, app_role: str) -> Iterator[Deed]:
    """What stands in the guides, in that order."""
    yield do(owner, "migrate", "--no-input", "-v", "2")
    yield do(owner, "create_roles", "--app", app_role)


def go_back(owner: Service, before: Known, after: Known) -> Iterator[Deed]:
    """To the tables of ``before``, app by app."""
    for app in sorted(after):
        if after[app] - before.get(app, set()):
            target = max(before.get(app, {"zero"}))
            yield do(owner, "migrate", app, target, "--no-input", "-v", "2")


def applied(database: Postgres) -> Known:
    """What the database itself has noted."""
    found: Known = {}
    for app, name in database.rows("SELECT app, name FROM django_migrations"):
        found.setdefault(app, set()).add(name)
    return found


COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_name)
    WHERE columns.table_schema = 'public' AND tables.table_schema = 'public' AND table_type = 'BASE TABLE'
"""
HOLDS = """
    SELECT table_name, column_name, coalesce(column_default, 'NULL') FROM information_schema.columns
    WHERE table_schema = 'public'
"""


def columns(database: Postgres) -> set[tuple[str, str]]:
    """Every column of every table."""
    return {(table, column) for table, column in database.rows(COLUMNS)}


def lost_on_the_way_back(database: Postgres, before: Iterable[tuple[str, str]]) -> list[str]:
    """What the tables of ``before`` have no place for, and is there: rows of new tables, values of new columns."""
    there, tables = set(before), {table for table, _ in before}
    lost, now = [], columns(database)
    for table in sorted({table for table, _ in now} - tables):
        count = _count(database, f'SELECT count(*) FROM "{table}"')
        lost += [f"{count} rows of {table}"] if count else []
    for table, column, default in database.rows(HOLDS):
        if table in tables and (table, column) in now - there:
            count = _count(database, f'SELECT count(*) FROM "{table}" WHERE "{column}" IS DISTINCT FROM {default}')
            lost += [f"{count} values of {table}.{column}"] if count else []
    return lost


def _count(database: Postgres, question: str) -> int:
    return int(next(iter(database.rows(question)))[0])
