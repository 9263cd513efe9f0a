"""Breaks the rules: an index that keeps all writers waiting until it is whole."""

from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL(
            "CREATE INDEX next_by_words ON kasse_transactionitem (md5(lower(description)), line_total, transaction_id)",
            "DROP INDEX next_by_words",
        ),
    ]
