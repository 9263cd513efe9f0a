"""Imports left alone are finished by the scheduler, forgotten in time, and make no till look alive."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError

from kasse.models import Transaction
from pos_bridge.arrivals import arrivals
from pos_bridge.health import bridge_now
from pos_bridge.importing import due
from pos_bridge.importing.due import run_due, sentence_of
from pos_bridge.importing.models import ImportedFile, ImportedReceipt, ImportState, SalesImport
from pos_bridge.importing.staging import stage
from pos_bridge.importing.working import work_on
from pos_bridge.retention import forget_old_rows
from tenants.models import Tenant
from tests.factories import mint
from tests.kasse.selling import close, sell
from tests.pos_bridge.import_files import DAY, shop
from tests.pos_bridge.test_importing import AT, opened, run

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


class TestTheScheduler:
    def test_finishes_what_nobody_drives(self, seeblick: Tenant, waldrand: Tenant) -> None:
        mine, theirs = opened(seeblick, shop()), opened(waldrand, shop())
        for made in (mine, theirs):
            stage(made, dry_run=False, at=AT)

        done = [sentence_of(each) for each in run_due(clock=lambda: AT + MINUTE)]

        assert sorted(done) == [
            f"seeblick: import {mine.pk}, 3 of 3 receipts.",
            f"waldrand: import {theirs.pk}, 3 of 3 receipts.",
        ]
        assert Transaction.objects.of(waldrand).count() == Transaction.objects.of(seeblick).count() == 3
        assert not SalesImport.objects.across_tenants().exclude(state=ImportState.DONE).exists()

    def test_goes_on_with_others_where_one_is_in_trouble(
        self, seeblick: Tenant, waldrand: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for tenant in (seeblick, waldrand):
            stage(opened(tenant, shop()), dry_run=False, at=AT)

        def slow(made: SalesImport, **given: Any) -> None:
            if made.tenant == seeblick:
                raise OperationalError("canceling statement due to statement timeout")
            work_on(made, **given)

        monkeypatch.setattr(due, "work_on", slow)
        list(run_due(clock=lambda: AT + MINUTE))

        assert Transaction.objects.of(waldrand).count() == 3

    def test_leaves_alone_what_somebody_drives(self, seeblick: Tenant) -> None:
        stage(opened(seeblick, shop()), dry_run=False, at=AT)

        assert list(run_due(clock=lambda: AT + timedelta(seconds=5))) == []

    def test_does_it_by_its_command(self, seeblick: Tenant) -> None:
        stage(opened(seeblick, shop()), dry_run=False, at=AT)
        said = StringIO()

        call_command("run_due", only="imports", stdout=said)

        assert "3 of 3 receipts" in said.getvalue()


class TestForgetting:
    def test_takes_the_rows_and_leaves_what_became_of_them(self, seeblick: Tenant) -> None:
        run(opened(seeblick, shop()))

        forget_old_rows(now=AT + timedelta(days=89), log_days=90)
        assert ImportedReceipt.objects.of(seeblick).count() == 3
        forget_old_rows(now=AT + timedelta(days=91), log_days=90)

        assert not ImportedReceipt.objects.of(seeblick).exists()
        assert not ImportedFile.objects.of(seeblick).exists()
        assert SalesImport.objects.of(seeblick).get().created == 3
        assert Transaction.objects.of(seeblick).count() == 3


class TestAnImportedTill:
    def test_has_brought_nothing_itself(self, seeblick: Tenant) -> None:
        sell(seeblick)
        close(seeblick, DAY, counted="12.50")
        run(opened(seeblick, shop(["29.04.2026", "18:05", "1", "Bar", "3.50", ""]), api_key=mint(seeblick).key))

        lately = bridge_now(seeblick, at=AT + MINUTE).lately

        assert not arrivals(seeblick, since=AT - MINUTE, until=AT + MINUTE).exists()
        assert (lately.late, lately.unknown_vat) == (0, 0)
