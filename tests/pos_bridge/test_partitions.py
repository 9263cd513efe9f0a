"""The activity log by months, on PostgreSQL."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone as django_timezone

from pos_bridge import partitions
from pos_bridge.models import InboundCall, Outcome
from pos_bridge.partitions import DEFAULT, TABLE, Ensured, Month, ensure_partitions, list_partitions
from pos_bridge.retention import forget_old_rows
from tests.races.racing import race
from tests.till import Till, croissants_and_coffee

LATER = datetime(2031, 1, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc)
MOMENT = timedelta(microseconds=1)
JANUARY, FEBRUARY, MARCH, APRIL = (Month(2031, number) for number in (1, 2, 3, 4))


def log_at(*instants: datetime, **fields: Any) -> list[InboundCall]:
    """A row of the activity log for each instant."""
    row: dict[str, Any] = {"method": "GET", "status": 200, "latency_ms": 1, "request_bytes": 0, **fields}
    return [InboundCall.objects.create(at=at, **{"outcome": Outcome.READ, **row}) for at in instants]


def rows_in(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def indexes_of(table: str) -> list[str]:
    """What they are on, whatever they are called."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [table])
        return sorted(definition.partition(" USING ")[2] for (definition,) in cursor.fetchall())


def drop(*months: Month) -> None:
    with connection.cursor() as cursor:
        for month in months:
            cursor.execute(f"DROP TABLE IF EXISTS {month.table}")


class TestAMonth:
    @pytest.mark.parametrize(
        ("instant", "table"),
        [
            ("2031-01-31T23:59:59.999999+00:00", f"{TABLE}_2031_01"),
            ("2031-02-01T00:00:00+00:00", f"{TABLE}_2031_02"),
            ("2031-02-01T00:30:00+01:00", f"{TABLE}_2031_01"),
            ("2031-12-31T23:30:00-01:00", f"{TABLE}_2032_01"),
        ],
    )
    def test_is_one_in_utc(self, instant: str, table: str) -> None:
        assert Month.of(datetime.fromisoformat(instant)).table == table

    @pytest.mark.parametrize("month", [Month(2031, 1), Month(2031, 2), Month(2032, 2), Month(2031, 12)])
    def test_ends_where_the_next_begins(self, month: Month) -> None:
        assert Month.of(month.ends - MOMENT) == month
        assert Month.of(month.ends) == month.next


@pytest.mark.sqlite
class TestOnSqlite:
    def test_there_is_nothing_to_make(self, db: None) -> None:
        with CaptureQueriesContext(connection) as asked:
            assert ensure_partitions(now=LATER) == Ensured()
        assert list(asked) == []


@pytest.mark.postgresql
@pytest.mark.django_db
class TestEnsurePartitions:
    def test_makes_this_month_and_the_next_two(self) -> None:
        before = list_partitions()

        assert ensure_partitions(now=LATER) == Ensured(made=(JANUARY, FEBRUARY, MARCH))
        assert list_partitions() == [*before, JANUARY, FEBRUARY, MARCH]

    def test_makes_only_what_is_missing(self) -> None:
        ensure_partitions(now=LATER)

        assert ensure_partitions(now=LATER) == Ensured()
        assert ensure_partitions(now=LATER + MOMENT) == Ensured(made=(APRIL,))

    def test_is_done_by_the_migration_for_today(self, till: Till) -> None:
        till.get("/ping/")

        assert rows_in(DEFAULT) == 0
        assert rows_in(Month.of(InboundCall.objects.get().at).table) == 1

    def test_puts_every_instant_into_its_month(self) -> None:
        ensure_partitions(now=LATER)

        log_at(LATER, LATER + MOMENT, MARCH.ends - MOMENT, MARCH.ends)

        assert [rows_in(each.table) for each in (JANUARY, FEBRUARY, MARCH)] == [1, 1, 1]
        assert rows_in(DEFAULT) == 1

    def test_moves_the_rows_of_a_missed_month_and_no_others(self) -> None:
        rows = log_at(JANUARY.begins - MOMENT, JANUARY.begins, LATER, LATER + MOMENT, LATER + 400 * timedelta(days=1))
        before = list(InboundCall.objects.order_by("pk").values())

        ensure_partitions(now=LATER)

        assert list(InboundCall.objects.order_by("pk").values()) == before
        assert [rows_in(each.table) for each in (JANUARY, FEBRUARY)] == [2, 1]
        assert rows_in(DEFAULT) == len(rows) - 3

    def test_gives_every_partition_the_indexes_of_the_log(self) -> None:
        ensure_partitions(now=LATER)

        assert indexes_of(TABLE) == indexes_of(JANUARY.table) == indexes_of(DEFAULT)
        assert "brin (at)" in indexes_of(TABLE)

    def test_keeps_one_flood_row_for_an_address_and_minute(self) -> None:
        ensure_partitions(now=LATER)
        log_at(LATER, outcome=Outcome.FLOOD, remote_address="203.0.113.9")
        again = InboundCall(
            at=LATER, outcome=Outcome.FLOOD, remote_address="203.0.113.9", status=401, latency_ms=1, request_bytes=0
        )

        InboundCall.objects.bulk_create([again], ignore_conflicts=True)

        assert InboundCall.objects.count() == 1


