"""The budget as a sum beside its slots; counts of the last hour are forgotten, every key begins afresh."""

import django.db.models.deletion
from django.db import migrations, models

KEY = {"db_constraint": False, "db_index": False, "related_name": "+"}


def of_one_key():
    return [
        (
            "tenant",
            models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="tenants.tenant", **KEY),
        ),
        (
            "api_key",
            models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="apikeys.apikey", **KEY),
        ),
    ]


def primary_key(*names):
    return models.CompositePrimaryKey(*names, blank=True, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [
        ("apikeys", "0001_first"),
        ("pos_bridge", "0001_first"),
        ("tenants", "0001_first"),
    ]

    operations = [
        migrations.DeleteModel("BudgetSlot"),
        migrations.CreateModel(
            name="BudgetSlot",
            fields=[
                *of_one_key(),
                ("pk", primary_key("tenant", "api_key", "second")),
                ("second", models.BigIntegerField(help_text="Seconds since 1970.")),
                ("calls", models.PositiveIntegerField()),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="BudgetTotal",
            fields=[
                *of_one_key(),
                ("pk", primary_key("tenant", "api_key")),
                ("calls", models.PositiveBigIntegerField()),
            ],
            options={"abstract": False},
        ),
    ]
