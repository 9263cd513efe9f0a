"""Roles of PostgreSQL: who owns the tables, who serves, who reads; and the policies that make the second fence.

====================  ====================================================================================
the owner             runs ``migrate``, ``create_roles`` and ``prune``; the fence does not hold it
the service's role    SELECT and INSERT, few tables to UPDATE or DELETE, rows of the campground it stands in
the reader            SELECT of all campgrounds' rows; no column that opens anything
====================  ====================================================================================

All of it is read off the models and made anew each time, so it is run after every ``migrate``: a new table is nobody's
but the owner's until then. Without roles, one role owns the tables and serves, and no fence stands in its way.

Tills sell meanwhile: a fence locks its table for a moment, so each is put up in a transaction of its own, and left
alone where it stands as it should. Rights come last: nobody has any in a table without a fence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import md5

from django.apps import apps
from django.db import connection, transaction
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

AS_IT_STANDS = """
    SELECT polname, obj_description(p.oid, 'pg_policy'), md5(concat_ws(' ', polcmd, polpermissive,
        polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)))
    FROM pg_policy AS p JOIN pg_class ON pg_class.oid = polrelid
    WHERE relrowsecurity AND relname = %s AND pg_table_is_visible(polrelid)
"""
"""Each policy's name, its comment, and what it comes to in PostgreSQL's words, which are not ours."""

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
    """Make both roles, put up the fence, and give them what they may; nothing is lost if they are there.

    Whatever is cut off leaves each table with its old fence or with its new one, and can be done again.

    Raises:
        Unfit: one is above the fence, or both are the same.
    """
    if app == reader:
        raise Unfit(f"{app} cannot be both: whoever reads for reports reads all campgrounds' rows.")
    with connection.cursor() as cursor:
        cursor.execute(ABOVE_THE_FENCE, [[app, reader], Tenant._meta.db_table])
        for (name,) in cursor.fetchall():
            raise Unfit(f"No fence holds {name}: it owns the tables, is a superuser, or bypasses row level security.")
    _execute(_roles(app, reader))
    for model in fenced_models():
        _execute(_fence(model, reader))
    _execute(_rights(app, reader))


def _execute(statements: Iterator[sql.Composed]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
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


def _fence(model: type[Model], reader: str) -> Iterator[sql.Composed]:
    """Nothing where it stands: with each policy is noted of which rule it was made, and what that came to."""
    rules = {name: sql.SQL(rule).format(reader=sql.Identifier(reader)) for name, rule in policies_of(model).items()}
    if {name: note for name, note, _ in _standing(model)} == _notes(model, rules):
        return
    yield sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(_table(model))
    for name, rule in rules.items():
        yield sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(sql.Identifier(name), _table(model))
        yield sql.SQL("CREATE POLICY {} ON {} {}").format(sql.Identifier(name), _table(model), rule)
    for name, note in _notes(model, rules).items():
        policy = sql.SQL("{} ON {}").format(sql.Identifier(name), _table(model))
        yield sql.SQL("COMMENT ON POLICY {} IS {}").format(policy, sql.Literal(note))


def _notes(model: type[Model], rules: dict[str, sql.Composed]) -> dict[str, str]:
    """What has to be noted with each policy."""
    worded = {name: worded for name, _, worded in _standing(model)}
    return {name: f"{_sum(rule)} {worded.get(name)}" for name, rule in rules.items()}


def _sum(rule: sql.Composed) -> str:
    return md5(rule.as_string(None).encode(), usedforsecurity=False).hexdigest()


def _standing(model: type[Model]) -> list[tuple[str, str | None, str]]:
    with connection.cursor() as cursor:
        cursor.execute(AS_IT_STANDS, [model._meta.db_table])
        return list(cursor.fetchall())


def policies_of(model: type[Model]) -> dict[str, str]:
    """The rules of a fenced table, by name."""
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
    return policies


def _table(model: type[Model]) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)
