"""Two ways past the fence, shut: ``INSERT OR REPLACE`` and ``TRUNCATE``.

SQLite replaces a row without a word to the triggers that refuse to delete it, so it refuses a new row in the place of
one that is there. PostgreSQL empties a table without a word to the triggers of its rows, so the table has one as well.
"""

from django.db import migrations

TAKEN = {
    "journal_journal": """
        id = NEW.id
        OR (tenant_id = NEW.tenant_id AND business_date = NEW.business_date AND supplement = NEW.supplement)
    """,
    "journal_journalsale": "tenant_id = NEW.tenant_id AND transaction_id = NEW.transaction_id",
    "journal_revision": """
        id = NEW.id OR (tenant_id = NEW.tenant_id AND (
            (journal_id = NEW.journal_id AND revision = NEW.revision) OR reference = NEW.reference
            OR (journal_id = NEW.journal_id AND state <> 'reversed' AND NEW.state <> 'reversed')
        ))
    """,
    "journal_attempt": "id = NEW.id",
}


def fence(apps, schema_editor):
    for table, taken in TAKEN.items():
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION journal_written_once()"
            )
        else:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) "
                f"BEGIN SELECT RAISE(ABORT, 'Rows of {table} are written once.'); END"
            )


def unfence(apps, schema_editor):
    for table in TAKEN:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {table}_never_emptied ON {table}")
        else:
            schema_editor.execute(f"DROP TRIGGER {table}_no_replace")


class Migration(migrations.Migration):

    dependencies = [
        ('journal', '0002_journals_never_change'),
    ]

    operations = [migrations.RunPython(fence, unfence)]
