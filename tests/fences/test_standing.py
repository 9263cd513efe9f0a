"""Where one stands, told to PostgreSQL: statement by statement, in transactions, and behind savepoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from apikeys.models import ApiKey
from campone.roles import UNFENCED, fenced_models
from catalogue.models import Product
from kasse.models import Source, Transaction
from kasse.reading import sales_under
from tenants import fence
from tenants.fence import across_tenants, each_within, within
from tenants.models import Membership, Role, Tenant
from tests.factories import ProductFactory, UserFactory, mint
from tests.fences.conftest import APP
from tests.kasse.selling import sell

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ROWS = Product._base_manager


@pytest.fixture
def both(roles: None, seeblick: Tenant, waldrand: Tenant) -> Iterator[tuple[Tenant, Tenant]]:
    """Two campgrounds with a product and a sale each; from now on we are the service's role."""
    for tenant in (seeblick, waldrand):
        ProductFactory.create(tenant=tenant, name=tenant.slug)
        sell(tenant)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {APP}")
    fence.is_standing.cache_clear()
    yield seeblick, waldrand
    fence.leave()
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    fence.is_standing.cache_clear()


def names() -> list[str]:
    return sorted(ROWS.values_list("name", flat=True))


class TestWhoeverAsks:
    def test_finds_nothing_where_nobody_has_said_whose(self, both: tuple[Tenant, Tenant]) -> None:
        assert names() == []
        with transaction.atomic():
            assert names() == []

    def test_finds_what_is_within(self, both: tuple[Tenant, Tenant]) -> None:
        seeblick, waldrand = both

        with within(seeblick):
            assert names() == ["seeblick"]
            with within(waldrand):
                assert names() == ["waldrand"]
            with across_tenants():
                assert names() == ["seeblick", "waldrand"]
            assert names() == ["seeblick"]
        assert names() == []

    def test_finds_the_same_within_a_transaction(self, both: tuple[Tenant, Tenant]) -> None:
        seeblick, waldrand = both

        with within(seeblick), transaction.atomic():
            assert names() == ["seeblick"]
            with within(waldrand):
                assert names() == ["waldrand"]
            assert names() == ["seeblick"]

    def test_is_told_in_the_midst_of_a_transaction(self, both: tuple[Tenant, Tenant]) -> None:
        with transaction.atomic():
            assert names() == []
            with within(both[0]):
                assert names() == ["seeblick"]
            assert names() == []

    def test_stands_there_still_after_a_savepoint_that_is_rolled_back(self, both: tuple[Tenant, Tenant]) -> None:
        with transaction.atomic():
            before = transaction.savepoint()
            with within(both[0]):
                assert names() == ["seeblick"]
                transaction.savepoint_rollback(before)
                assert names() == ["seeblick"]
                within_it = transaction.savepoint()
                with within(both[1]):
                    assert names() == ["waldrand"]
                transaction.savepoint_rollback(within_it)
                assert names() == ["seeblick"]

    def test_goes_on_after_a_statement_that_failed(self, both: tuple[Tenant, Tenant]) -> None:
        with within(both[0]):
            with pytest.raises(ProgrammingError), connection.cursor() as cursor:
                cursor.execute("SELECT nonsense")
            assert names() == ["seeblick"]
            with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT nonsense")
            assert names() == ["seeblick"]

    def test_leaves_nothing_behind_on_the_connection(self, both: tuple[Tenant, Tenant]) -> None:
        with within(both[0]):
            names()

        found = connection.connection.execute("SELECT current_setting('app.tenant', true)").fetchone()
        assert found[0] in {"", None}

    def test_finds_it_while_rows_are_sent(self, both: tuple[Tenant, Tenant]) -> None:
        with within(both[0]):
            sent = each_within(both[0], (each.name for each in ROWS.iterator(chunk_size=1)))
        assert list(sent) == ["seeblick"]

    def test_leaves_nothing_behind_when_nobody_reads_on(self, both: tuple[Tenant, Tenant]) -> None:
        sent = each_within(both[0], (each.name for each in ROWS.iterator(chunk_size=1)))

        assert next(sent) == "seeblick"
        assert names() == []

    def test_finds_nothing_for_a_person_without_a_campground(self, both: tuple[Tenant, Tenant]) -> None:
        with within(both[0]):
            mint(both[0])
        assert ApiKey._base_manager.exists()

        with within():
            assert not ApiKey._base_manager.exists()


