"""The database refuses to change or delete a decision about a parked sale.

SQLite drops a table's triggers with the table: a later migration that makes Django rebuild it has to run ``fence()``
again.
"""

from django.db import migrations

TABLE = "pos_bridge_parkeddecision"
POSTGRESQL = f"""
CREATE FUNCTION pos_bridge_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are written once.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER {TABLE}_written_once BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION pos_bridge_written_once();
"""
POSTGRESQL_BACK = f"""
DROP TRIGGER {TABLE}_written_once ON {TABLE};
DROP FUNCTION pos_bridge_written_once();
"""


def fence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, None)
        return
    for deed in ("update", "delete"):
        schema_editor.execute(
            f"CREATE TRIGGER {TABLE}_no_{deed} BEFORE {deed.upper()} ON {TABLE} "
            f"BEGIN SELECT RAISE(ABORT, 'Rows of {TABLE} are written once.'); END"
        )


def unfence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, None)
        return
    for deed in ("update", "delete"):
        schema_editor.execute(f"DROP TRIGGER {TABLE}_no_{deed}")


class Migration(migrations.Migration):

    dependencies = [
        ('pos_bridge', '0005_parked_decisions'),
    ]

    operations = [migrations.RunPython(fence, unfence)]
