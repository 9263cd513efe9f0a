"""Two ways past the fence, shut: ``INSERT OR REPLACE`` and ``TRUNCATE``.

SQLite replaces a row without a word to the triggers that refuse to delete it, so it refuses a new row in the place of
one that is there. PostgreSQL empties a table without a word to the triggers of its rows, so the table has one as well.
``manage.py flush`` is refused by both once a day is closed.
"""

from django.db import migrations

TAKEN = {
    "kasse_dailyclose": """
        id = NEW.id OR (tenant_id = NEW.tenant_id AND (business_date = NEW.business_date OR z_number = NEW.z_number))
    """,
    "kasse_closedsale": """
        tenant_id = NEW.tenant_id
        AND (transaction_id = NEW.transaction_id OR (close_id = NEW.close_id AND position = NEW.position))
    """,
}


def fence(apps, schema_editor):
    for table, taken in TAKEN.items():
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION kasse_written_once()"
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
        ('kasse', '0008_tips_go_back'),
    ]

    operations = [migrations.RunPython(fence, unfence)]