class TestWhoeverReadsSalesBack:
    @pytest.fixture
    def reference(self, both: tuple[Tenant, Tenant]) -> str:
        """Under which both campgrounds have a sale from outside."""
        for tenant in both:
            with within(tenant):
                sell(tenant, source=Source.EXTERNAL_POS, reference="T-of-both")
        return "T-of-both"

    def test_puts_up_the_fence_in_the_statement_itself(
        self, both: tuple[Tenant, Tenant], reference: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(fence, "_tell")

        for tenant in both:
            with within(tenant):
                found = sales_under(tenant, [reference, "T-unknown"])
            assert [(each.tenant_id, len(each.sale.items)) for each in found.values()] == [(tenant.pk, 1)]

    @pytest.mark.parametrize("told", ["once", "with a transaction"])
    def test_finds_only_what_is_within(self, both: tuple[Tenant, Tenant], reference: str, told: str) -> None:
        with transaction.atomic() if told == "with a transaction" else nullcontext():
            assert sales_under(both[0], [reference]) == {}
            with within(both[1]):
                assert sales_under(both[0], [reference]) == {}
                assert names() == ["waldrand"]
            with across_tenants():
                assert sales_under(both[0], [reference])[reference].tenant_id == both[0].pk
                assert names() == ["seeblick", "waldrand"]


class TestWhoeverWrites:
    def test_writes_no_row_of_a_neighbour(self, both: tuple[Tenant, Tenant]) -> None:
        with within(both[0]), pytest.raises(ProgrammingError, match="row-level security"):
            ProductFactory.create(tenant=both[1])

    def test_changes_no_row_of_a_neighbour(self, both: tuple[Tenant, Tenant]) -> None:
        with within(both[0]):
            assert ROWS.update(category="changed") == 1

    def test_changes_and_deletes_no_sale(self, both: tuple[Tenant, Tenant]) -> None:
        with within(both[0]):
            assert Transaction.objects.of(both[0])._raw_delete("default") == 0
            with pytest.raises(ProgrammingError, match="permission denied"):
                Transaction._base_manager.update(total_amount=1)
        with across_tenants():
            assert Transaction._base_manager.count() == 2

    def test_is_still_told_what_is_taken(self, both: tuple[Tenant, Tenant]) -> None:
        with within(both[0]), pytest.raises(IntegrityError):
            ProductFactory.create(tenant=both[0], sku=ROWS.get().sku)

    def test_owns_nothing(self, both: tuple[Tenant, Tenant]) -> None:
        for statement in (
            "DROP TABLE kasse_payment",
            "CREATE TABLE ours (id int)",
            "DROP POLICY own_rows ON kasse_payment",
        ):
            with pytest.raises(ProgrammingError), connection.cursor() as cursor:
                cursor.execute(statement)


class TestEveryTable:
    def test_that_has_a_campground_has_its_fence(self, both: tuple[Tenant, Tenant]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity")
            fenced = {name for (name,) in cursor.fetchall()}
            cursor.execute("SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id'")
            owned = {name for (name,) in cursor.fetchall() if not name.startswith("pos_bridge_inboundcall_")}
        assert owned - fenced == {model._meta.db_table for model in UNFENCED}
        assert fenced == {model._meta.db_table for model in fenced_models()}

    def test_tells_a_person_where_they_work(self, both: tuple[Tenant, Tenant]) -> None:
        Membership.objects.create(tenant=both[0], user=UserFactory.create(), role=Role.STAFF)

        assert Membership.objects.get().tenant == both[0]
