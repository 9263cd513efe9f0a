"""Keeps to the rules: a column that the old version need not know, and a constraint that is taken on trust."""

from django.db import migrations, models

from tenants.beside_tills import AddConstraintUnread
from tests.upgrading.elsewhere import OfKasse


class Migration(migrations.Migration):
    dependencies = [("kasse", "0012_sales_never_change")]
    operations = [
        OfKasse(migrations.AddField("transaction", "next_note", models.CharField(max_length=40, null=True))),
        OfKasse(
            AddConstraintUnread(
                "transaction", models.CheckConstraint(condition=~models.Q(next_note=""), name="next_note_is_some")
            )
        ),
    ]
