"""Breaks the rules: a default that is another for each row writes the table anew."""

from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL(
            "ALTER TABLE kasse_transaction ADD COLUMN next_at timestamptz NOT NULL DEFAULT clock_timestamp()",
            "ALTER TABLE kasse_transaction DROP COLUMN next_at",
        ),
    ]