@pytest.fixture
def quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "TRIES", 2)
    monkeypatch.setattr(partitions, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(partitions, "LOCK_PATIENCE", "50ms")


@pytest.fixture
def months_put_back() -> Iterator[None]:
    """What is made and dropped here is committed, and must not meet other tests."""
    yield
    drop(*list_partitions())
    put_months_back()


def put_months_back() -> None:
    """However long it takes: a vacuum of the default partition may outlast the patience that tills are owed."""
    for _ in range(50):
        if not ensure_partitions(now=django_timezone.now()).missing:
            return
        time.sleep(0.2)
    pytest.fail("The months of today cannot be made.")


@contextmanager
def held_elsewhere(statement: str) -> Iterator[None]:
    """Another connection is in the midst of a transaction that has run ``statement``."""
    begun, end = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
                begun.set()
                end.wait(20)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(20)
    try:
        yield
    finally:
        end.set()
        holder.join()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("months_put_back")
class TestBesideTills:
    def test_a_month_is_made_while_people_read(self) -> None:
        with held_elsewhere(f"SELECT count(*) FROM {Month.of(django_timezone.now()).table}"):
            assert ensure_partitions(now=LATER).made == (JANUARY, FEBRUARY, MARCH)

    def test_two_that_make_the_same_months_take_turns(self) -> None:
        log_at(LATER)

        done = race([lambda: ensure_partitions(now=LATER)] * 4)

        assert sorted(month for each in done for month in each.made) == [JANUARY, FEBRUARY, MARCH]
        assert not any(each.missing for each in done)
        assert rows_in(JANUARY.table) == 1

    def test_no_row_is_lost_while_its_month_is_made(self) -> None:
        """Half of the writers come before the move, half after, and some wait for it."""

        def write() -> Ensured:
            for _ in range(20):
                log_at(LATER)
            return Ensured()

        race([write, write, lambda: ensure_partitions(now=LATER), write])

        assert InboundCall.objects.count() == rows_in(JANUARY.table) == 60

    @pytest.mark.usefixtures("quick_tries")
    def test_a_month_that_cannot_be_made_is_named_and_its_calls_are_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with held_elsewhere(f"LOCK TABLE {DEFAULT} IN ACCESS SHARE MODE"), caplog.at_level(logging.WARNING):
            assert ensure_partitions(now=LATER) == Ensured(missing=(JANUARY, FEBRUARY, MARCH))

        log_at(LATER)
        assert rows_in(DEFAULT) == 1
        assert f"No {JANUARY.table}" in caplog.text
        assert "lock timeout" in caplog.text
        assert ensure_partitions(now=LATER).made == (JANUARY, FEBRUARY, MARCH)
        assert rows_in(JANUARY.table) == 1

    def test_rows_that_would_keep_tills_waiting_stay_where_they_are(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        rows = [InboundCall(at=LATER, status=200, latency_ms=1, request_bytes=0, outcome=Outcome.READ)] * 5000
        InboundCall.objects.bulk_create(rows)
        tried: list[Month] = []
        make = partitions.make_partition

        def watch(cursor: Any, month: Month) -> bool:
            tried.append(month)
            return make(cursor, month)

        # Only here: the months are put back by the same deed.
        with monkeypatch.context() as impatient, caplog.at_level(logging.WARNING):
            impatient.setattr(partitions, "make_partition", watch)
            impatient.setattr(partitions, "MOVE_PATIENCE", "1ms")
            assert JANUARY in ensure_partitions(now=LATER).missing

        assert tried.count(JANUARY) == 1
        assert "statement timeout" in caplog.text
        assert rows_in(DEFAULT) == InboundCall.objects.count() == 5000

    def test_a_role_without_rights_is_told_and_stops_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        with as_role("shop", f"GRANT ALL ON {TABLE} TO shop"), caplog.at_level(logging.WARNING):
            assert ensure_partitions(now=LATER).missing == (JANUARY, FEBRUARY, MARCH)

        assert "No pos_bridge_inboundcall_2031_01" in caplog.text


@contextmanager
def as_role(name: str, *grants: str) -> Iterator[None]:
    """Be someone who does not own the tables."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name}")
        try:
            for grant in grants:
                cursor.execute(grant)
            cursor.execute(f"SET ROLE {name}")
            yield
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute(f"DROP OWNED BY {name}")
            cursor.execute(f"DROP ROLE {name}")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("months_put_back")
class TestForgetting:
    NOW = MARCH.begins + timedelta(days=9, hours=12)
    BOUND = NOW - timedelta(days=20)

    def fill(self) -> None:
        ensure_partitions(now=JANUARY.begins)
        log_at(JANUARY.begins, LATER, FEBRUARY.begins, self.BOUND - MOMENT, self.BOUND, self.NOW)

    def test_drops_a_month_that_is_over_and_cuts_the_one_at_the_bound(self) -> None:
        self.fill()

        assert forget_old_rows(now=self.NOW, log_days=20).calls == 4
        assert JANUARY not in list_partitions()
        assert FEBRUARY in list_partitions()
        assert sorted(InboundCall.objects.values_list("at", flat=True)) == [self.BOUND, self.NOW]

    def test_drops_a_month_in_the_moment_in_which_its_last_row_is_old(self) -> None:
        ensure_partitions(now=JANUARY.begins)
        day = timedelta(days=1)

        forget_old_rows(now=JANUARY.ends + day - MOMENT, log_days=1)
        assert JANUARY in list_partitions()
        forget_old_rows(now=JANUARY.ends + day, log_days=1)
        assert JANUARY not in list_partitions()

    def test_finds_old_rows_in_the_default_partition(self) -> None:
        log_at(JANUARY.begins, self.BOUND - MOMENT, self.BOUND)

        assert forget_old_rows(now=self.NOW, log_days=20).calls == 2
        assert [row.at for row in InboundCall.objects.all()] == [self.BOUND]

    @pytest.mark.usefixtures("quick_tries")
    def test_deletes_row_by_row_what_it_cannot_drop(self, caplog: pytest.LogCaptureFixture) -> None:
        self.fill()

        with held_elsewhere(f"LOCK TABLE {TABLE} IN ROW EXCLUSIVE MODE"), caplog.at_level(logging.WARNING):
            assert forget_old_rows(now=self.NOW, log_days=20).calls == 4

        assert rows_in(JANUARY.table) == 0
        assert f"{JANUARY.table} cannot be dropped" in caplog.text
        assert forget_old_rows(now=self.NOW, log_days=20).calls == 0
        assert JANUARY not in list_partitions()

    def test_waits_for_a_till_and_then_drops(self) -> None:
        self.fill()
        with held_elsewhere(f"LOCK TABLE {TABLE} IN ROW EXCLUSIVE MODE"):
            done = threading.Thread(target=forget, args=[self.NOW])
            done.start()
            done.join(0.3)
            assert done.is_alive()
        done.join()

        assert JANUARY not in list_partitions()


def forget(now: datetime) -> None:
    try:
        forget_old_rows(now=now, log_days=20)
    finally:
        connection.close()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("months_put_back")
class TestThePruneCommand:
    def test_makes_the_months_to_come(self, capsys: pytest.CaptureFixture[str]) -> None:
        latest = list_partitions()[-1]
        drop(latest)

        call_command("prune")

        assert capsys.readouterr().out.startswith(f"Made: {latest.table}.\nForgotten: ")
        assert list_partitions()[-1] == latest

    def test_forgets_first_and_then_fails_if_a_month_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        latest = list_partitions()[-1]
        drop(latest)
        log_at(JANUARY.begins.replace(year=2020))

        def refuse(cursor: Any, month: Month) -> bool:
            raise DatabaseError("permission denied")

        with monkeypatch.context() as patch:
            patch.setattr(partitions, "make_partition", refuse)
            with pytest.raises(CommandError, match=latest.table):
                call_command("prune")

        assert capsys.readouterr().out == "Forgotten: 1 calls, bodies of 0 decided parked sales, 0 test sales.\n"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("months_put_back")
class TestTheMigration:
    def test_carries_every_row_there_and_back(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee())
        log_at(JANUARY.begins.replace(year=2020), JANUARY.begins)
        before = list(InboundCall.objects.order_by("pk").values())

        try:
            migrate_bridge("0003_log_without_foreign_keys")
            assert list(InboundCall.objects.order_by("pk").values()) == before
        finally:
            migrate_bridge(None)

        assert list(InboundCall.objects.order_by("pk").values()) == before
        assert rows_in(DEFAULT) == 0
        assert {Month(2020, 1), JANUARY} < set(list_partitions())
        [after] = log_at(JANUARY.begins)
        assert after.pk == before[-1]["id"] + 1


def migrate_bridge(name: str | None) -> None:
    """To the migration of this name, or to the last."""
    executor = MigrationExecutor(connection)
    leaves = [node for node in executor.loader.graph.leaf_nodes() if node[0] == "pos_bridge"]
    executor.migrate([("pos_bridge", name)] if name else leaves)
