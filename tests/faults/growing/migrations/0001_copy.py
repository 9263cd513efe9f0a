"""A table that is copied, as where a new one takes an old one's place; and again and again, so that it needs room."""

from django.db import migrations

TIMES = 20
MOST_ROWS = 200_000
COPY = f"""
CREATE TABLE growing_copy AS
WITH RECURSIVE time(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM time WHERE number < {TIMES})
SELECT line.*, time.number FROM kasse_transactionitem AS line CROSS JOIN time LIMIT {MOST_ROWS}
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("kasse", "0012_sales_never_change")]

    operations = [
        migrations.RunSQL(COPY, "DROP TABLE growing_copy"),
        migrations.RunSQL("CREATE INDEX growing_copy_number ON growing_copy (number, transaction_id)", migrations.RunSQL.noop),
    ]
