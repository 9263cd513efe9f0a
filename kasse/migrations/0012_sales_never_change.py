"""The database refuses to change or delete a sale, its lines and its payments, as it does for closes (0006, 0009).

Inserting pays nothing: these triggers are asked about changes alone. On SQLite ``INSERT OR REPLACE`` deletes without a
word to them, unless a connection has ``recursive_triggers`` on, as all of the service's have.

Sales of rehearsals (``tenants.rehearsals``), of tenants below zero, may be forgotten; neither are they ever changed.

SQLite drops a table's triggers with the table: a later migration that makes Django rebuild one of these has to run
``unfence()`` before and ``fence()`` after it.
"""

from django.db import migrations

TABLES = ("kasse_transaction", "kasse_transactionitem", "kasse_payment")
POSTGRESQL = """
CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION kasse_written_once();
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
    FOR EACH ROW WHEN (OLD.tenant_id > 0) EXECUTE FUNCTION kasse_written_once();
CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION kasse_written_once();
"""
SQLITE = (
    "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {refuse}; END",
    "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN OLD.tenant_id > 0 BEGIN {refuse}; END",
)


def fence(apps, schema_editor):
    for table in TABLES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(POSTGRESQL.format(table=table), None)
            continue
        for statement in SQLITE:
            refuse = f"SELECT RAISE(ABORT, 'Rows of {table} are written once.')"
            schema_editor.execute(statement.format(table=table, refuse=refuse))


def unfence(apps, schema_editor):
    for table in TABLES:
        if schema_editor.connection.vendor == "postgresql":
            for name in ("no_update", "no_delete", "never_emptied"):
                schema_editor.execute(f"DROP TRIGGER {table}_{name} ON {table}")
            continue
        for name in ("no_update", "no_delete"):
            schema_editor.execute(f"DROP TRIGGER {table}_{name}")


class Migration(migrations.Migration):

    dependencies = [
        ('kasse', '0011_receipts_in_order'),
    ]

    operations = [migrations.RunPython(fence, unfence)]
