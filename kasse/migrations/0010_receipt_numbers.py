"""Which device of a key sold, and under which running number; nobody has said so of the sales until now.

No row is written and none is read: PostgreSQL keeps the empty text with the column, and takes the constraint on trust
until the next migration.
"""

from django.db import migrations, models

from tenants.beside_tills import AddConstraintUnread


class Migration(migrations.Migration):
    dependencies = [("kasse", "0009_closes_are_not_replaced")]

    operations = [
        migrations.AddField(
            model_name="transaction",
            name="till_id",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Which device of the key sold it.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="transaction",
            name="receipt_seq",
            field=models.BigIntegerField(blank=True, help_text="The till's own running receipt number.", null=True),
        ),
        AddConstraintUnread(
            model_name="transaction",
            constraint=models.CheckConstraint(
                condition=models.Q(("receipt_seq__gte", 1), ("receipt_seq__lte", 9007199254740991)),
                name="transaction_receipt_seq_counts",
            ),
        ),
    ]
