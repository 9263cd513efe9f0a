"""SQL in whatever a till or a person may type stays text."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client

from kasse.models import Transaction
from tenants.models import Tenant
from tests.contract.sales import new_sale
from tests.factories import member
from tests.pages import signed_in
from tests.till import Till, body_of

TYPED = [
    "x'; DROP TABLE kasse_transaction; --",
    "' OR '1'='1",
    '" OR 1=1 --',
    "%' OR 1=1 --",
    "%(tenant)s",
    "%s %s %s",
    "{0} {tenant}",
    "\\'; SELECT pg_sleep(9); --",
    "$1",
    "x') UNION SELECT token_hash FROM apikeys_apikey --",
    "_",
    "%",
]


@pytest.fixture
def staff(seeblick: Tenant, waldrand: Tenant) -> Client:
    return signed_in(member(seeblick))


class TestSQL:
    @pytest.mark.parametrize("typed", TYPED)
    def test_in_every_text_of_a_sale_is_kept_as_text(self, till: Till, typed: str) -> None:
        sale = new_sale(external_ref=typed, refund_of=typed, metadata={typed: typed})
        sale["items"][0] |= {"description": typed, "sku": typed[:20], "category": typed[:20]}

        assert till.post(sale).status_code == 201

        read = body_of(till.read_back(typed))
        assert (read["external_ref"], read["refund_of"], read["metadata"]) == (typed, typed, {typed: typed})
        assert read["items"][0]["description"] == typed
        assert Transaction.objects.count() == 1

    @pytest.mark.parametrize("typed", TYPED)
    @pytest.mark.parametrize(
        "name", ["business_date", "occurred_from", "received_since", "payment_method", "external_ref", "page", "x"]
    )
    def test_in_a_filter_finds_nothing_or_is_refused(
        self, till: Till, neighbours_till: Till, name: str, typed: str
    ) -> None:
        neighbours_till.post(new_sale())
        answer = till.get(f"/transactions/?{name}={quote(typed, safe='')}")

        assert answer.status_code in {200, 400, 404}
        assert body_of(answer).get("count", 0) == 0

    @pytest.mark.parametrize("typed", TYPED)
    def test_typed_by_staff_finds_what_it_says(self, staff: Client, till: Till, typed: str) -> None:
        till.post(new_sale())
        till.post(new_sale(external_ref=f"Beleg {typed} 7"))

        answer = staff.get("/kasse/transaktionen", {"q": typed})

        assert answer.status_code == 200
        assert new_sale()["external_ref"] not in answer.content.decode()
