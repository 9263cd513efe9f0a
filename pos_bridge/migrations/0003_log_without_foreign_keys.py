"""The activity log drops its foreign keys in the database, and its index on time becomes a BRIN index.

PostgreSQL locks the campground's and the key's row for every row that points at them, and looks them up again at
each commit. Campgrounds and keys are protected from being deleted, so the log loses nothing.

SQLite copies the table; its index on time stays what it was.
"""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pos_bridge', '0002_budget_total'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='inboundcall',
            name='inbound_call_by_time',
        ),
        migrations.AlterField(
            model_name='inboundcall',
            name='api_key',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='apikeys.apikey'),
        ),
        migrations.AlterField(
            model_name='inboundcall',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddIndex(
            model_name='inboundcall',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['at'], name='inbound_call_by_time'),
        ),
    ]
