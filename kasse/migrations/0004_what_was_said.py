"""What was said about a sale when it was taken; nothing is known to have been, of those taken before."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('apikeys', '0001_first'),
        ('kasse', '0003_autovacuum'),
        ('tenants', '0001_first'),
    ]

    operations = [
        migrations.AddField(
            model_name='transaction',
            name='remarks',
            field=models.TextField(blank=True, db_default='', default='', help_text='Codes of what was said about it when it was taken, parted by blanks.'),
        ),
        migrations.AddIndex(
            model_name='transaction',
            index=models.Index(condition=models.Q(('remarks', ''), _negated=True), fields=['tenant', 'occurred_at', 'id'], name='transaction_with_remarks'),
        ),
    ]
