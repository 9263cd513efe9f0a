from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pos_bridge.models import BridgeSettings
from tenants.models import Tenant
from tests.contract.sales import faults_of, gas_bottle, new_sale, nothing_is_stored
from tests.factories import ProductFactory
from tests.till import Till, body_of

SUMMER_2023 = "2023-07-15T12:00:00Z"
LAST_EVENING_OF_2023 = "2023-12-31T22:59:59Z"
FIRST_NIGHT_OF_2024 = "2023-12-31T23:00:00Z"


def rate_of(till: Till, occurred_at: str = "2026-04-29T08:14:32Z", **line: Any) -> Any:
    """The VAT rate with which a line is stored."""
    answer = till.post(new_sale(total_amount="68.00", items=[gas_bottle(**line)], occurred_at=occurred_at))
    return body_of(till.read_back(body_of(answer)["external_ref"]))["items"][0]["vat_rate"]


@pytest.fixture
def gas(seeblick: Tenant) -> None:
    """Gas bottles at the normal rate of today."""
    ProductFactory.create(tenant=seeblick, sku="GAS-5", vat_rate=Decimal("8.1"))


class TestTheVatRateOfALine:
    @pytest.mark.parametrize(
        ("sent", "stored"), [("8.1", "8.10"), ("8.10", "8.10"), ("2.6", "2.60"), ("3.8", "3.80"), ("0", "0.00")]
    )
    def test_is_the_one_sent(self, till: Till, gas: None, sent: str, stored: str) -> None:
        assert rate_of(till, vat_rate=sent, sku="GAS-5") == stored

    @pytest.mark.parametrize("sent", [None, ...])
    def test_that_is_not_sent_is_the_products(self, till: Till, gas: None, sent: Any) -> None:
        assert rate_of(till, vat_rate=sent, sku="GAS-5") == "8.10"

    def test_of_a_product_that_is_switched_off_still_counts(self, till: Till, seeblick: Tenant) -> None:
        ProductFactory.create(tenant=seeblick, sku="GAS-11", vat_rate=Decimal("8.1"), active=False)

        assert rate_of(till, sku="GAS-11") == "8.10"

    @pytest.mark.parametrize("sku", ["", "UNKNOWN", "gas-5", None])
    def test_without_a_product_is_the_cards_default(self, till: Till, gas: None, seeblick: Tenant, sku: Any) -> None:
        BridgeSettings.objects.create(tenant=seeblick, default_vat_rate=Decimal("2.6"))

        assert rate_of(till, sku=sku) == "2.60"
        assert rate_of(till, sku="GAS-5") == "8.10"
        assert rate_of(till, sku="GAS-5", vat_rate="3.8") == "3.80"

    def test_that_nobody_knows_is_unknown(self, till: Till, gas: None) -> None:
        assert rate_of(till) is None
        assert rate_of(till, sku="UNKNOWN") is None

    def test_is_never_the_neighbours(self, till: Till, waldrand: Tenant) -> None:
        ProductFactory.create(tenant=waldrand, sku="KEBAB", vat_rate=Decimal("2.6"))
        BridgeSettings.objects.create(tenant=waldrand, default_vat_rate=Decimal("8.1"))

        assert rate_of(till, sku="KEBAB") is None

    def test_is_found_for_each_line_by_itself(self, till: Till, gas: None, seeblick: Tenant) -> None:
        BridgeSettings.objects.create(tenant=seeblick, default_vat_rate=Decimal(0))
        lines = [gas_bottle(sku="GAS-5"), gas_bottle(vat_rate="2.6"), gas_bottle()]

        answer = till.post(new_sale(total_amount="204.00", items=lines))

        assert [item["vat_rate"] for item in body_of(answer)["items"]] == ["8.10", "2.60", "0.00"]


