"""The pages that show what came in a batch, and whether the tills' day is complete."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apikeys.minting import Minted
from apikeys.replacing import replace_key
from kasse.models import Transaction
from pos_bridge.models import InboundBatch, InboundCall, Reconciliation
from pos_bridge.retention import forget_old_rows
from tenants.models import Role, Tenant
from tests.factories import mint
from tests.kasse.listed import MOST_QUERIES, at_work, shown
from tests.till import Body, Till, body_of, croissants_and_coffee

DAY = "2026-04-29"
PAGE = f"/einstellungen/integrationen/abgleich/{DAY}/"


def tell(till: Till, **amounts: str) -> Body:
    """Tell a day; ``T_1`` stands for T-1."""
    told = [{"external_ref": name.replace("_", "-"), "total_amount": amount} for name, amount in amounts.items()]
    body = json.dumps({"business_date": DAY, "transactions": told}).encode()
    return body_of(till.call("POST", "/reconciliations/", body=body))


class TestTheTillsOfADay:
    @pytest.mark.parametrize("role", Role)
    def test_are_ticked_once_all_are_complete(self, till: Till, seeblick: Tenant, role: Role) -> None:
        till.post(croissants_and_coffee(external_ref="T-1"))
        assert 'data-state="none"' in shown(at_work(seeblick, role).get(PAGE))

        tell(till, T_1="12.50")

        page = shown(at_work(seeblick, role).get(PAGE))
        assert 'data-complete="yes"' in page
        assert 'data-state="complete"' in page

    def test_are_not_while_one_of_them_is_not(self, till: Till, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee(external_ref="T-1"))
        tell(till, T_1="12.50")
        Till(mint(seeblick, name="Bistro").token).post(croissants_and_coffee(external_ref="B-1"))

        page = shown(at_work(seeblick).get(PAGE))

        assert 'data-complete="no"' in page
        assert page.count("data-state=") == 2

    def test_are_one_whose_key_was_replaced_on_that_day(self, till: Till, key: Minted, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee(external_ref="T-1"))
        tell(till, T_1="12.50")
        new = Till(replace_key(key.key, at=timezone.now()).token)
        new.post(croissants_and_coffee(external_ref="T-2"))
        assert 'data-complete="no"' in shown(at_work(seeblick).get(PAGE))

        tell(new, T_1="12.50", T_2="12.50")

        page = shown(at_work(seeblick).get(PAGE))
        assert page.count("data-state=") == 1
        assert 'data-complete="yes"' in page

    def test_show_what_is_missing_and_what_differs(self, till: Till, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee(external_ref="T-1"))
        till.post(croissants_and_coffee(external_ref="T-2"))
        tell(till, T_1="13.50", T_3="7.00")

        page = shown(at_work(seeblick).get(PAGE))

        assert 'data-state="incomplete"' in page
        for name in ("missing_here", "unknown_to_you", "amount_differs"):
            assert f'data-list="{name}"' in page
        assert "<code>T-3</code>" in page
        assert "13.50" in page

    def test_go_by_the_last_comparison_and_by_what_came_since(self, till: Till, seeblick: Tenant) -> None:
        tell(till, T_1="12.50")
        till.post(croissants_and_coffee(external_ref="T-1"))
        assert tell(till, T_1="12.50")["verdict"] == "complete"
        assert 'data-state="complete"' in shown(at_work(seeblick).get(PAGE))

        till.post(croissants_and_coffee(external_ref="T-2"))

        page = shown(at_work(seeblick).get(PAGE))
        assert 'data-state="outdated"' in page
        assert 'data-complete="no"' in page

    def test_are_nobodys_business_next_door(self, till: Till, waldrand: Tenant, client: Client) -> None:
        till.post(croissants_and_coffee())
        tell(till, T_1="12.50")

        assert 'id="no-till"' in shown(at_work(waldrand).get(PAGE))
        assert client.get(PAGE).status_code == 302

    def test_of_no_day_are_not_found(self, seeblick: Tenant) -> None:
        assert at_work(seeblick).get("/einstellungen/integrationen/abgleich/2026-02-30/").status_code == 404

    def test_are_asked_for_by_the_page_of_the_close(self, seeblick: Tenant) -> None:
        assert f'hx-get="{PAGE.rstrip("/")}' in shown(at_work(seeblick).get(f"/kasse/abschluss/{DAY}"))

    def test_cost_no_more_the_more_they_are(
        self, seeblick: Tenant, till: Till, django_assert_max_num_queries: object
    ) -> None:
        for name in ("Bistro", "Kiosk", "Velo"):
            other = Till(mint(seeblick, name=name).token)
            other.post(croissants_and_coffee(external_ref=name))
            tell(other)
        staff = at_work(seeblick)

        with django_assert_max_num_queries(MOST_QUERIES):  # type: ignore[operator]
            shown(staff.get(PAGE))


class TestABatchOnPages:
    @pytest.fixture
    def sent(self, till: Till) -> InboundCall:
        sales = [croissants_and_coffee(external_ref=f"T-{number}") for number in (1, 2)]
        body = json.dumps({"transactions": [*sales, {}]}).encode()
        till.call("POST", "/transactions/batch/", body=body)
        return InboundCall.objects.get()

    def test_is_counted_out_on_the_page_of_its_call(self, sent: InboundCall, seeblick: Tenant) -> None:
        page = shown(at_work(seeblick).get(f"/einstellungen/integrationen/protokoll/{sent.pk}"))

        assert '<dd data-batch="created">2</dd>' in page
        assert '<dd data-batch="invalid">1</dd>' in page

    def test_is_the_call_that_brought_each_of_its_sales(self, sent: InboundCall, seeblick: Tenant) -> None:
        for sale in Transaction.objects.all():
            page = shown(at_work(seeblick).get(f"/einstellungen/integrationen/protokoll/beleg/{sale.pk}"))
            assert f'data-call="{sent.pk}"' in page

    def test_is_forgotten_with_the_log(self, sent: InboundCall) -> None:
        forget_old_rows(now=sent.at + timedelta(days=89), log_days=90)
        assert InboundBatch.objects.count() == 1

        forget_old_rows(now=sent.at + timedelta(days=91), log_days=90)

        assert InboundBatch.objects.count() == 0
        assert Transaction.objects.count() == 2


class TestAReconciliation:
    def test_is_never_forgotten(self, till: Till) -> None:
        tell(till)
        row = Reconciliation.objects.get()

        forget_old_rows(now=row.at + timedelta(days=4000), log_days=90)

        assert Reconciliation.objects.count() == 1
