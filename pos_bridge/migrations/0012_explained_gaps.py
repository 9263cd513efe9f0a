"""What staff have said about receipts that are missing."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("apikeys", "0006_test_keys"),
        ("pos_bridge", "0011_losing_answers"),
        ("tenants", "0001_first"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExplainedGap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("till_id", models.CharField(blank=True, max_length=64)),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                ("sold_after", models.DateTimeField()),
                ("sold_before", models.DateTimeField()),
                ("reason", models.TextField()),
                ("explained_at", models.DateTimeField()),
                ("explained_by_name", models.CharField(max_length=310)),
                ("api_key", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="apikeys.apikey")),
                ("explained_by", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("tenant", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant", "sold_before", "api_key", "till_id", "first", "last"), name="explained_gap_once"), models.CheckConstraint(condition=models.Q(("first__gte", 1), ("first__lte", models.F("last"))), name="explained_gap_is_a_range"), models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="explained_gap_has_a_reason")],
            },
        ),
    ]
