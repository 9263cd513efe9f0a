"""A test key's prefix is a character longer, and its campground is a rehearsal."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('apikeys', '0005_expiry_warnings'),
        ('tenants', '0002_rehearsals'),
    ]

    operations = [
        migrations.AlterField(
            model_name='apikey',
            name='prefix',
            field=models.CharField(editable=False, max_length=12, unique=True),
        ),
        migrations.RemoveConstraint(
            model_name='apikey',
            name='api_key_prefix_shape',
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('prefix__startswith', 'ck_'), ('tenant__gt', 0)), models.Q(('prefix__startswith', 'ckt_'), ('tenant__lt', 0)), _connector='OR'), name='api_key_prefix_shape'),
        ),
    ]
