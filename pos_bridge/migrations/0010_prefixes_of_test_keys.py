"""A test key's prefix is a character longer. SQLite does not count characters, so its log is not copied for that.

PostgreSQL notes the new length and reads no row. Going back leaves the column as wide as it is: a log that holds calls
of test keys would not fit.
"""

from django.db import migrations, models


def widen(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE pos_bridge_inboundcall ALTER COLUMN key_prefix TYPE varchar(12)")


class Migration(migrations.Migration):

    dependencies = [
        ('pos_bridge', '0009_reconciliations_never_change'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(widen, migrations.RunPython.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name='inboundcall',
                    name='key_prefix',
                    field=models.CharField(blank=True, max_length=12),
                ),
            ],
        ),
    ]
