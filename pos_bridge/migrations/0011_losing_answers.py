"""The switch of a test key that loses answers on purpose."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('apikeys', '0006_test_keys'),
        ('pos_bridge', '0010_prefixes_of_test_keys'),
        ('tenants', '0002_rehearsals'),
    ]

    operations = [
        migrations.CreateModel(
            name='LosingAnswers',
            fields=[
                ('api_key', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='apikeys.apikey')),
                ('mode', models.CharField(choices=[('never', 'no answer'), ('once', 'the next answer'), ('this', 'every second answer'), ('other', 'every second answer, but not the next')], max_length=5)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('mode__in', ['never', 'once', 'this', 'other'])), name='losing_answers_mode_known'), models.CheckConstraint(condition=models.Q(('tenant__lt', 0)), name='losing_answers_of_test_keys')],
            },
        ),
    ]
