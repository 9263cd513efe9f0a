"""What was tried out is forgotten; what was sold never."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge.forgetting import NoRehearsal, forget_old_rehearsals, forget_test_sales
from pos_bridge.models import InboundBatch, InboundCall, ParkedSale, Reconciliation
from tenants.models import Tenant
from tenants.rehearsals import open_rehearsal
from tests.factories import mint
from tests.till import Till, croissants_and_coffee

OTHER = croissants_and_coffee(total_amount="5.50", items=croissants_and_coffee()["items"][1:])
KEPT = (Transaction, TransactionItem, Payment, ParkedSale, Reconciliation, InboundBatch, InboundCall)


def busy(till: Till) -> None:
    """A sale, another under its reference, a batch and a comparison."""
    till.post(croissants_and_coffee())
    till.post(OTHER)
    batch = {"transactions": [croissants_and_coffee(external_ref="B-1"), croissants_and_coffee(external_ref="B-2")]}
    till.call("POST", "/transactions/batch/", body=json.dumps(batch).encode())
    told = {"business_date": "2026-04-29", "transactions": []}
    till.call("POST", "/reconciliations/", body=json.dumps(told).encode())


def counts(tenant: Tenant) -> list[int]:
    """How many rows a campground or a rehearsal has of each kind."""
    return [model._base_manager.filter(tenant=tenant.pk).count() for model in KEPT]


class TestForgetTestSales:
    def test_forgets_all_that_was_tried_out_and_nothing_else(
        self, seeblick: Tenant, stage: Tenant, waldrand: Tenant, till: Till, trying: Till
    ) -> None:
        beside = open_rehearsal(waldrand)
        for each in (till, trying, Till(mint(beside).token)):
            busy(each)
        real, neighbours = counts(seeblick), counts(beside)
        assert min(counts(stage)) > 0

        assert forget_test_sales(stage, before=timezone.now()) == 3

        assert counts(stage) == [0] * len(KEPT)
        assert (counts(seeblick), counts(beside)) == (real, neighbours)

    def test_lets_a_reference_be_used_anew(self, stage: Tenant, trying: Till) -> None:
        busy(trying)

        forget_test_sales(stage, before=timezone.now())

        assert trying.post(OTHER).status_code == 201

    def test_keeps_what_came_since(self, stage: Tenant, trying: Till) -> None:
        busy(trying)
        kept = counts(stage)

        assert forget_test_sales(stage, before=timezone.now() - timedelta(hours=1)) == 0

        assert counts(stage) == kept

    def test_is_refused_for_a_campground(self, seeblick: Tenant, till: Till) -> None:
        busy(till)
        kept = counts(seeblick)

        with pytest.raises(NoRehearsal):
            forget_test_sales(seeblick, before=timezone.now())

        assert counts(seeblick) == kept

    @pytest.mark.parametrize("model", [Transaction, TransactionItem, Payment, Reconciliation])
    def test_could_not_delete_a_campgrounds_rows_if_it_tried(self, model: Any, seeblick: Tenant, till: Till) -> None:
        busy(till)

        with pytest.raises(DatabaseError, match="written once"), transaction.atomic():
            model._base_manager.filter(tenant=seeblick)._raw_delete("default")

    @pytest.mark.parametrize("model", [Transaction, TransactionItem, Payment, Reconciliation])
    def test_leaves_no_way_to_change_what_was_tried_out(self, model: Any, stage: Tenant, trying: Till) -> None:
        busy(trying)

        with pytest.raises(DatabaseError, match="written once"), transaction.atomic():
            model._base_manager.filter(tenant=stage.pk).update(tenant=abs(stage.pk))


class TestPrune:
    def test_forgets_test_sales_after_thirty_days(self, stage: Tenant, trying: Till, till: Till) -> None:
        busy(trying)
        busy(till)
        now = timezone.now()

        assert forget_old_rehearsals(now=now + timedelta(days=29)) == 0
        assert forget_old_rehearsals(now=now + timedelta(days=31)) == 3
        assert Transaction.objects.count() == 3

    def test_says_how_many(self, trying: Till, capsys: pytest.CaptureFixture[str]) -> None:
        busy(trying)

        call_command("prune")

        assert "0 test sales" in capsys.readouterr().out
