"""Who changed what. The database refuses to change or delete a line of it.

SQLite drops a table's triggers with the table: a later migration that makes Django rebuild it has to run ``fence()``
again.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

POSTGRESQL = """
CREATE FUNCTION tenants_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are written once.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER tenants_trace_written_once BEFORE UPDATE OR DELETE ON tenants_trace
    FOR EACH ROW EXECUTE FUNCTION tenants_written_once();
CREATE TRIGGER tenants_trace_never_emptied BEFORE TRUNCATE ON tenants_trace
    FOR EACH STATEMENT EXECUTE FUNCTION tenants_written_once();
"""
POSTGRESQL_BACK = """
DROP TRIGGER tenants_trace_never_emptied ON tenants_trace;
DROP TRIGGER tenants_trace_written_once ON tenants_trace;
DROP FUNCTION tenants_written_once();
"""


def fence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, None)
        return
    for deed in ("update", "delete"):
        schema_editor.execute(
            f"CREATE TRIGGER tenants_trace_no_{deed} BEFORE {deed.upper()} ON tenants_trace "
            "BEGIN SELECT RAISE(ABORT, 'Rows of tenants_trace are written once.'); END"
        )


def unfence(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, None)
        return
    for deed in ("update", "delete"):
        schema_editor.execute(f"DROP TRIGGER tenants_trace_no_{deed}")


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0003_second_factor'),
    ]

    operations = [
        migrations.CreateModel(
            name='Trace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('deed', models.CharField(max_length=40)),
                ('subject', models.CharField(max_length=200)),
                ('by_name', models.CharField(max_length=150)),
                ('remote_address', models.CharField(blank=True, max_length=64)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('facts', models.JSONField(default=dict)),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', '-id'], name='trace_newest_first')],
                'constraints': [models.CheckConstraint(condition=models.Q(('deed', ''), _negated=True), name='trace_says_the_deed')],
            },
        ),
        migrations.RunPython(fence, unfence),
    ]
