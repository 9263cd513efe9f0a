"""What a migration may not do while tills sell: read off its operations, before it meets a database.

While it runs, and until the last worker is a new one, the old version serves on the new tables. The rules, and what to
do instead, stand in ``docs/how-to/change-tables.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelTable,
    CreateModel,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

TAKES_AWAY = (RemoveField, RenameField, RenameModel, DeleteModel, AlterModelTable)
GROWING = {
    "kasse.transaction",
    "kasse.transactionitem",
    "kasse.payment",
    "pos_bridge.inboundcall",
    "pos_bridge.inboundbatch",
    "adapters.vendorevent",
    "adapters.connectioncall",
    "journal.journalsale",
    "kasse.closedsale",
}
"""Tables with a row or more for each sale or call: no till waits until all of one has been read."""


def faults_of(migration: Migration, state: ProjectState) -> Iterator[str]:
    """What a migration does that it may not; ``state`` is that before it, and afterwards that after it."""
    app = migration.app_label
    made = {f"{app}.{each.name_lower}" for each in migration.operations if isinstance(each, CreateModel)}
    for operation in migration.operations:
        before = state.clone()
        operation.state_forwards(app, state)
        yield from faults_in(operation, app, before, state, made)


def faults_in(
    operation: Operation, app: str, before: ProjectState, after: ProjectState, made: set[str]
) -> Iterator[str]:
    """What one operation does that it may not. A table made in the same migration is nobody's yet."""
    table = f"{app}.{getattr(operation, 'model_name_lower', getattr(operation, 'name_lower', ''))}"
    if isinstance(operation, SeparateDatabaseAndState):
        for each in operation.database_operations:
            yield from faults_in(each, app, before, after, made)
    elif isinstance(operation, RunPython | RunSQL):
        if not operation.reversible:
            yield "has no way back"
    elif table not in made:
        yield from faults_of_use(operation, table)
        if isinstance(operation, AlterField):
            yield from faults_of_change(operation, app, before, after)


def faults_of_use(operation: Operation, table: str) -> Iterator[str]:
    """What it does to a table that is in use."""
    if isinstance(operation, TAKES_AWAY):
        yield f"takes away what the old version needs: {operation.describe()}"
    if isinstance(operation, AddField) and must_be_filled(operation.field):
        yield f"must be filled, and the old version does not know it: {operation.describe()}"
    # Operations derived from these have ways of their own.
    if type(operation) in {AddIndex, AddConstraint} and table in GROWING:
        yield f"keeps tills waiting: {operation.describe()}"


def must_be_filled(field: Any) -> bool:
    """Whether a row that does not name the column is refused."""
    return not (field.many_to_many or field.null or field.db_default is not NOT_PROVIDED)


def faults_of_change(operation: AlterField, app: str, before: ProjectState, after: ProjectState) -> Iterator[str]:
    """What changing a column does that it may not."""
    old, new = (field_in(state, app, operation) for state in (before, after))
    if old.db_type(connection) != new.db_type(connection) and not is_longer(old, new):
        yield f"writes the table anew: {operation.describe()}"
    if old.null and not new.null:
        yield f"refuses what the old version writes: {operation.describe()}"


def is_longer(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> bool:
    """Whether a text may only be longer now, which PostgreSQL notes without looking at a row."""
    both = isinstance(old, models.CharField) and isinstance(new, models.CharField)
    return both and (new.max_length or 0) >= (old.max_length or 0)


def field_in(state: ProjectState, app: str, operation: AlterField) -> models.Field[Any, Any]:
    """A column as it is at that moment."""
    field = state.apps.get_model(app, operation.model_name)._meta.get_field(operation.name)
    assert isinstance(field, models.Field)
    return field


def faults_since(baseline: dict[str, str], apps: set[str]) -> dict[str, list[str]]:
    """What our migrations after the baseline do that they may not, by ``app.name``."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    found = {}
    state = ProjectState(real_apps=loader.unmigrated_apps)
    for app, name in plan_of(loader):
        migration = loader.graph.nodes[app, name]
        if app in apps and name > baseline.get(app, ""):
            faults = list(faults_of(migration, state))
            if faults:
                found[f"{app}.{name}"] = faults
        else:
            state = migration.mutate_state(state, preserve=False)
    return found


def plan_of(loader: MigrationLoader) -> list[tuple[str, str]]:
    """Every migration, each after those that it depends on."""
    plan: dict[tuple[str, str], None] = {}
    for leaf in loader.graph.leaf_nodes():
        plan |= dict.fromkeys(loader.graph.forwards_plan(leaf))
    return list(plan)
