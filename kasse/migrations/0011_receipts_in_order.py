"""The index by which missing receipts are found, and the constraint read against the sales until now.

Neither keeps anybody waiting. Should it be cut off, migrate again.
"""

from django.db import migrations, models

from tenants.beside_tills import AddIndexBeside, ValidateWhereUnread


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("kasse", "0010_receipt_numbers")]

    operations = [
        ValidateWhereUnread(model_name="transaction", name="transaction_receipt_seq_counts"),
        AddIndexBeside(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(("receipt_seq__isnull", False)), fields=["tenant", "occurred_at"], name="transaction_numbered"
            ),
        ),
    ]
