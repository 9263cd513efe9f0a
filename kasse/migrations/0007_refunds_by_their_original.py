"""Refunds by the reference of their original: without it, a sale's page read every sale to find them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kasse', '0006_closes_never_change'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='transaction',
            index=models.Index(condition=models.Q(('refund_of', ''), _negated=True), fields=['tenant', 'refund_of'], name='transaction_refunds_of'),
        ),
    ]
