from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from kasse.models import Source, Transaction
from pos_bridge.models import InboundCall
from tenants.models import Role, Tenant
from tests.kasse.listed import MOST_QUERIES, at_work, record, shown
from tests.till import Till, croissants_and_coffee


def address(sale: Transaction) -> str:
    return f"/einstellungen/integrationen/protokoll/beleg/{sale.pk}"


@pytest.fixture
def posted(till: Till) -> Transaction:
    """Posted by Seeblick's till, and once more."""
    assert till.post(croissants_and_coffee()).status_code == 201
    assert till.post(croissants_and_coffee()).status_code == 200
    return Transaction.objects.get()


class TestTheCallThatBroughtASale:
    @pytest.mark.parametrize("role", Role)
    def test_is_the_one_that_was_answered_201(self, posted: Transaction, seeblick: Tenant, role: Role) -> None:
        call = InboundCall.objects.get(outcome="created")

        page = shown(at_work(seeblick, role).get(address(posted)))

        assert page.count("data-call=") == 1
        assert f'data-call="{call.pk}"' in page
        assert f"/kasse/transaktionen/{posted.pk}" in page

    def test_is_asked_for_by_the_sales_own_page(self, posted: Transaction, seeblick: Tenant) -> None:
        page = shown(at_work(seeblick).get(f"/kasse/transaktionen/{posted.pk}"))

        assert f'hx-get="{address(posted)}"' in page

    def test_is_nobodys_business_next_door(self, posted: Transaction, waldrand: Tenant, client: Client) -> None:
        assert at_work(waldrand).get(address(posted)).status_code == 404
        assert client.get(address(posted)).status_code == 302

    def test_may_be_forgotten(self, posted: Transaction, seeblick: Tenant) -> None:
        InboundCall.objects.all().delete()

        assert 'id="no-call"' in shown(at_work(seeblick).get(address(posted)))

    def test_of_another_time_is_another_one(self, posted: Transaction, seeblick: Tenant) -> None:
        InboundCall.objects.update(at=posted.received_at - timedelta(days=1))

        assert 'id="no-call"' in shown(at_work(seeblick).get(address(posted)))

    def test_of_the_front_desk_is_none(self, seeblick: Tenant, posted: Transaction) -> None:
        counter = record(seeblick, source=Source.FRONT_DESK)

        assert 'id="no-call"' in shown(at_work(seeblick).get(address(counter)))

    def test_costs_few_queries(self, posted: Transaction, seeblick: Tenant, django_assert_max_num_queries: Any) -> None:
        desk = at_work(seeblick)
        with django_assert_max_num_queries(MOST_QUERIES):
            shown(desk.get(address(posted)))
