"""PostgreSQL: the activity log becomes a table partitioned by month; nothing changes on SQLite.

All rows are copied in this one transaction, and the indexes built after: some ten seconds for a million rows, and room
for a second copy. The log is locked meanwhile, so migrate while the service is stopped. Going back costs the same.

The state of the model stays as it is: to Django, ``id`` alone is the primary key; in the database it is ``(id, at)``,
since a partitioned table's keys must hold what parts it.
"""

from django.db import migrations
from django.utils import timezone

from pos_bridge.partitions import DEFAULT, STORAGE, TABLE, Month, make_partition, months_from

OLD = f"{TABLE}_old"


def by_month(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        set_aside(cursor)
        cursor.execute(
            f"CREATE TABLE {TABLE} (LIKE {OLD} INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING CONSTRAINTS)"
            " PARTITION BY RANGE (at)"
        )
        cursor.execute(f"CREATE TABLE {DEFAULT} PARTITION OF {TABLE} DEFAULT WITH ({STORAGE})")
        cursor.execute(f"SELECT DISTINCT date_trunc('month', at, 'UTC') FROM {OLD}")
        for month in sorted({Month.of(first) for (first,) in cursor.fetchall()} | set(months_from(timezone.now()))):
            make_partition(cursor, month)
        take_over(cursor)
    add_keys(apps, schema_editor, "id, at")


def in_one_table(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        set_aside(cursor)
        cursor.execute(f"CREATE TABLE {TABLE} (LIKE {OLD} INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING CONSTRAINTS)")
        take_over(cursor)
    add_keys(apps, schema_editor, "id")


def set_aside(cursor):
    cursor.execute(f"ALTER TABLE {TABLE} RENAME TO {OLD}")
    cursor.execute(f"ALTER SEQUENCE {TABLE}_id_seq RENAME TO {OLD}_id_seq")


def take_over(cursor):
    """Copy the rows, go on with the numbers where they were, and drop the old table with its partitions."""
    cursor.execute(f"INSERT INTO {TABLE} SELECT * FROM {OLD}")
    cursor.execute(f"SELECT setval('{TABLE}_id_seq', last_value, is_called) FROM {OLD}_id_seq")
    cursor.execute(f"DROP TABLE {OLD}")


def add_keys(apps, schema_editor, columns):
    """The primary key, and what the model names; check constraints have come with the columns."""
    model = apps.get_model("pos_bridge", "InboundCall")
    schema_editor.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT {TABLE}_pkey PRIMARY KEY ({columns})")
    for constraint in model._meta.constraints:
        if hasattr(constraint, "fields"):
            schema_editor.add_constraint(model, constraint)
    for index in model._meta.indexes:
        schema_editor.add_index(model, index)


class Migration(migrations.Migration):

    dependencies = [
        ('pos_bridge', '0003_log_without_foreign_keys'),
    ]

    operations = [migrations.RunPython(by_month, in_one_table)]
