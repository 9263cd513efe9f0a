from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max, Min, Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalogue.exact_decimals import LARGEST, ExactDecimalField, MoneyField
from catalogue.models import Product
from kasse.models import PaymentMethod, Source, TransactionItem
from kasse.recording import record_transaction
from kasse.sales import NewItem, NewPayment, NewSale
from tenants.models import Tenant
from tests.factories import NOON, ProductFactory
from tests.kasse.rewriting import triggers_asleep

# Each example changes one row and reads it again; what an earlier one has left does not matter.
ONE_ROW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)


def exact(places: int) -> st.SearchStrategy[Decimal]:
    """Every number that a column with so many places holds."""
    return st.integers(-LARGEST, LARGEST).map(lambda units: Decimal(units).scaleb(-places))


@pytest.fixture
def line(seeblick: Tenant) -> TransactionItem:
    """A line in the ledger; its quantity has 3 places, its unit price 4, its total 2."""
    one = Decimal(1)
    sale = NewSale(
        external_ref="seeblick-1",
        payment_method=PaymentMethod.CASH,
        currency="CHF",
        total_amount=one,
        rounding_amount=Decimal(0),
        tip_amount=Decimal(0),
        items=(NewItem(description="Gasflasche", quantity=one, unit_price=one, line_total=one),),
        payments=(NewPayment(method=PaymentMethod.CASH, amount=one),),
        occurred_at=NOON,
    )
    record_transaction(tenant=seeblick, sale=sale, source=Source.EXTERNAL_POS, received_at=NOON)
    return TransactionItem.objects.get()


def kept(name: str, value: Any) -> Decimal:
    """What the real database gives back for ``value``."""
    with triggers_asleep():
        TransactionItem._base_manager.update(**{name: value})
    return Decimal(TransactionItem.objects.values_list(name, flat=True).get())


class TestAnExactDecimal:
    @ONE_ROW
    @given(value=exact(4))
    @example(value=Decimal(LARGEST).scaleb(-4))
    @example(value=Decimal(-LARGEST).scaleb(-4))
    @example(value=Decimal("0.0001"))
    def test_comes_back_as_it_was_stored(self, line: TransactionItem, value: Decimal) -> None:
        stored = kept("unit_price", value)

        assert stored == value
        assert stored.as_tuple().exponent == -4

    @ONE_ROW
    @given(value=exact(2))
    def test_is_found_by_its_value(self, line: TransactionItem, value: Decimal) -> None:
        kept("line_total", value)
        rows = TransactionItem.objects

        assert rows.filter(line_total=value).exists()
        assert rows.filter(line_total__in=[value, 7]).exists()
        assert rows.filter(line_total__gte=value, line_total__lte=value).exists()
        assert not rows.filter(line_total__gt=value).exists()
        assert not rows.exclude(line_total=value).exists()

    @pytest.mark.parametrize("zero", ["-0", "-0.00", "0E+5", "-0E-9", "0.0000"])
    def test_of_minus_zero_is_zero(self, line: TransactionItem, zero: str) -> None:
        assert str(kept("line_total", Decimal(zero))) == "0.00"
        assert str(MoneyField().to_python(zero)) == "0.00"

    @pytest.mark.parametrize(
        ("written", "read"), [(3, "3.00"), ("3.5", "3.50"), (Decimal("3.50000"), "3.50"), (Decimal("2E+1"), "20.00")]
    )
    def test_has_always_its_places(self, line: TransactionItem, written: Any, read: str) -> None:
        assert str(kept("line_total", written)) == read
        assert str(MoneyField().to_python(written)) == read

    @pytest.mark.parametrize(
        "inexact",
        [
            "3.505",
            "0.001",
            "1e-3",
            "3.5000000000000000000000000000000000000001",
            "0." + "0" * 60 + "1",
            "NaN",
            "sNaN",
            "Infinity",
            "-Infinity",
            "1e400",
            "1e999999999999999999",
            "92233720368547758.08",
            "-92233720368547758.08",
            "",
            "three",
            "3,50",
            True,
            0.1 + 0.2,
            float("nan"),
            [],
            date(2026, 4, 29),
        ],
    )
    def test_is_refused_rather_than_rounded(self, line: TransactionItem, inexact: Any) -> None:
        with pytest.raises(ValidationError):
            MoneyField().to_python(inexact)
        with pytest.raises((ValueError, ArithmeticError)), transaction.atomic():
            kept("line_total", inexact)
        with pytest.raises((ValueError, ArithmeticError)):
            TransactionItem.objects.filter(line_total=inexact).exists()

        assert TransactionItem.objects.get().line_total == 1

    def test_reads_a_float_as_it_is_written(self, line: TransactionItem) -> None:
        assert kept("line_total", 0.1) == Decimal("0.10")

    def test_may_be_missing(self, line: TransactionItem) -> None:
        with triggers_asleep():
            TransactionItem._base_manager.update(vat_rate=None)

        assert TransactionItem.objects.get().vat_rate is None
        assert TransactionItem.objects.filter(vat_rate=None).exists()


