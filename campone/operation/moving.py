"""From a SQLite file to PostgreSQL: every row of every table, in one transaction, or none.

Rows go as they are: nothing is set anew, neither times nor numbers. Before it is committed, the rows of each table are
counted on both sides, and the digests of all ledgers compared. The file is locked meanwhile: nobody can sell into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model, QuerySet
from django.db.models.sql import InsertQuery

from campone.environment import sqlite_settings
from kasse.digest import LedgerDigest, digest_of
from tenants.fence import is_standing
from tenants.models import Tenant

SOURCE = "moved_from"
MOST_PARAMETERS = 30_000
MADE_BY_MIGRATE: tuple[type[Model], ...] = (Permission, ContentType)
"""Rows of these are there in a database that is otherwise empty; they are replaced."""


class NotMoved(Exception):
    """The target is as it was; the message is one sentence."""


def move(path: Path) -> Mapping[str, LedgerDigest]:
    """Move everything out of a file into the database of DATABASE_URL; the digest of each campground's ledger.

    Raises:
        NotMoved: the one or the other is not as it must be, or something came out otherwise than it went in.
    """
    if connection.vendor != "postgresql" or is_standing():
        raise NotMoved("DATABASE_URL must be PostgreSQL's, with the owner of its tables.")
    with reading_from(path), transaction.atomic(using=SOURCE), transaction.atomic():
        require_same_version()
        require_empty()
        for model in MADE_BY_MIGRATE:
            rows_of(model).delete()
        for model in models_in_order():
            copy_rows(model)
        set_sequences()
        return compare()


@contextmanager
def reading_from(path: Path) -> Iterator[None]:
    """The file as a second database."""
    if not path.is_file():
        raise NotMoved(f"There is no file {path}.")
    connections.settings[SOURCE] = connections.configure_settings(
        {DEFAULT_DB_ALIAS: {}, SOURCE: sqlite_settings(str(path))}
    )[SOURCE]
    try:
        yield
    finally:
        connections[SOURCE].close()
        del connections[SOURCE], connections.settings[SOURCE]


def models_in_order() -> list[type[Model]]:
    """Every model that has a table; foreign keys are checked at the end."""
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def rows_of(model: type[Model], *, of: str = DEFAULT_DB_ALIAS) -> QuerySet[Model]:
    """All rows of a table, whatever a manager of its own would leave out."""
    return model._base_manager.using(of)  # noqa: SLF001 (documented under this name)


def require_same_version() -> None:
    """Both databases have the same tables."""
    ours, theirs = (
        MigrationRecorder(connections[alias]).applied_migrations().keys() for alias in (DEFAULT_DB_ALIAS, SOURCE)
    )
    if ours != theirs:
        raise NotMoved("The two are of different versions: `manage.py migrate` on both of them first.")


def require_empty() -> None:
    """Nothing is ever moved into something else."""
    for model in models_in_order():
        if model not in MADE_BY_MIGRATE and rows_of(model).exists():
            raise NotMoved(f"The target is not empty: {model._meta.db_table} has rows.")


def copy_rows(model: type[Model]) -> None:
    """All rows of a table, some at a time."""
    fields = list(model._meta.local_concrete_fields)
    at_once = max(1, MOST_PARAMETERS // len(fields))
    batch: list[Model] = []
    for row in rows_of(model, of=SOURCE).order_by("pk").iterator(chunk_size=at_once):
        batch.append(row)
        if len(batch) == at_once:
            insert(model, batch)
            batch = []
    insert(model, batch)


def insert(model: type[Model], rows: list[Model]) -> None:
    """Rows as they are; Django's own insertion would set some times anew."""
    if rows:
        query = InsertQuery(model)
        query.insert_values(model._meta.local_concrete_fields, rows, raw=True)
        query.get_compiler(using=DEFAULT_DB_ALIAS).execute_sql()


def set_sequences() -> None:
    """The next row of each table gets a number of its own."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models_in_order()):
            cursor.execute(statement)


def compare() -> dict[str, LedgerDigest]:
    """Rows and ledgers, on both sides."""
    for model in models_in_order():
        if rows_of(model).count() != rows_of(model, of=SOURCE).count():
            raise NotMoved(f"{model._meta.db_table} has come out with another number of rows.")
    digests = {}
    for tenant in Tenant.objects.order_by("slug"):
        digests[tenant.slug] = digest_of(tenant)
        if digests[tenant.slug] != digest_of(tenant, using=SOURCE):
            raise NotMoved(f"The ledger of {tenant.slug} has come out otherwise than it went in.")
    return digests
