from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from catalogue.models import Product, VatRate
from catalogue.vat import SWISS_RATES, add_swiss_rates, rates_on
from tenants.models import Tenant
from tests.factories import ProductFactory

OLD = {"7.7", "2.5", "3.7", "0"}
NEW = {"8.1", "2.6", "3.8", "0"}


def decimals(texts: set[str]) -> frozenset[Decimal]:
    return frozenset(Decimal(text) for text in texts)


class TestTheRatesOfADay:
    @pytest.mark.parametrize(
        ("day", "rates"),
        [
            (date(1999, 12, 31), set()),
            (date(2000, 1, 1), {"0"}),
            (date(2010, 12, 31), {"0"}),
            (date(2011, 1, 1), {"2.5", "0"}),
            (date(2017, 12, 31), {"2.5", "0"}),
            (date(2018, 1, 1), OLD),
            (date(2023, 12, 31), OLD),
            (date(2024, 1, 1), NEW),
            (date(2026, 4, 29), NEW),
            (date(2099, 1, 1), NEW),
        ],
    )
    def test_are_those_that_hold_then(self, seeblick: Tenant, day: date, rates: set[str]) -> None:
        assert rates_on(seeblick, day) == decimals(rates)

    def test_begin_and_end_with_the_first_and_the_last_day(self, seeblick: Tenant) -> None:
        first, last = date(2026, 6, 1), date(2026, 6, 30)
        VatRate.objects.create(tenant=seeblick, rate=Decimal("5.5"), valid_from=first, valid_until=last)

        holding = [Decimal("5.5") in rates_on(seeblick, date(2026, 6, day)) for day in (1, 15, 30)]
        outside = [Decimal("5.5") in rates_on(seeblick, day) for day in (date(2026, 5, 31), date(2026, 7, 1))]

        assert (holding, outside) == ([True] * 3, [False] * 2)

    def test_are_not_the_neighbours(self, seeblick: Tenant, waldrand: Tenant) -> None:
        VatRate.objects.create(tenant=waldrand, rate=Decimal("9.9"), valid_from=date(2020, 1, 1))

        assert rates_on(seeblick, date(2026, 4, 29)) == decimals(NEW)
        assert Decimal("9.9") in rates_on(waldrand, date(2026, 4, 29))


class TestTheSwissRates:
    def test_are_added_once(self, seeblick: Tenant) -> None:
        add_swiss_rates(seeblick)

        assert VatRate.objects.of(seeblick).count() == len(SWISS_RATES)

    def test_leave_alone_what_staff_have_changed(self, seeblick: Tenant) -> None:
        ended = VatRate.objects.of(seeblick).get(rate=Decimal("8.1"))
        ended.valid_until = date(2027, 12, 31)
        ended.save()

        add_swiss_rates(seeblick)

        assert VatRate.objects.of(seeblick).get(rate=Decimal("8.1")).valid_until == date(2027, 12, 31)

    def test_overlap_nowhere(self) -> None:
        for label in {rate[3] for rate in SWISS_RATES}:
            spans = sorted((first, last or date.max) for _rate, first, last, name in SWISS_RATES if name == label)
            assert all(before[1] < after[0] for before, after in pairwise(spans))


class TestAVatRate:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"rate": Decimal("-0.1")},
            {"rate": Decimal("100.01")},
            {"valid_until": date(2025, 12, 31)},
            {"rate": Decimal("8.1"), "valid_from": date(2024, 1, 1)},
        ],
    )
    def test_is_guarded_by_the_form_and_by_the_database(self, seeblick: Tenant, wrong: dict[str, Any]) -> None:
        fields = {"tenant": seeblick, "rate": Decimal("5.5"), "valid_from": date(2026, 1, 1), **wrong}

        with pytest.raises(ValidationError):
            VatRate(**fields).full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            VatRate.objects.create(**fields)

    @pytest.mark.parametrize(("rate", "text"), [("8.1", "8.1 %"), ("0", "0 %"), ("10", "10 %"), ("2.55", "2.55 %")])
    def test_is_shown_without_idle_zeros(self, rate: str, text: str) -> None:
        assert str(VatRate(rate=Decimal(rate))) == text


class TestAProduct:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"sku": ""},
            {"unit_price": Decimal("-0.05")},
            {"vat_rate": Decimal(-1)},
            {"vat_rate": Decimal("100.01")},
            {"sku": "BRO-04"},
        ],
    )
    def test_is_guarded_by_the_form_and_by_the_database(self, seeblick: Tenant, wrong: dict[str, Any]) -> None:
        ProductFactory.create(tenant=seeblick, sku="BRO-04")
        fields = {
            "sku": "BRO-01",
            "name": "Ruchbrot",
            "unit_price": Decimal("3.40"),
            "vat_rate": Decimal("2.6"),
            **wrong,
        }

        with pytest.raises(ValidationError):
            Product(tenant=seeblick, **fields).full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            Product.objects.create(tenant=seeblick, **fields)

    def test_may_have_the_neighbours_sku(self, seeblick: Tenant, waldrand: Tenant) -> None:
        for tenant in (seeblick, waldrand):
            ProductFactory.create(tenant=tenant, sku="BRO-04")

        assert Product.objects.of(seeblick).count() == Product.objects.of(waldrand).count() == 1

    def test_names_itself_by_sku_and_name(self) -> None:
        assert str(Product(sku="BRO-04", name="Croissant")) == "BRO-04 Croissant"
