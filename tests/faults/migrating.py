"""Migrations of which one fails: afterwards the tables are as before, and the same again succeeds.

one of the product's    an index on the sales, made beside them (kasse 0011), after going back to before it
one of ours             a copy of lines, up to twenty times over (``tests.faults.growing``); needs room
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.faults.databases import Database, Postgres
from tests.faults.snapshots import clerk
from tests.faults.stage import Stage
from tests.faults.tills import Shop

Parts: TypeAlias = frozenset[tuple[Any, ...]]
"""Each part of a schema by kind, name and what it is; and the migrations that are said to be applied."""

ON_POSTGRESQL = """
SELECT 'column', table_name || '.' || column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public'
UNION ALL SELECT CASE WHEN i.indisvalid THEN 'index' ELSE 'invalid index' END, c.relname,
    pg_get_indexdef(i.indexrelid) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE NOT tgisinternal
UNION ALL SELECT 'migration', app, name FROM django_migrations
"""
ON_SQLITE = "SELECT type, name, sql FROM sqlite_master UNION ALL SELECT 'migration', app, name FROM django_migrations"
OUT_OF_ROOM = ("No space left on device", "disk is full", "disk I/O error")
TRIES = 3
"""Going back takes locks that a sale may hold; then it is done again."""


@dataclass(frozen=True, slots=True)
class Step:
    """From ``before`` to ``to``, of an application; in the end it is at ``at_last``."""

    app: str
    before: str
    to: str
    at_last: str
    needs_much: bool = False


STEPS = (
    Step("kasse", before="0010", to="0011", at_last="0012"),
    Step("growing", before="zero", to="0001", at_last="zero", needs_much=True),
)


class Migrating:
    """One step while tills sell, on a disk that gets full."""

    def __init__(self, stage: Stage, shop: Shop, step: Step) -> None:
        self.step = step
        self._stage, self._shop = stage, shop
        self._at_first = self._prepared = parts_of(stage.database)

    def prepare(self) -> None:
        """Back to before the step."""
        self._require("going back", self.step.before)
        self._prepared = parts_of(self._stage.database)

    def attempt(self) -> None:
        """On the full disk, where it is expected to fail."""
        self._shop.incidents[f"migration of {self.step.app} {self._migrate(self.step.to) or 'went through'}"] += 1

    def repeat(self) -> None:
        """Once there is room again: look what a failure has left, do it again, and end as at first."""
        left = parts_of(self._stage.database)
        self._shop.incidents.update("left an index that is not valid" for kind, *_ in left if kind == "invalid index")
        if is_half_done(left, self._prepared, to=self.step.to):
            self._finding("a failed migration that has changed something", sorted(left ^ self._prepared)[:3])
        self._require("migrating again", self.step.to)
        self._require("going on", self.step.at_last)
        if (at_last := parts_of(self._stage.database)) != self._at_first:
            self._finding("a schema that is not what it was", sorted(at_last ^ self._at_first)[:3])

    def _require(self, what: str, target: str) -> None:
        failure = ""
        for _ in range(TRIES):
            failure = self._migrate(target)
            if not failure:
                return
        self._finding(f"{what} failed", failure)

    def _migrate(self, target: str) -> str:
        """Nothing if it went through, else how it failed."""
        owner = clerk(self._stage, self._stage.database.url)
        owner.environment["DJANGO_SETTINGS_MODULE"] = "tests.faults.growing.settings"
        run = owner.attempt("migrate", self.step.app, target, "--no-input", "-v", "0")
        return how_it_ended(run.returncode, run.stderr)

    def _finding(self, kind: str, example: object) -> None:
        self._shop.model.findings.add(kind, f"{self.step.app}: {example}")


def how_it_ended(status: int, said: str) -> str:
    """In a few words; nothing if it went through."""
    if not status:
        return ""
    if any(words in said for words in OUT_OF_ROOM):
        return "failed for want of room"
    return f"failed: {(said.strip().splitlines() or ['no word'])[-1][:120]}"


def parts_of(database: Database) -> Parts:
    """What the schema is made of."""
    return frozenset(database.rows(ON_POSTGRESQL if isinstance(database, Postgres) else ON_SQLITE))


def is_half_done(left: Parts, prepared: Parts, *, to: str) -> bool:
    """Whether something has changed although the migration is not said to be applied.

    An index that was to be made concurrently may be left behind; PostgreSQL does not use it.
    """
    applied = {name for kind, _, name in left - prepared if kind == "migration"}
    return not any(name.startswith(to) for name in applied) and valid(left) != valid(prepared)


def valid(parts: Iterable[tuple[Any, ...]]) -> Parts:
    """Without what is there and not in use."""
    return frozenset(each for each in parts if each[0] != "invalid index")
