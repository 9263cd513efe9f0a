"""The database refuses to change or delete a close or the sales it is made of, and to add a sale to one that is full.

SQLite drops a table's triggers with the table: a later migration that makes Django rebuild one of these two has to run
``unfence()`` before and ``fence()`` after it. The triggers name no table but these; SQLite could not rebuild one that
they name.
"""

from django.db import migrations

TABLES = ("kasse_dailyclose", "kasse_closedsale")
NO_PLACE = """
    NOT EXISTS (
        SELECT 1 FROM kasse_dailyclose AS c
        WHERE c.id = NEW.close_id AND c.tenant_id = NEW.tenant_id AND NEW.position BETWEEN 1 AND c.sale_count
    )
"""

POSTGRESQL = f"""
CREATE FUNCTION kasse_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are written once.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION kasse_close_has_a_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {NO_PLACE} THEN
        RAISE EXCEPTION 'This close has no place for the sale.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER kasse_dailyclose_written_once BEFORE UPDATE OR DELETE ON kasse_dailyclose
    FOR EACH ROW EXECUTE FUNCTION kasse_written_once();
CREATE TRIGGER kasse_closedsale_written_once BEFORE UPDATE OR DELETE ON kasse_closedsale
    FOR EACH ROW EXECUTE FUNCTION kasse_written_once();
CREATE TRIGGER kasse_closedsale_has_a_place BEFORE INSERT ON kasse_closedsale
    FOR EACH ROW EXECUTE FUNCTION kasse_close_has_a_place();
"""
POSTGRESQL_BACK = """
DROP TRIGGER kasse_closedsale_has_a_place ON kasse_closedsale;
DROP TRIGGER kasse_closedsale_written_once ON kasse_closedsale;
DROP TRIGGER kasse_dailyclose_written_once ON kasse_dailyclose;
DROP FUNCTION kasse_close_has_a_place();
DROP FUNCTION kasse_written_once();
"""


def fence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, None)
        return
    for table in TABLES:
        for deed in ("update", "delete"):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_{deed} BEFORE {deed.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'Rows of {table} are written once.'); END"
            )
    schema_editor.execute(
        "CREATE TRIGGER kasse_closedsale_has_a_place BEFORE INSERT ON kasse_closedsale "
        f"WHEN {NO_PLACE} BEGIN SELECT RAISE(ABORT, 'This close has no place for the sale.'); END"
    )


def unfence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, None)
        return
    schema_editor.execute("DROP TRIGGER kasse_closedsale_has_a_place")
    for table in TABLES:
        for deed in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER {table}_no_{deed}")


class Migration(migrations.Migration):

    dependencies = [
        ('kasse', '0005_daily_close'),
    ]

    operations = [migrations.RunPython(fence, unfence)]
