"""What every test may ask for: a campground, its neighbour, their keys, and a till for each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQL
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite
from django.utils import translation

from apikeys.hashing import ApiKeyHasher
from apikeys.minting import Minted
from pos_bridge import floods
from tenants.models import Narrowed, Tenant
from tenants.rehearsals import open_rehearsal
from tests.factories import TenantFactory, mint
from tests.till import Till

DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}
OF_TRUNCATE = 32
"""In ``pg_trigger.tgtype``."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what belongs to the other engine; what asks for no database runs once, beside SQLite."""
    on_sqlite = "sqlite" in settings.DATABASES["default"]["ENGINE"]
    other = "postgresql" if on_sqlite else "sqlite"
    items[:] = [
        item
        for item in items
        if item.get_closest_marker(other) is None
        and (on_sqlite or asks_for_a_database(item) or is_for_postgresql(item))
    ]


def asks_for_a_database(item: pytest.Item) -> bool:
    """Whether a test can tell one engine from the other."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & DATABASE_FIXTURES)


def is_for_postgresql(item: pytest.Item) -> bool:
    """Whether a test starts a PostgreSQL of its own."""
    return item.get_closest_marker("postgresql") is not None


@pytest.fixture
def full_hashes() -> None:
    """Asked for by tests of hashing itself: tokens hash at their full cost."""


@pytest.fixture(autouse=True)
def in_german() -> None:
    """As a request finds it: the language that the last one has left in the thread does not stay for the next test."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def quick_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are hashed as ever, over less memory: at 8 MiB, minting keys would be a tenth of the whole suite.

    A real server keeps the full cost, and would renew what it finds cheaper; so do the tests that speak with one.
    """
    if not {"full_hashes", "server_of_this_run"} & set(request.fixturenames):
        monkeypatch.setattr(ApiKeyHasher, "memory_cost", 64)


@pytest.fixture(autouse=True)
def no_flood_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process knows of floods is of rows that another test had; what it counts is written at once."""
    floods._known.clear()
    floods._counted.clear()
    monkeypatch.setattr(floods, "write_later", floods.write_counts)
    monkeypatch.setattr(floods, "SECONDS_HELD_UP", 0)


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """What a process has learnt of tills is of rows that another test had."""
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def tests_look_everywhere() -> Iterator[None]:
    """A test may ask for everybody's rows, the code under test may not: it is refused here as it is anywhere."""
    refused = Narrowed.__getattr__

    def asked(narrowed: Narrowed, name: str) -> Any:
        by_a_test = sys._getframe(1).f_globals["__name__"].startswith(("tests.", "bench."))
        return getattr(narrowed.manager, name) if by_a_test else refused(narrowed, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Narrowed, "__getattr__", asked)
        yield


@pytest.fixture(autouse=True, scope="session")
def flushing_passes_the_fences() -> Iterator[None]:
    """Emptying the tables between tests takes triggers away for that moment, and puts them back.

    Without this no test that commits could close a day, for nobody can delete a close.
    """
    on_sqlite, on_postgresql = SQLite.ops_class.sql_flush, PostgreSQL.ops_class.sql_flush

    def without_triggers(operations: Any, *args: Any, **kwargs: Any) -> list[str]:
        triggers = rows(operations, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        emptied = on_sqlite(operations, *args, **kwargs)
        return [*(f'DROP TRIGGER "{name}"' for name, _ in triggers), *emptied, *(made for _, made in triggers)]

    def with_triggers_off(operations: Any, *args: Any, **kwargs: Any) -> list[str]:
        triggers = rows(
            operations, f"SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgtype & {OF_TRUNCATE} > 0"
        )
        off, on = (
            [f"ALTER TABLE {table} {word} TRIGGER {name}" for table, name in triggers] for word in ("DISABLE", "ENABLE")
        )
        return [*off, *on_postgresql(operations, *args, **kwargs), *on]

    def rows(operations: Any, question: str) -> list[tuple[str, str]]:
        with operations.connection.cursor() as cursor:
            cursor.execute(question)
            return list(cursor.fetchall())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLite.ops_class, "sql_flush", without_triggers)
        patch.setattr(PostgreSQL.ops_class, "sql_flush", with_triggers_off)
        yield


@pytest.fixture
def seeblick(db: None) -> Tenant:
    """The campground whose till this is."""
    return TenantFactory.create(slug="seeblick", name="Camping Seeblick")


@pytest.fixture
def waldrand(db: None) -> Tenant:
    """The neighbour, who must never see or feel anything of it."""
    return TenantFactory.create(slug="waldrand", name="Camping Waldrand")


@pytest.fixture
def key(seeblick: Tenant) -> Minted:
    """A key of Seeblick with both scopes and no budget."""
    return mint(seeblick)


@pytest.fixture
def till(key: Minted, waldrand: Tenant) -> Till:
    """Seeblick's till; the neighbour is always in the room."""
    return Till(key.token)


@pytest.fixture
def stage(seeblick: Tenant) -> Tenant:
    """Seeblick's rehearsal, where nothing counts."""
    return open_rehearsal(seeblick)


@pytest.fixture
def trial(stage: Tenant) -> Minted:
    """A test key of Seeblick with both scopes and no budget."""
    return mint(stage, name="Shop till, trying out")


@pytest.fixture
def trying(trial: Minted, waldrand: Tenant) -> Till:
    """The till that tries out."""
    return Till(trial.token)


@pytest.fixture
def neighbours_till(waldrand: Tenant) -> Till:
    """Waldrand's till, with both scopes."""
    return Till(mint(waldrand, name="Waldrand kiosk").token)
