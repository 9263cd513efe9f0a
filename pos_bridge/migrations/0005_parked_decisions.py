"""What staff have decided about a parked sale: a row for each decision."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kasse', '0003_autovacuum'),
        ('pos_bridge', '0004_log_by_month'),
        ('tenants', '0001_first'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ParkedDecision',
            fields=[
                ('parked', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='decision', serialize=False, to='pos_bridge.parkedsale')),
                ('decision', models.CharField(choices=[('keep', 'Stored sale kept'), ('book', 'Booked as a new sale'), ('discard', 'Discarded')], max_length=10)),
                ('decided_at', models.DateTimeField()),
                ('decided_by_name', models.CharField(max_length=310)),
                ('reason', models.TextField(blank=True)),
                ('booked', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kasse.transaction')),
                ('decided_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('decision__in', ['keep', 'book', 'discard'])), name='parked_decision_known'),
                    models.CheckConstraint(condition=models.Q(models.Q(('booked__isnull', False), ('decision', 'book')), models.Q(models.Q(('decision', 'book'), _negated=True), ('booked__isnull', True)), _connector='OR'), name='parked_decision_books_a_sale'),
                    models.CheckConstraint(condition=models.Q(models.Q(('decision', 'discard'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='parked_decision_discards_for_a_reason'),
                ],
            },
        ),
    ]