class TestSums:
    AMOUNTS = [Decimal(rappen * 7919 % 100_000).scaleb(-2) for rappen in range(3000)]

    @pytest.fixture
    def shelf(self, seeblick: Tenant, waldrand: Tenant) -> None:
        """Three thousand prices such as no float can hold."""
        Product.objects.bulk_create(
            Product(tenant=seeblick, sku=f"S{number}", name="Bürli", unit_price=amount, vat_rate=Decimal("2.6"))
            for number, amount in enumerate(self.AMOUNTS)
        )
        ProductFactory.create(tenant=waldrand, unit_price=Decimal("99999.99"))

    def test_are_exact_over_many_rows(self, shelf: None, seeblick: Tenant) -> None:
        found = Product.objects.of(seeblick).aggregate(
            sum=Sum("unit_price"), low=Min("unit_price"), high=Max("unit_price"), vat=Sum("vat_rate")
        )

        assert found == {
            "sum": sum(self.AMOUNTS),
            "low": min(self.AMOUNTS),
            "high": max(self.AMOUNTS),
            "vat": Decimal("7800.00"),
        }
        assert {type(value) for value in found.values()} == {Decimal}

    def test_hold_more_than_a_float_could(self, line: TransactionItem) -> None:
        huge = Decimal("90071992547409.93")
        kept("line_total", huge)

        assert TransactionItem.objects.aggregate(sum=Sum("line_total"))["sum"] == huge
        assert float(huge) * 100 != int(huge * 100)

    def test_of_nothing_are_none(self, seeblick: Tenant) -> None:
        assert Product.objects.of(seeblick).aggregate(sum=Sum("unit_price"))["sum"] is None

    def test_are_in_order(self, shelf: None, seeblick: Tenant) -> None:
        prices = Product.objects.of(seeblick).order_by("unit_price").values_list("unit_price", flat=True)

        assert list(prices) == sorted(self.AMOUNTS)

    def test_are_filtered_by_decimals(self, shelf: None, seeblick: Tenant) -> None:
        between = Product.objects.of(seeblick).filter(unit_price__range=(Decimal("10.00"), Decimal("20.05")))

        assert between.count() == len([amount for amount in self.AMOUNTS if 10 <= amount <= Decimal("20.05")])

    def test_can_be_changed_in_the_database(self, shelf: None, seeblick: Tenant) -> None:
        Product.objects.of(seeblick).update(unit_price=F("unit_price") + F("unit_price"))

        total = Product.objects.of(seeblick).aggregate(sum=Sum("unit_price"))["sum"]
        assert total == 2 * sum(self.AMOUNTS)


class TestInAForm:
    def test_is_a_box_for_decimals(self) -> None:
        box = MoneyField(verbose_name="price").formfield()

        assert isinstance(box, forms.DecimalField)
        assert box.clean("3.50") == Decimal("3.50")
        with pytest.raises(ValidationError):
            box.clean("3.505")

    def test_is_written_into_migrations_with_its_places(self) -> None:
        fields: list[tuple[ExactDecimalField[Any, Any], int]] = [(ExactDecimalField(places=4), 4), (MoneyField(), 2)]
        for field, places in fields:
            _name, _path, args, kwargs = field.deconstruct()
            assert type(field)(*args, **kwargs).places == places