class TestTheDayOfARate:
    @pytest.mark.parametrize(
        ("rate", "occurred_at", "holds"),
        [
            ("7.7", SUMMER_2023, True),
            ("7.7", LAST_EVENING_OF_2023, True),
            ("7.7", FIRST_NIGHT_OF_2024, False),
            ("7.7", "2017-12-31T12:00:00Z", False),
            ("8.1", LAST_EVENING_OF_2023, False),
            ("8.1", FIRST_NIGHT_OF_2024, True),
            ("2.5", SUMMER_2023, True),
            ("2.5", "2024-07-15T12:00:00Z", False),
            ("0", "2001-07-15T12:00:00Z", True),
        ],
    )
    def test_is_the_business_day_of_the_sale(self, till: Till, rate: str, occurred_at: str, holds: bool) -> None:
        sale = new_sale(total_amount="68.00", items=[gas_bottle(vat_rate=rate)], occurred_at=occurred_at)

        answer = till.post(sale)

        if holds:
            assert answer.status_code == 201
        else:
            assert faults_of(answer) == {("items[0].vat_rate", "unknown_vat_rate")}
            assert nothing_is_stored()

    def test_ends_with_the_night_where_the_day_does(self, till: Till, seeblick: Tenant) -> None:
        Tenant.objects.filter(pk=seeblick.pk).update(cutoff_hour=4)

        assert rate_of(till, occurred_at="2024-01-01T02:59:59Z", vat_rate="7.7") == "7.70"
        assert rate_of(till, occurred_at="2024-01-01T03:00:00Z", vat_rate="8.1") == "8.10"

    def test_keeps_a_rate_of_today_away_from_the_sales_of_yesteryear(self, till: Till, gas: None) -> None:
        assert rate_of(till, occurred_at=SUMMER_2023, sku="GAS-5") is None

    def test_keeps_the_default_away_in_the_same_way(self, till: Till, seeblick: Tenant) -> None:
        BridgeSettings.objects.create(tenant=seeblick, default_vat_rate=Decimal("8.1"))

        assert rate_of(till, occurred_at=SUMMER_2023) is None
        assert rate_of(till) == "8.10"

    def test_is_not_guessed_where_the_products_rate_does_not_hold(
        self, till: Till, gas: None, seeblick: Tenant
    ) -> None:
        BridgeSettings.objects.create(tenant=seeblick, default_vat_rate=Decimal(0))

        assert rate_of(till, occurred_at=SUMMER_2023, sku="GAS-5") is None


class TestAVatRateThatIsSent:
    @pytest.mark.parametrize("rate", ["8", "8.11", "100", "99999999", "7.7"])
    def test_is_one_of_the_campgrounds(self, till: Till, rate: str) -> None:
        answer = till.post(new_sale(total_amount="68.00", items=[gas_bottle(vat_rate=rate)]))

        assert faults_of(answer) == {("items[0].vat_rate", "unknown_vat_rate")}
        assert nothing_is_stored()

    @pytest.mark.parametrize(
        ("rate", "code"), [("-8.1", "min_value"), ("8.100", "max_places"), ("8.1 %", "invalid"), (True, "invalid")]
    )
    def test_is_a_percentage(self, till: Till, rate: Any, code: str) -> None:
        answer = till.post(new_sale(total_amount="68.00", items=[gas_bottle(vat_rate=rate)]))

        assert faults_of(answer) == {("items[0].vat_rate", code)}

    def test_is_checked_although_the_total_is_wrong_too(self, till: Till) -> None:
        answer = till.post(new_sale(total_amount="1.00", items=[gas_bottle(vat_rate="7.7")]))

        assert faults_of(answer) == {("items[0].vat_rate", "unknown_vat_rate"), (None, "total_mismatch")}

    def test_cannot_be_checked_without_the_day(self, till: Till) -> None:
        sale = new_sale(total_amount="68.00", items=[gas_bottle(vat_rate="7.7")], occurred_at="29.04.2026")

        assert faults_of(till.post(sale)) == {("occurred_at", "invalid")}
