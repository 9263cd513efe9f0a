"""Refusals without end: a row each for the first, one that counts the rest, and the sum is exact."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Semaphore
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from pos_bridge import floods
from pos_bridge.floods import ROWS_PER_ADDRESS_AND_MINUTE
from pos_bridge.models import InboundCall, Outcome
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.pos_bridge.breaking import AWAY, statements_failing
from tests.till import Till


class TestAFloodOfRefusals:
    MINUTE = NOON.replace(second=5)

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: self.now)
        self.now: datetime = self.MINUTE

    def refuse(self, times: int, **headers: str) -> None:
        for _ in range(times):
            assert Till(None).get("/ping/", **headers).status_code == 401

    def test_leaves_a_row_each_for_the_first_and_one_that_counts_the_rest(self, db: None) -> None:
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 30)

        assert InboundCall.objects.filter(outcome=Outcome.REFUSED).count() == ROWS_PER_ADDRESS_AND_MINUTE
        flood = InboundCall.objects.get(outcome=Outcome.FLOOD)
        assert (flood.calls, flood.status, flood.at) == (30, 401, self.MINUTE.replace(second=0))

    def test_begins_anew_with_each_minute(self, db: None) -> None:
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 5)
        self.now += timedelta(minutes=1)
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 7)

        floods = InboundCall.objects.filter(outcome=Outcome.FLOOD).order_by("at")
        assert list(floods.values_list("calls", flat=True)) == [5, 7]

    def test_of_one_address_is_not_that_of_another(self, db: None, settings: Any) -> None:
        settings.PROXY_COUNT = 1
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 5, x_forwarded_for="203.0.113.9")
        self.refuse(3, x_forwarded_for="198.51.100.1")

        assert InboundCall.objects.filter(remote_address="198.51.100.1", outcome=Outcome.REFUSED).count() == 3
        assert InboundCall.objects.get(outcome=Outcome.FLOOD).remote_address == "203.0.113.9"

    def test_belongs_to_no_campground(self, seeblick: Tenant) -> None:
        minted = mint(seeblick)
        minted.key.revoke(at=NOON)
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE)

        for _ in range(3):
            Till(minted.token).get("/ping/")
        self.refuse(2)

        flood = InboundCall.objects.get(outcome=Outcome.FLOOD)
        assert (flood.calls, flood.tenant, flood.api_key, flood.key_prefix) == (5, None, None, "")

    def test_for_a_host_that_is_not_ours_is_bounded_too(self, db: None) -> None:
        for _ in range(ROWS_PER_ADDRESS_AND_MINUTE + 20):
            assert Till(None, host="evil.example").get("/ping/").status_code == 400
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 20)

        assert InboundCall.objects.count() == 2 * ROWS_PER_ADDRESS_AND_MINUTE + 1
        assert InboundCall.objects.aggregate(Sum("calls"))["calls__sum"] == 2 * ROWS_PER_ADDRESS_AND_MINUTE + 40

    def test_is_counted_in_the_process_and_written_later(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 1)
        asked_to_write: list[bool] = []
        monkeypatch.setattr(floods, "write_later", lambda: asked_to_write.append(True))

        with CaptureQueriesContext(connection) as queries:
            self.refuse(20)
        before = InboundCall.objects.get(outcome=Outcome.FLOOD).calls
        floods.write_counts()

        assert (len(queries), len(asked_to_write)) == (0, 1)
        assert (before, InboundCall.objects.get(outcome=Outcome.FLOOD).calls) == (1, 21)

    def test_that_cannot_be_written_is_kept_and_tried_again(
        self, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(floods, "write_later", lambda: None)
        monkeypatch.setattr(floods, "connection", SimpleNamespace(connection=None, close=lambda: None))
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 7)

        with statements_failing(AWAY[0], touching="outcome = 'flood'"):
            floods._write_by_itself()
        self.refuse(2)
        floods._write_by_itself()

        assert InboundCall.objects.get(outcome=Outcome.FLOOD).calls == 9
        assert [record.getMessage() for record in caplog.records] == [
            "Counts of refusals cannot be written (OperationalError); kept."
        ]

    def test_is_answered_a_little_later_as_far_as_there_are_places(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held: list[float] = []
        monkeypatch.setattr(floods, "connection", SimpleNamespace(connection=None))
        monkeypatch.setattr(floods, "time", SimpleNamespace(sleep=held.append))
        monkeypatch.setattr(floods, "SECONDS_HELD_UP", 0.02)

        floods.hold_up()
        monkeypatch.setattr(floods, "_places", Semaphore(0))
        floods.hold_up()

        assert held == [0.02]

    @pytest.mark.postgresql
    def test_is_not_held_up_with_a_connection_that_a_till_may_need(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held: list[float] = []
        monkeypatch.setattr(floods, "time", SimpleNamespace(sleep=held.append))

        floods.hold_up()

        assert held == []

    def test_leaves_the_rows_of_a_till_at_the_same_address_alone(self, till: Till) -> None:
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 5)

        till.get("/ping/")
        till.get("/nothing/")

        assert list(InboundCall.objects.filter(tenant__isnull=False).values_list("status", flat=True)) == [200, 404]
