"""What the scheduler does: each deed noted, each in turn, none in another's way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from campone import deeds
from campone.deeds import DEEDS, Work, begin
from campone.models import Deed
from pos_bridge.models import InboundCall
from tenants.models import Tenant
from tests.till import Till

NOW = datetime.fromisoformat("2026-07-15T10:00:00Z")


def fail() -> Iterator[str]:
    raise RuntimeError("out of flour")


class TestRunDue:
    def test_notes_when_each_deed_was_done(self, db: None) -> None:
        before = timezone.now()

        call_command("run_due")

        assert {deed.name for deed in Deed.objects.filter(done_at__gte=before)} == set(DEEDS)

    def test_prunes_once_a_day(self, till: Till) -> None:
        till.get("/ping/")
        InboundCall.objects.update(at=timezone.now() - timedelta(days=91))

        said = [StringIO(), StringIO()]
        for each in said:
            call_command("run_due", stdout=each)

        assert not InboundCall.objects.exists()
        assert ["Forgotten" in each.getvalue() for each in said] == [True, False]

    def test_leaves_what_is_the_owners_to_the_owner(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deeds, "is_standing", lambda: True)

        call_command("run_due")

        assert not Deed.objects.filter(name="prune").exists()

    def test_does_one_deed_alone_if_told(self, db: None) -> None:
        call_command("run_due", only="prune")

        assert [deed.name for deed in Deed.objects.all()] == ["prune"]

    def test_does_the_others_whatever_becomes_of_one(
        self, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setitem(DEEDS, "vendors", Work(fail))

        with pytest.raises(CommandError, match="vendors"):
            call_command("run_due")

        assert Deed.objects.get(name="vendors").done_at is None
        assert Deed.objects.get(name="journals").done_at is not None
        assert "out of flour" in caplog.text


class TestBegin:
    def test_whoever_comes_first_has_the_turn(self, db: None) -> None:
        day = timedelta(hours=20)

        assert begin("prune", at=NOW, every=day)
        assert not begin("prune", at=NOW + timedelta(hours=19), every=day)
        assert begin("prune", at=NOW + timedelta(hours=21), every=day)
        assert not begin("prune", at=NOW + timedelta(hours=22), every=day)

    def test_two_machines_whose_clocks_differ_a_little_have_one_turn(self, db: None) -> None:
        assert begin("prune", at=NOW, every=timedelta(hours=20))
        assert not begin("prune", at=NOW - timedelta(seconds=5), every=timedelta(hours=20))

    @pytest.mark.parametrize("every", [timedelta(), timedelta(hours=20)])
    def test_a_clock_that_was_years_ahead_keeps_nobody_waiting(self, db: None, every: timedelta) -> None:
        begin("prune", at=NOW + timedelta(days=3650), every=every)

        assert begin("prune", at=NOW, every=every)
