"""Commands of an operator, on either side of the fence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from kasse.models import Transaction
from tenants import fence
from tenants.models import Tenant
from tests.fences.conftest import APP, READER

pytestmark = pytest.mark.django_db(transaction=True)
LOCKED_BY_US = """
    SELECT relation::regclass FROM pg_locks
    WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock' AND relation > 16384
"""


@pytest.mark.postgresql
class TestCreateRoles:
    def test_changes_nothing_the_second_time(self, roles: None) -> None:
        before = policies()

        call_command("create_roles", verbosity=0)

        assert policies() == before

    def test_leaves_a_fence_alone_that_stands(self, roles: None) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            call_command("create_roles", verbosity=0)
            cursor.execute(LOCKED_BY_US)

            assert cursor.fetchall() == []

    def test_mends_a_policy_that_somebody_has_changed(self, roles: None) -> None:
        before = policies()
        with connection.cursor() as cursor:
            cursor.execute("ALTER POLICY own_rows ON kasse_payment USING (true)")

        call_command("create_roles", verbosity=0)

        assert policies() == before

    def test_puts_a_fence_up_again_that_somebody_took_down(self, roles: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE kasse_payment DISABLE ROW LEVEL SECURITY")

            call_command("create_roles", verbosity=0)

            cursor.execute("SELECT relrowsecurity FROM pg_class WHERE relname = 'kasse_payment'")
            assert cursor.fetchone() == (True,)

    def test_gives_a_reader_no_hash(self, roles: None) -> None:
        with connection.cursor() as cursor:
            for column in ("name", "token_hash"):
                cursor.execute(
                    "SELECT has_column_privilege('campone_reader', 'apikeys_apikey', %s, 'SELECT')", [column]
                )
                assert cursor.fetchone() == (column == "name",)

    @pytest.mark.parametrize("name", ['we"ird', "'; DROP TABLE kasse_payment; --", "{role} %s", '"', "Über"])
    def test_takes_any_name_twice(self, roles: None, name: str) -> None:
        with transaction.atomic():
            for _ in range(2):
                call_command("create_roles", app=name, reader=f"{name}2", verbosity=0)
            with connection.cursor() as cursor:
                cursor.execute("SELECT has_table_privilege(%s, 'kasse_payment', 'INSERT')", [name])
                assert cursor.fetchone() == (True,)
            transaction.set_rollback(True)

    @pytest.mark.parametrize("attribute", ["SUPERUSER", "BYPASSRLS", "IN ROLE {owner}"])
    def test_refuses_a_role_that_no_fence_holds(self, roles: None, attribute: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            owner = connection.ops.quote_name(cursor.fetchone()[0])
            cursor.execute(f"CREATE ROLE mighty {attribute.format(owner=owner)}")
            for names in ({"app": "mighty"}, {"reader": "mighty"}):
                with pytest.raises(CommandError, match="mighty"):
                    call_command("create_roles", **names)
            transaction.set_rollback(True)

    def test_refuses_the_owner_and_one_role_for_both(self, roles: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            [owner] = cursor.fetchone()
        for names in ({"app": owner}, {"app": READER}):
            with pytest.raises(CommandError):
                call_command("create_roles", **names)


@pytest.mark.sqlite
def test_sqlite_has_no_roles() -> None:
    with pytest.raises(CommandError, match="SQLite"):
        call_command("create_roles")


@pytest.mark.postgresql
class TestAsTheServicesRole:
    @pytest.fixture(autouse=True)
    def as_the_service(self, roles: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """On every connection, for a command may have another one in the end than it began with."""
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict["OPTIONS"], "assume_role", APP)
            begin_anew()
            yield
        begin_anew()

    def test_prune_says_whose_it_is(self) -> None:
        with pytest.raises(CommandError, match="owner"):
            call_command("prune")

    def test_the_demo_and_what_is_due_are_done(self) -> None:
        call_command("demo", "--days", "2", "--outside-development", verbosity=0)
        call_command("run_due")

        assert not Transaction._base_manager.exists()
        with fence.within(Tenant.objects.get(slug="seeblick")):
            assert Transaction._base_manager.exists()


def begin_anew() -> None:
    """On a new connection, as whoever it is for."""
    connection.close()
    fence.is_standing.cache_clear()


def policies() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2")
        return list(cursor.fetchall())
