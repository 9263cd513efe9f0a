"""A tenant below zero is the rehearsal of a campground, where its test keys sell."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0001_first'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='tenant',
            constraint=models.CheckConstraint(condition=models.Q(('id__gt', 0), models.Q(('id__lt', 0), ('slug__startswith', 'test:')), _connector='OR'), name='tenant_rehearses_below_zero'),
        ),
    ]
