"""A sale that was taken stays taken, whatever the campground has set differently since."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from catalogue.models import VatRate
from kasse.models import Transaction
from pos_bridge.models import ParkedSale
from tenants.models import Tenant
from tests.till import Body, Till, body_of, croissants_and_coffee


def sale(**changes: Any) -> Body:
    """Croissants and coffee, whose rates the till sends."""
    croissant = {"description": "Croissant", "quantity": 2, "unit_price": "3.50", "line_total": "7.00"}
    coffee = {"description": "Kaffee", "quantity": 1, "unit_price": "5.50", "line_total": "5.50"}
    items = [{**croissant, "vat_rate": "2.6"}, {**coffee, "vat_rate": "8.1"}]
    return croissants_and_coffee(**{"items": items, "currency": "CHF", **changes})


def errors_of(answer: Any) -> set[tuple[str | None, str]]:
    """Field and code of each fault."""
    return {(error["field"], error["code"]) for error in body_of(answer)["errors"]}


def end_rate(tenant: Tenant) -> None:
    """The rate of the coffee ends on the day before the sale."""
    VatRate.objects.of(tenant).filter(rate=Decimal("8.1")).update(valid_until=date(2026, 4, 28))


def delete_rate(tenant: Tenant) -> None:
    VatRate.objects.of(tenant).filter(rate=Decimal("8.1")).delete()


def delete_every_rate(tenant: Tenant) -> None:
    VatRate.objects.of(tenant).delete()


def change_currency(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(currency="EUR")


def change_both(tenant: Tenant) -> None:
    end_rate(tenant)
    change_currency(tenant)


class TestARetry:
    @pytest.mark.parametrize("change", [end_rate, delete_rate, delete_every_rate, change_currency, change_both])
    def test_returns_the_sale_that_was_taken_before_the_change(self, seeblick: Tenant, till: Till, change: Any) -> None:
        first = till.post(sale())
        change(seeblick)

        retry = till.post(sale())

        assert [first.status_code, retry.status_code] == [201, 200]
        assert body_of(retry) == body_of(first)
        assert Transaction.objects.count() == 1

    @pytest.mark.parametrize("change", [end_rate, change_currency])
    def test_with_other_money_is_still_a_conflict(self, seeblick: Tenant, till: Till, change: Any) -> None:
        till.post(sale())
        change(seeblick)

        rival = till.post(sale(payment_method="CARD"))

        assert (rival.status_code, body_of(rival)["code"]) == (409, "external_ref_conflict")
        assert ParkedSale.objects.get().external_ref == sale()["external_ref"]
        assert Transaction.objects.get().payment_method == "CASH"

    def test_in_another_currency_than_its_sale_is_no_retry(self, seeblick: Tenant, till: Till) -> None:
        till.post(sale())

        answer = till.post(sale(currency="EUR"))

        assert answer.status_code in {400, 409}
        assert Transaction.objects.get().currency == "CHF"

    def test_with_a_fault_of_its_own_is_refused_for_all_of_them(self, seeblick: Tenant, till: Till) -> None:
        till.post(sale())
        end_rate(seeblick)
        nothing = {"description": "Croissant", "quantity": 0, "unit_price": "3.50", "line_total": "7.00"}
        coffee = {**sale()["items"][1]}

        answer = till.post(sale(items=[nothing, coffee]))

        assert (answer.status_code, body_of(answer)["code"]) == (400, "validation_error")
        assert {"items[0].quantity", "items[1].vat_rate"} <= {field for field, _code in errors_of(answer)}
        assert Transaction.objects.count() == 1


class TestANewSale:
    @pytest.mark.parametrize("change", [end_rate, delete_rate])
    def test_with_a_rate_that_has_ended_is_refused(self, seeblick: Tenant, till: Till, change: Any) -> None:
        till.post(sale())
        change(seeblick)

        answer = till.post(sale(external_ref="seeblick-2026-04-29-T-2"))

        assert answer.status_code == 400
        assert errors_of(answer) == {("items[1].vat_rate", "unknown_vat_rate")}
        assert Transaction.objects.count() == 1

    def test_in_the_currency_of_yesterday_is_refused(self, seeblick: Tenant, till: Till) -> None:
        till.post(sale())
        change_currency(seeblick)

        answer = till.post(sale(external_ref="seeblick-2026-04-29-T-2"))

        assert (answer.status_code, body_of(answer)["code"]) == (400, "currency_mismatch")

    @pytest.mark.parametrize("change", [end_rate, change_currency])
    def test_is_not_helped_by_the_neighbours_under_the_same_reference(
        self, seeblick: Tenant, till: Till, neighbours_till: Till, change: Any
    ) -> None:
        assert neighbours_till.post(sale()).status_code == 201
        change(seeblick)

        assert till.post(sale()).status_code == 400
        assert neighbours_till.post(sale()).status_code == 200
        assert not Transaction.objects.of(seeblick).exists()
