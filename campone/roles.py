"""Roles of PostgreSQL: who owns the tables, who serves, who reads; and the policies that make the second fence.

====================  ====================================================================================
the owner             runs ``migrate``, ``create_roles`` and ``prune``; the fence does not hold it
the service's role    SELECT and INSERT, few tables to UPDATE or DELETE, rows of the campground it stands in
the reader            SELECT of all campgrounds' rows; no column that opens anything
====================  ====================================================================================

All of it is read off the models and made anew each time, so it is run after every ``migrate``: a new table is nobody's
but the owner's until then. Without roles, one role owns the tables and serves, and no fence stands in its way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.apps import apps
from django.db import connection
from django.db.models import Model
from psycopg import sql

from adapters.models import Connection
from apikeys.models import ApiKey
from catalogue.models import VatRate
from pos_bridge.models import BridgeSettings, BudgetSlot, BudgetTotal, InboundCall
from tenants.models import Membership, Tenant
from tenants.written_once import WrittenOnceManager

# How many calls a key has made is nothing to find anybody by, and is counted before the fence of its statement is up.
# A membership is what tells in which campground a person stands.
UNFENCED: tuple[type[Model], ...] = (Membership, BudgetSlot, BudgetTotal)
# What a caller is recognised by, read before it is known who calls: by a token's prefix, or an address's digest.
FOUND_FIRST: tuple[type[Model], ...] = (ApiKey, BridgeSettings, VatRate, Connection)
KEPT: tuple[type[Model], ...] = (ApiKey, InboundCall)
"""Changed, and not deleted, as if they were written once: keys are revoked, and the log is the owner's to prune."""
UNTOUCHED: tuple[type[Model], ...] = (Tenant,)
"""Switched off, and never deleted."""
OPENS_SOMETHING = re.compile(r"hash|sealed|digest|secret|password|token")

WHERE = "current_setting('app.tenant', true)"
LISTED = f"string_to_array(NULLIF({WHERE}, '*'), ',')::bigint[]"
# Asked once for a statement, not for each row.
SEEN = f"(SELECT {WHERE}) = '*' OR tenant_id = ANY ((SELECT {LISTED})::bigint[])"
WRITTEN = f"{WHERE} = '*' OR tenant_id = ANY ({LISTED})"
NOWHERE = f"(SELECT coalesce({WHERE}, '')) = ''"

ABOVE_THE_FENCE = """
    SELECT rolname FROM pg_roles WHERE rolname = ANY (%s) AND (rolsuper OR rolbypassrls OR pg_has_role(
        oid, (SELECT relowner FROM pg_class WHERE relname = %s AND pg_table_is_visible(oid)), 'MEMBER'))
"""

PATIENCE = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",
    "search_path": "public",
}


def fenced_models() -> list[type[Model]]:
    """Every model whose rows are a campground's."""
    owned = [model for model in apps.get_models() if any(field.name == "tenant" for field in model._meta.fields)]
    return [model for model in owned if model not in UNFENCED and model._meta.managed]


class Unfit(Exception):
    """A role that no fence would hold."""


def make_roles(*, app: str, reader: str) -> None:
    """Make both roles, give them what they may, and put up the fence; nothing is lost if they are there.

    Raises:
        Unfit: one is above the fence, or both are the same.
    """
    if app == reader:
        raise Unfit(f"{app} cannot be both: whoever reads for reports reads all campgrounds' rows.")
    with connection.cursor() as cursor:
        cursor.execute(ABOVE_THE_FENCE, [[app, reader], Tenant._meta.db_table])
        for (name,) in cursor.fetchall():
            raise Unfit(f"No fence holds {name}: it owns the tables, is a superuser, or bypasses row level security.")
        for statement in (*_roles(app, reader), *_rights(app, reader), *_fence(reader)):
            cursor.execute(statement)


def _roles(app: str, reader: str) -> Iterator[sql.Composed]:
    known = "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)"
    with connection.cursor() as cursor:
        cursor.execute(known, [[app, reader]])
        there = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT current_database()")
        database = sql.Identifier(cursor.fetchone()[0])
    for meant in (app, reader):
        role = sql.Identifier(meant)
        if meant not in there:
            yield sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(role)
        for name, value in PATIENCE.items():
            yield sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                role, database, sql.Identifier(name), sql.Literal(value)
            )
        yield sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role)
        yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role)
    yield sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC").format()


def _rights(app: str, reader: str) -> Iterator[sql.Composed]:
    both = sql.SQL(", ").join(map(sql.Identifier, (app, reader)))
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(both)
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed:
            yield _grant(rights_of(model), model, app)
    yield sql.SQL("GRANT SELECT ON django_migrations TO {}").format(both)
    yield sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(sql.Identifier(app))
    readable: list[type[Model]] = [*fenced_models(), Tenant]
    for model in readable:
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in readable_columns(model))
        yield _grant(sql.SQL("SELECT ({})").format(columns), model, reader)


def rights_of(model: type[Model]) -> sql.SQL:
    """What the service may do with a table; of those that are kept, a policy lets it delete rehearsals' rows alone."""
    if model in UNTOUCHED:
        return sql.SQL("SELECT, INSERT, UPDATE")
    return sql.SQL("SELECT, INSERT, DELETE" if is_written_once(model) else "SELECT, INSERT, UPDATE, DELETE")


def is_written_once(model: type[Model]) -> bool:
    """Whether the application itself refuses to change its rows."""
    return isinstance(model._default_manager, WrittenOnceManager)


def readable_columns(model: type[Model]) -> list[str]:
    """The columns for a reader: without hashes, sealed secrets and digests."""
    return [field.column for field in model._meta.concrete_fields if not OPENS_SOMETHING.search(field.column)]


def _grant(rights: sql.Composable, model: type[Model], role: str) -> sql.Composed:
    return sql.SQL("GRANT {} ON {} TO {}").format(rights, _table(model), sql.Identifier(role))


def _fence(reader: str) -> Iterator[sql.Composed]:
    for model in fenced_models():
        yield sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(_table(model))
        policies = {
            "own_rows": f"USING ({SEEN}) WITH CHECK ({WRITTEN})",
            "all_rows_to_read": "FOR SELECT TO {reader} USING (true)",
        }
        if is_written_once(model) or model in KEPT:
            policies["kept"] = "AS RESTRICTIVE FOR DELETE USING (tenant_id < 0)"
        if model in FOUND_FIRST:
            policies["found_first"] = f"FOR SELECT USING ({NOWHERE})"
        if model is InboundCall:
            policies["of_nobody"] = "FOR INSERT WITH CHECK (tenant_id IS NULL)"
        for name, rule in policies.items():
            yield sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(sql.Identifier(name), _table(model))
            made = sql.SQL(rule).format(reader=sql.Identifier(reader))
            yield sql.SQL("CREATE POLICY {} ON {} {}").format(sql.Identifier(name), _table(model), made)


def _table(model: type[Model]) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)
