"""What would become of a sale: the same answer as if it had been meant, and nothing stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge.models import InboundBatch, InboundCall, ParkedSale
from tenants.models import Tenant
from tests.factories import mint
from tests.till import Body, Till, body_of, croissants_and_coffee

pytestmark = pytest.mark.django_db


def try_out(till: Till, sale: Any, query: str = "dry_run=1") -> Any:
    return till.call("POST", f"/transactions/?{query}", body=json.dumps(sale).encode())


def without_ids(body: Body) -> Body:
    return {name: value for name, value in body.items() if name not in {"id", "received_at", "request_id"}}


SALES = [
    ("created", croissants_and_coffee(external_ref="T-2")),
    ("created", croissants_and_coffee(external_ref="T-2", cashier="Vreni")),
    ("replayed", croissants_and_coffee()),
    ("conflict", croissants_and_coffee(payment_method="CARD")),
    ("invalid", croissants_and_coffee(total_amount="13.50")),
    ("invalid", []),
]


class TestADryRun:
    @pytest.mark.parametrize(("result", "sale"), SALES, ids=range(len(SALES)))
    def test_says_what_would_happen_and_stores_nothing(self, till: Till, result: str, sale: Any) -> None:
        till.post(croissants_and_coffee())

        answer = try_out(till, sale)

        assert answer.status_code == 200
        told = body_of(answer)
        assert (told["dry_run"], told["result"]) == (True, result)
        assert [model.objects.count() for model in (Transaction, TransactionItem, Payment)] == [1, 2, 1]
        assert ParkedSale.objects.count() == 0
        meant = till.post(sale)
        assert told["status"] == meant.status_code
        assert without_ids(told["body"]) == without_ids(body_of(meant))

    def test_can_be_taken_for_no_sale(self, till: Till) -> None:
        told = body_of(try_out(till, croissants_and_coffee()))

        assert "external_ref" not in told
        assert told["body"]["id"] is None
        assert till.read_back("seeblick-2026-04-29-T-1").status_code == 404

    def test_pays_and_is_logged_as_what_it_is(self, seeblick: Tenant) -> None:
        till = Till(mint(seeblick, budget=1).token)

        answers = [try_out(till, croissants_and_coffee()) for _ in range(2)]

        assert [each.status_code for each in answers] == [200, 429]
        first = InboundCall.objects.order_by("pk")[0]
        assert (first.path, first.outcome) == ("/api/v1/public/pos/transactions/?dry_run=1", "read")
        assert first.external_ref == "seeblick-2026-04-29-T-1"

    @pytest.mark.parametrize("query", ["dry_run=yes", "dry_run=", "dry_run=1&dry_run=0", "dry_run=0&dry_run=0"])
    def test_that_is_asked_for_in_doubt_is_refused(self, till: Till, query: str) -> None:
        answer = try_out(till, croissants_and_coffee(), query)

        assert answer.status_code == 400
        assert [each["field"] for each in body_of(answer)["errors"]] == ["dry_run"]
        assert Transaction.objects.count() == 0

    @pytest.mark.parametrize("query", ["dry_run=0", "dry_run=false", "other=1"])
    def test_that_is_none_stores_the_sale(self, till: Till, query: str) -> None:
        assert try_out(till, croissants_and_coffee(), query).status_code == 201

    def test_of_a_batch_stores_nothing_either(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        sales = [sale for _result, sale in SALES]
        body = json.dumps({"transactions": sales}).encode()

        answer = till.call("POST", "/transactions/batch/?dry_run=true", body=body)

        told = body_of(answer)
        assert told["dry_run"]
        # The second of two sales under one reference would find the first.
        assert told["counts"] == {"created": 1, "replayed": 2, "conflict": 1, "invalid": 2, "failed": 0}
        assert Transaction.objects.count() == 1
        assert ParkedSale.objects.count() == InboundBatch.objects.count() == 0
        assert InboundCall.objects.order_by("-pk")[0].path.endswith("/batch/?dry_run=1")

    def test_leaves_the_reference_free(self, till: Till) -> None:
        try_out(till, croissants_and_coffee())

        assert till.post(croissants_and_coffee()).status_code == 201
