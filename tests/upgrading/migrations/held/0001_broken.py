"""Breaks the rules: a column is nothing, but its transaction goes on for seconds, and nobody gets at the table."""

from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL(
            "ALTER TABLE kasse_transaction ADD COLUMN next_held boolean NULL",
            "ALTER TABLE kasse_transaction DROP COLUMN next_held",
        ),
        migrations.RunSQL("SELECT pg_sleep(3)", migrations.RunSQL.noop),
    ]
