"""Keeps to the rules: another table, so a migration of its own; the first one is not locked while this one is waited for."""

from django.db import migrations, models

from tests.upgrading.elsewhere import OfKasse


class Migration(migrations.Migration):
    dependencies = [("upgrading", "0001_expand")]
    operations = [
        OfKasse(migrations.AddField("transactionitem", "next_kind", models.CharField(max_length=10, db_default=""))),
    ]
