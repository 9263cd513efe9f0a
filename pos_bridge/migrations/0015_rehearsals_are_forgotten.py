"""What a test key has compared may be forgotten with its sales: rows of tenants below zero may go, none may change."""

from django.db import migrations

TABLE = "pos_bridge_reconciliation"
ALL, REAL = "", "WHEN (OLD.tenant_id > 0)"


def make_trigger(schema_editor, deed, which):
    begin = f"CREATE TRIGGER {TABLE}_no_{deed} BEFORE {deed.upper()} ON {TABLE} "
    if schema_editor.connection.vendor == "postgresql":
        return f"{begin} FOR EACH ROW {which} EXECUTE FUNCTION pos_bridge_written_once()"
    return f"{begin} {which} BEGIN SELECT RAISE(ABORT, 'Rows of {TABLE} are written once.'); END"


def let_go(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER {TABLE}_written_once ON {TABLE}")
        schema_editor.execute(make_trigger(schema_editor, "update", ALL))
    else:
        schema_editor.execute(f"DROP TRIGGER {TABLE}_no_delete")
    schema_editor.execute(make_trigger(schema_editor, "delete", REAL))


def hold_on(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER {TABLE}_no_update ON {TABLE}")
        schema_editor.execute(f"DROP TRIGGER {TABLE}_no_delete ON {TABLE}")
        schema_editor.execute(
            f"CREATE TRIGGER {TABLE}_written_once BEFORE UPDATE OR DELETE ON {TABLE} "
            "FOR EACH ROW EXECUTE FUNCTION pos_bridge_written_once()"
        )
        return
    schema_editor.execute(f"DROP TRIGGER {TABLE}_no_delete")
    schema_editor.execute(make_trigger(schema_editor, "delete", ALL))


class Migration(migrations.Migration):

    dependencies = [
        ('pos_bridge', '0014_sales_imports'),
    ]

    operations = [migrations.RunPython(let_go, hold_on)]
