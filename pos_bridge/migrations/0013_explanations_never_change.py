"""The database refuses to change or delete what was said about missing receipts.

SQLite drops a table's triggers with the table: a later migration that makes Django rebuild it has to run ``fence()``
again. The function on PostgreSQL is that of ``0006_decisions_never_change``.
"""

from django.db import migrations

TABLE = "pos_bridge_explainedgap"


def fence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE TRIGGER {TABLE}_written_once BEFORE UPDATE OR DELETE ON {TABLE} "
            "FOR EACH ROW EXECUTE FUNCTION pos_bridge_written_once()",
            None,
        )
        return
    for deed in ("update", "delete"):
        schema_editor.execute(
            f"CREATE TRIGGER {TABLE}_no_{deed} BEFORE {deed.upper()} ON {TABLE} "
            f"BEGIN SELECT RAISE(ABORT, 'Rows of {TABLE} are written once.'); END"
        )


def unfence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER {TABLE}_written_once ON {TABLE}", None)
        return
    for deed in ("update", "delete"):
        schema_editor.execute(f"DROP TRIGGER {TABLE}_no_{deed}")


class Migration(migrations.Migration):

    dependencies = [
        ("pos_bridge", "0012_explained_gaps"),
    ]

    operations = [migrations.RunPython(fence, unfence)]
