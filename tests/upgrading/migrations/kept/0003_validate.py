"""Keeps to the rules: the constraint read, and indexes made, while everybody writes."""

from django.db import migrations, models
from django.db.models.functions import Lower

from tenants.beside_tills import AddIndexBeside, ValidateWhereUnread
from tests.upgrading.elsewhere import OfKasse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("upgrading", "0002_expand_lines")]
    operations = [
        OfKasse(ValidateWhereUnread("transaction", "next_note_is_some")),
        OfKasse(AddIndexBeside("transaction", models.Index(fields=["tenant", "next_note"], name="next_by_note"))),
        OfKasse(AddIndexBeside("transactionitem", models.Index(Lower("description"), name="next_by_text"))),
    ]
