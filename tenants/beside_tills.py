"""What migrations do to tables that grow, so that tills sell on meanwhile; on SQLite, which knows no such ways, the
plain ones.

    AddConstraintUnread      in one migration: new rows are held to it, those that lie there are taken on trust
    ValidateWhereUnread      in the next one: those are read, too
    AddIndexBeside           in a migration with ``atomic = False``
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

LEFT_BEHIND = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


class AddConstraintUnread(AddConstraintNotValid):
    """A constraint that nobody waits for."""

    def database_forwards(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any) -> None:
        way: Any = AddConstraintNotValid if on_postgresql(schema_editor) else migrations.AddConstraint
        way.database_forwards(self, app_label, schema_editor, *states)


class ValidateWhereUnread(ValidateConstraint):
    """On SQLite it holds already."""

    def database_forwards(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any) -> None:
        if on_postgresql(schema_editor):
            super().database_forwards(app_label, schema_editor, *states)


class AddIndexBeside(AddIndexConcurrently):
    """An index that nobody waits for. It waits itself, as long as it must, for whoever reads: a backup, say.

    If it is cut off all the same, PostgreSQL leaves an index behind that is not valid; the next try takes that away.
    """

    def database_forwards(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any) -> None:
        if not on_postgresql(schema_editor):
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, *states)
            return
        with patiently(schema_editor):
            self._take_away_what_was_left(schema_editor)
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any) -> None:
        if not on_postgresql(schema_editor):
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, *states)
            return
        with patiently(schema_editor):
            super().database_backwards(app_label, schema_editor, *states)

    def _take_away_what_was_left(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        name = schema_editor.quote_name(self.index.name)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(LEFT_BEHIND, [name])
            if cursor.fetchone() == (True,):
                cursor.execute(f"DROP INDEX CONCURRENTLY {name}")


def on_postgresql(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    """Where there are such ways."""
    return schema_editor.connection.vendor == "postgresql"


@contextmanager
def patiently(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """Without the bound on waiting for locks that holds the role: what waits here keeps no till from writing."""
    schema_editor.execute("SET lock_timeout = 0")
    try:
        yield
    finally:
        schema_editor.execute("RESET lock_timeout")
