"""What the scheduler does for connections, and what it leaves alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from adapters.booking import take_event
from adapters.due import run_due
from adapters.keeping import keep_event
from adapters.logbook import write_call
from adapters.models import Connection, ConnectionCall, Standing, VendorEvent
from adapters.payloads import text_of
from adapters.retention import forget_old_rows
from kasse.models import Transaction
from pos_bridge.models import BridgeSettings
from tenants.models import Tenant
from tests.adapters.vendors_tills import connection_of, fondue
from tests.factories import NOON

LATER = NOON + timedelta(days=2)


def keep(connection: Connection, **changes: Any) -> VendorEvent:
    """An event that was kept, and then interrupted."""
    return keep_event(connection, kind="charge", delivery="", text=text_of(fondue(**changes)), at=NOON)


class TestRunDue:
    def test_takes_what_was_interrupted(self, restaurant: Connection) -> None:
        keep(restaurant)

        (done,) = run_due(at=LATER)

        assert (done.connection, done.taken, done.trouble) == (restaurant, 1, "")
        assert Transaction.objects.count() == 1
        assert list(run_due(at=LATER)) == []

    @pytest.mark.parametrize("off", ["connection", "bridge", "campground"])
    def test_leaves_alone_what_is_switched_off(self, restaurant: Connection, seeblick: Tenant, off: str) -> None:
        keep(restaurant)
        if off == "connection":
            Connection.objects.update(enabled=False)
        elif off == "bridge":
            BridgeSettings.objects.create(tenant=seeblick, enabled=False)
        else:
            Tenant.objects.filter(pk=seeblick.pk).update(is_active=False)

        assert list(run_due(at=LATER)) == []
        assert not Transaction.objects.exists()

    def test_goes_on_where_one_is_in_trouble(
        self,
        restaurant: Connection,
        waldrand: Tenant,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        neighbour = connection_of(waldrand, "lightspeed")
        for each in (restaurant, neighbour):
            keep(each)

        def stumble(event: VendorEvent, *args: Any, **options: Any) -> Any:
            if event.connection == restaurant:
                raise RuntimeError
            return take_event(event, *args, **options)

        monkeypatch.setattr("adapters.booking.take_event", stumble)

        first, second = run_due(at=LATER)

        assert (first.taken, first.trouble, second.taken) == (0, "not taken", 1)
        assert "is kept, and waits" in caplog.text


class TestTheCommand:
    def test_does_it_and_says_so(self, restaurant: Connection, capsys: pytest.CaptureFixture[str]) -> None:
        keep(restaurant)

        call_command("run_due")

        assert capsys.readouterr().out == "seeblick, lightspeed Restaurant: 1 taken.\n"
        assert Transaction.objects.count() == 1


class TestForgetting:
    def test_takes_old_lines_and_settled_events(self, restaurant: Connection) -> None:
        for standing in Standing:
            event = keep(restaurant, fiscId=standing.value)
            VendorEvent.objects.filter(pk=event.pk).update(standing=standing)
        write_call(restaurant, at=NOON, deed="charge", outcome="recorded", status=200)

        assert forget_old_rows(now=NOON + timedelta(days=90), days=90) == 0
        assert forget_old_rows(now=NOON + timedelta(days=91), days=90) == 4

        assert set(VendorEvent.objects.values_list("standing", flat=True)) == {Standing.PARKED, Standing.RECEIVED}
        assert not ConnectionCall.objects.exists()

    def test_keeps_all_if_told_so(self, restaurant: Connection) -> None:
        write_call(restaurant, at=NOON, deed="charge", outcome="recorded", status=200)

        assert forget_old_rows(now=NOON + timedelta(days=9000), days=0) == 0

    def test_keeps_what_came_again_lately(self, restaurant: Connection) -> None:
        event = keep(restaurant)
        VendorEvent.objects.filter(pk=event.pk).update(
            standing=Standing.RECORDED, last_received_at=NOON + timedelta(days=60)
        )

        assert forget_old_rows(now=NOON + timedelta(days=100), days=90) == 0
