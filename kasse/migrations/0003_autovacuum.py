"""PostgreSQL: vacuum and analyse the ledger after every 2 % of new rows; nothing changes on SQLite.

By default it takes a fifth. The ledger only grows: rows would wait long to be frozen and to be known to the planner,
and then all at once.
"""

from django.db import migrations

TABLES = ("kasse_transaction", "kasse_transactionitem", "kasse_payment")
NAMES = ("autovacuum_vacuum_insert_scale_factor", "autovacuum_analyze_scale_factor")


def often(apps, schema_editor):
    alter_tables(schema_editor, f"SET ({', '.join(f'{name} = 0.02' for name in NAMES)})")


def seldom(apps, schema_editor):
    alter_tables(schema_editor, f"RESET ({', '.join(NAMES)})")


def alter_tables(schema_editor, change):
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"ALTER TABLE {table} {change}")


class Migration(migrations.Migration):

    dependencies = [
        ('kasse', '0002_lines_hold_to_their_sale'),
    ]

    operations = [migrations.RunPython(often, seldom)]
