"""The index by which missing receipts are found, and the constraint read against the sales until now.

Neither keeps anybody waiting. Should it be cut off, PostgreSQL leaves an index behind that is not valid; drop
``transaction_numbered`` then, and migrate again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class ValidateWhereUnread(ValidateConstraint):
    """On SQLite it holds already."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddIndexBeside(AddIndexConcurrently):
    """Concurrently where that can be; on SQLite like any other."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        way = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else migrations.AddIndex
        way.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        way = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else migrations.AddIndex
        way.database_backwards(self, app_label, schema_editor, from_state, to_state)


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
