"""Connections, what came in over them, under which names, and their log."""

import catalogue.exact_decimals
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('apikeys', '0001_first'),
        ('tenants', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('vendor', models.CharField(help_text='The folder of the vendor.', max_length=20)),
                ('name', models.CharField(help_text='As the till is called here: Restaurant, Kiosk.', max_length=80, verbose_name='name')),
                ('address_digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('sealed_address', models.TextField(editable=False)),
                ('sealed_secrets', models.TextField(blank=True, editable=False)),
                ('scope', models.CharField(blank=True, help_text="Whose till it is, in the vendor's words.", max_length=120)),
                ('currency', models.CharField(max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}\\Z', 'Three capital letters, as in CHF.')], verbose_name='currency')),
                ('language', models.CharField(choices=[('de', 'Deutsch'), ('fr', 'Français'), ('it', 'Italiano'), ('en', 'English')], default='de', help_text='In which a refused sale is explained at the till.', max_length=2, verbose_name='language of the till')),
                ('methods', models.JSONField(blank=True, default=dict)),
                ('default_vat_rate', catalogue.exact_decimals.ExactDecimalField(blank=True, help_text='Percent; for lines whose rate neither the till nor the product list knows.', null=True, places=2, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='usual VAT rate')),
                ('enabled', models.BooleanField(default=True, verbose_name='switched on')),
                ('trouble', models.CharField(blank=True, help_text='Code of what keeps it from working.', max_length=40)),
                ('trouble_since', models.DateTimeField(null=True)),
                ('heard_at', models.DateTimeField(help_text='When the vendor was last heard, or last answered us.', null=True)),
                ('state', models.JSONField(default=dict, help_text="What the vendor's folder remembers: cursors, subscriptions.")),
                ('created_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('till', models.OneToOneField(help_text="Its till's name in the ledger; opens nothing.", on_delete=django.db.models.deletion.PROTECT, related_name='+', to='apikeys.apikey')),
            ],
        ),
        migrations.CreateModel(
            name='ConnectionCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('deed', models.CharField(max_length=20)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('outcome', models.CharField(max_length=40)),
                ('detail', models.CharField(blank=True, max_length=200)),
                ('latency_ms', models.PositiveIntegerField(default=0)),
                ('remote_address', models.CharField(blank=True, max_length=64)),
                ('key_prefix', models.CharField(blank=True, max_length=11)),
                ('calls', models.PositiveIntegerField(default=1)),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='adapters.connection')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.CreateModel(
            name='SaleName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('external_ref', models.CharField(max_length=255)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.CreateModel(
            name='VendorEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=60)),
                ('delivery', models.CharField(help_text="The vendor's identity of the delivery or the event.", max_length=120)),
                ('digest', models.CharField(editable=False, max_length=64)),
                ('payload', models.TextField()),
                ('received_at', models.DateTimeField()),
                ('last_received_at', models.DateTimeField()),
                ('times_received', models.PositiveIntegerField(default=1)),
                ('standing', models.CharField(choices=[('received', 'received'), ('recorded', 'recorded'), ('ignored', 'no sale'), ('parked', 'parked'), ('set_aside', 'set aside')], default='received', max_length=12)),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('detail', models.CharField(blank=True, max_length=255)),
                ('references', models.JSONField(default=list, help_text='The references of its sales in the ledger.')),
                ('handled_at', models.DateTimeField(null=True)),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='adapters.connection')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(fields=('tenant', 'vendor', 'name'), name='connection_name_once_per_vendor'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='connection_has_a_name'),
        ),
        migrations.AddIndex(
            model_name='connectioncall',
            index=models.Index(fields=['tenant', 'connection', '-at'], name='connection_call_by_time'),
        ),
        migrations.AddIndex(
            model_name='connectioncall',
            index=models.Index(fields=['at'], name='connection_call_oldest'),
        ),
        migrations.AddIndex(
            model_name='salename',
            index=models.Index(fields=['tenant', 'external_ref'], name='sale_name_by_reference'),
        ),
        migrations.AddConstraint(
            model_name='salename',
            constraint=models.UniqueConstraint(fields=('tenant', 'name'), name='sale_name_means_one_sale'),
        ),
        migrations.AddIndex(
            model_name='vendorevent',
            index=models.Index(fields=['tenant', 'connection', 'standing', '-received_at'], name='vendor_event_by_standing'),
        ),
        migrations.AddIndex(
            model_name='vendorevent',
            index=models.Index(fields=['received_at'], name='vendor_event_by_time'),
        ),
        migrations.AddConstraint(
            model_name='vendorevent',
            constraint=models.UniqueConstraint(fields=('tenant', 'connection', 'delivery', 'digest'), name='vendor_event_once_per_delivery'),
        ),
        migrations.AddConstraint(
            model_name='vendorevent',
            constraint=models.CheckConstraint(condition=models.Q(('standing__in', ['received', 'recorded', 'ignored', 'parked', 'set_aside'])), name='vendor_event_standing_known'),
        ),
    ]
