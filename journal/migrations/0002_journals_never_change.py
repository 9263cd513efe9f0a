"""The database refuses to change or delete journals, their sales and their log, and what SAP has been told.

SQLite drops a table's triggers with the table: a later migration that makes Django rebuild one of these has to run
``fence()`` again. The triggers name no table but their own, or SQLite could not rebuild the other either.
"""

from django.db import migrations

WRITTEN_ONCE = ("journal_journal", "journal_journalsale", "journal_attempt")
FINAL = "('posted', 'reversing', 'reversal_unknown', 'reversed', 'nothing_to_post')"

# What no revision may become. Its lines may be made anew only while SAP surely has nothing of it.
FORBIDDEN = f"""
    NEW.tenant_id <> OLD.tenant_id OR NEW.journal_id <> OLD.journal_id OR NEW.revision <> OLD.revision
    OR NEW.reference <> OLD.reference OR NEW.created_at <> OLD.created_at
    OR (OLD.state NOT IN ('draft', 'blocked', 'failed') AND (NEW.lines <> OLD.lines OR NEW.flavor <> OLD.flavor))
    OR (OLD.state IN {FINAL} AND (
        NEW.state NOT IN {FINAL} OR NEW.sap_key <> OLD.sap_key OR NEW.sap_number <> OLD.sap_number
        OR NEW.posted_at <> OLD.posted_at
        OR (NEW.state = 'nothing_to_post' AND OLD.state <> 'nothing_to_post')
    ))
    OR (OLD.state IN ('reversed', 'nothing_to_post') AND NEW.state <> OLD.state)
    OR (OLD.reversal_number <> '' AND NEW.reversal_number <> OLD.reversal_number)
    OR NEW.reversed_at <> OLD.reversed_at
"""

POSTGRESQL = f"""
CREATE FUNCTION journal_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are written once.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION journal_revision_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {FORBIDDEN} THEN
        RAISE EXCEPTION 'What SAP was told is not changed.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_revision_is_final BEFORE UPDATE ON journal_revision
    FOR EACH ROW EXECUTE FUNCTION journal_revision_is_final();
CREATE TRIGGER journal_revision_no_delete BEFORE DELETE ON journal_revision
    FOR EACH ROW EXECUTE FUNCTION journal_written_once();
""" + "".join(
    f"""
CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION journal_written_once();
"""
    for table in WRITTEN_ONCE
)
POSTGRESQL_BACK = "".join(f"DROP TRIGGER {table}_written_once ON {table};\n" for table in WRITTEN_ONCE) + """
DROP TRIGGER journal_revision_no_delete ON journal_revision;
DROP TRIGGER journal_revision_is_final ON journal_revision;
DROP FUNCTION journal_revision_is_final();
DROP FUNCTION journal_written_once();
"""


def sqlite_triggers():
    for table in WRITTEN_ONCE:
        for deed in ("update", "delete"):
            yield f"{table}_no_{deed}", f"BEFORE {deed.upper()} ON {table}", f"Rows of {table} are written once."
    yield "journal_revision_no_delete", "BEFORE DELETE ON journal_revision", "Revisions are kept."
    when = f"BEFORE UPDATE ON journal_revision WHEN {FORBIDDEN}"
    yield "journal_revision_is_final", when, "What SAP was told is not changed."


def fence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, None)
        return
    for name, when, sentence in sqlite_triggers():
        schema_editor.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{sentence}'); END")


def unfence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, None)
        return
    for name, _, _ in sqlite_triggers():
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):

    dependencies = [
        ('journal', '0001_first'),
    ]

    operations = [migrations.RunPython(fence, unfence)]
