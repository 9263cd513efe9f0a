"""A close is written once: by no way of the application, and by none into the database, is it changed or deleted."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from kasse.closing_models import ClosedSale, DailyClose
from kasse.models import Source
from tenants.models import Tenant
from tenants.written_once import WrittenOnce
from tests.kasse.selling import close, sell

TABLES = (DailyClose, ClosedSale)


@pytest.fixture
def closed(seeblick: Tenant) -> DailyClose:
    """A day with two sales."""
    sell(seeblick, "12.50")
    sell(seeblick, "5.50", source=Source.EXTERNAL_POS)
    return close(seeblick, counted="12.50")


def rows() -> list[dict[str, Any]]:
    return [dict(row) for model in TABLES for row in model._base_manager.order_by("pk").values()]


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


class TestAClose:
    @pytest.mark.parametrize("model", TABLES)
    @pytest.mark.parametrize(
        "deed",
        [
            lambda manager: manager.update(tenant=1),
            lambda manager: manager.all().update(tenant=1),
            lambda manager: manager.all().delete(),
            lambda manager: manager.bulk_update([], ["tenant"]),
            lambda manager: manager.all().bulk_update([], ["tenant"]),
            lambda manager: manager.update_or_create(tenant=1),
            lambda manager: manager.filter().update_or_create(tenant=1),
        ],
    )
    def test_is_offered_no_way_to_be_changed(
        self, closed: DailyClose, model: type[models.Model], deed: Callable[[Any], Any]
    ) -> None:
        before = rows()

        with pytest.raises(WrittenOnce):
            deed(model._default_manager)
        assert rows() == before

    @pytest.mark.parametrize("model", TABLES)
    def test_is_kept_by_the_database_from_a_row_that_is_saved_or_deleted(
        self, closed: DailyClose, model: type[models.Model]
    ) -> None:
        before = rows()
        row = model._default_manager.all()[0]

        for deed in (row.save, row.delete):
            with pytest.raises((IntegrityError, models.ProtectedError)), transaction.atomic():
                deed()
        assert rows() == before

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE kasse_dailyclose SET variance_reason = 'anders'",
            "UPDATE kasse_dailyclose SET variance_reason = variance_reason",
            "UPDATE kasse_closedsale SET position = position + 10",
            "DELETE FROM kasse_closedsale",
            "DELETE FROM kasse_dailyclose",
        ],
    )
    def test_is_kept_by_the_database_from_whoever_writes_into_it(self, closed: DailyClose, statement: str) -> None:
        before = rows()

        with pytest.raises(IntegrityError, match="written once"):
            run(statement)
        assert rows() == before

    @pytest.mark.sqlite
    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT OR REPLACE INTO kasse_dailyclose SELECT * FROM kasse_dailyclose",
            "REPLACE INTO kasse_dailyclose SELECT * FROM kasse_dailyclose",
            "INSERT OR REPLACE INTO kasse_closedsale SELECT * FROM kasse_closedsale",
            "UPDATE OR REPLACE kasse_closedsale SET position = 1",
        ],
    )
    def test_is_not_replaced_either(self, closed: DailyClose, waldrand: Tenant, statement: str) -> None:
        """SQLite would delete the row in the way, and fire no trigger that refuses to delete."""
        close(waldrand)
        before = rows()

        with pytest.raises(IntegrityError, match="written once"):
            run(statement)
        assert rows() == before

    @pytest.mark.sqlite
    @pytest.mark.parametrize("column", ["id", "business_date", "z_number"])
    def test_is_not_replaced_by_a_row_that_shares_but_one_thing_with_it(self, closed: DailyClose, column: str) -> None:
        fields = {field.attname: f'"{field.column}"' for field in DailyClose._meta.concrete_fields}
        other = {**fields, "id": "id + 1", "business_date": "'2026-05-02'", "z_number": "z_number + 1"}
        values = {**other, column: fields[column]}
        before = rows()

        with pytest.raises(IntegrityError, match="written once"):
            run(
                f"INSERT OR REPLACE INTO kasse_dailyclose ({', '.join(fields.values())}) "
                f"SELECT {', '.join(values.values())} FROM kasse_dailyclose"
            )
        assert rows() == before

    @pytest.mark.postgresql
    @pytest.mark.parametrize(
        "tables", ["kasse_closedsale", "kasse_closedsale, kasse_dailyclose CASCADE", "kasse_transaction CASCADE"]
    )
    def test_is_not_emptied_away(self, closed: DailyClose, tables: str) -> None:
        before = rows()
        connection.check_constraints()

        with pytest.raises(IntegrityError, match="written once"):
            run(f"TRUNCATE {tables}")
        assert rows() == before

    def test_is_not_written_over_by_an_upsert(self, closed: DailyClose, seeblick: Tenant) -> None:
        before = rows()
        closed.variance_reason = "anders"

        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            DailyClose.objects.bulk_create(
                [closed],
                update_conflicts=True,
                unique_fields=["tenant", "business_date"],
                update_fields=["variance_reason"],
            )
        assert rows() == before

    @pytest.mark.parametrize("position", [0, 1, 2, 3])
    def test_takes_no_further_sale(self, closed: DailyClose, seeblick: Tenant, position: int) -> None:
        late = sell(seeblick)

        with pytest.raises(IntegrityError), transaction.atomic():
            ClosedSale.objects.create(tenant=seeblick, close=closed, transaction_id=late, position=position)
        assert ClosedSale.objects.count() == 2

    def test_takes_no_sale_of_a_neighbour(self, closed: DailyClose, seeblick: Tenant, waldrand: Tenant) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            ClosedSale.objects.create(tenant=waldrand, close=closed, transaction_id=sell(waldrand), position=1)

    def test_is_followed_by_the_next(self, closed: DailyClose, waldrand: Tenant) -> None:
        assert close(waldrand).z_number == 1

    @pytest.mark.parametrize(
        ("constraint", "changes"),
        [
            ("daily_close_variance_adds_up", {"variance": Decimal("0.05")}),
            ("daily_close_variance_has_a_reason", {"counted_amount": 13, "variance": Decimal("0.50")}),
            ("daily_close_float_was_counted", {"float_left": Decimal("12.55")}),
            ("daily_close_float_was_counted", {"float_left": Decimal("-0.05")}),
            ("daily_close_z_number_from_one", {"z_number": 0}),
            ("daily_close_z_number_once", {"business_date": "2026-05-01"}),
            ("daily_close_once_per_day", {"z_number": 2}),
        ],
    )
    def test_adds_up_or_is_not_stored(self, closed: DailyClose, constraint: str, changes: dict[str, Any]) -> None:
        fields = {field.name: getattr(closed, field.name) for field in DailyClose._meta.fields if field.name != "id"}
        own_day = {"business_date": "2026-05-02", "z_number": 7, "variance_reason": ""}
        unique = {"daily_close_z_number_once": "business_date", "daily_close_once_per_day": "z_number"}
        kept = {name: value for name, value in own_day.items() if constraint not in unique or name == "variance_reason"}

        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            DailyClose.objects.create(**{**fields, **kept, **changes})
        # SQLite asks first whether a row is in that place.
        named = constraint in str(refused.value)
        assert named or (constraint in unique and "Rows of kasse_dailyclose are written once" in str(refused.value))


@pytest.mark.django_db(transaction=True)
class TestTheFence:
    def test_is_taken_down_and_put_up_again_by_its_migration(self) -> None:
        call_command("migrate", "kasse", "0005_daily_close", verbosity=0)
        try:
            run("DELETE FROM kasse_dailyclose")
        finally:
            call_command("migrate", "kasse", verbosity=0)
        seeblick = Tenant.objects.create(slug="seeblick", name="Camping Seeblick")
        close(seeblick)

        with pytest.raises(IntegrityError, match="written once"):
            run("DELETE FROM kasse_dailyclose")

    @pytest.mark.parametrize("time", ["once", "and again"])
    def test_lets_tests_begin_with_empty_tables(self, seeblick: Tenant, time: str) -> None:
        assert not DailyClose.objects.exists()
        sell(seeblick)
        close(seeblick)
