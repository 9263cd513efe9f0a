"""What is forgotten, and what never."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import QuerySet
from django.utils import timezone

from kasse.models import Transaction
from pos_bridge import retention
from pos_bridge.models import InboundCall, ParkedSale
from pos_bridge.retention import Forgotten, forget_old_rows
from tests.factories import NOON
from tests.till import Till, croissants_and_coffee

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def calls_at(till: Till, *instants: Any) -> None:
    """One row of the activity log for each instant."""
    for instant in instants:
        till.get("/ping/")
        InboundCall.objects.filter(pk=InboundCall.objects.latest("pk").pk).update(at=instant)


@pytest.fixture
def parked(till: Till) -> ParkedSale:
    """A sale under a reference that was taken."""
    till.post(croissants_and_coffee())
    till.post(croissants_and_coffee(payment_method="CARD"))
    return ParkedSale.objects.get()


class TestTheActivityLog:
    def test_forgets_what_is_older_than_its_days(self, till: Till) -> None:
        calls_at(till, NOON - 90 * DAY - SECOND, NOON - 90 * DAY, NOON)

        assert forget_old_rows(now=NOON, log_days=90) == Forgotten(calls=1, parked_sales=0)
        assert sorted(InboundCall.objects.values_list("at", flat=True)) == [NOON - 90 * DAY, NOON]

    def test_forgets_nothing_with_zero_days(self, till: Till) -> None:
        calls_at(till, NOON - 9000 * DAY)

        assert forget_old_rows(now=NOON, log_days=0).calls == 0
        assert InboundCall.objects.count() == 1

    def test_forgets_rows_of_no_campground_too(self, db: None) -> None:
        calls_at(Till(None), NOON - 91 * DAY)

        assert forget_old_rows(now=NOON, log_days=90).calls == 1

    def test_goes_in_small_batches(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retention, "BATCH", 3)
        deleted: list[int] = []
        delete = QuerySet.delete

        def watch(rows: QuerySet[Any]) -> Any:
            deleted.append(rows.count())
            return delete(rows)

        monkeypatch.setattr(QuerySet, "delete", watch)
        calls_at(till, *[NOON - 100 * DAY] * 7)

        assert forget_old_rows(now=NOON, log_days=90).calls == 7
        assert [size for size in deleted if size] == [3, 3, 1]

    def test_leaves_the_sales_alone(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        InboundCall.objects.update(at=NOON - 9000 * DAY)

        assert forget_old_rows(now=NOON, log_days=1).calls == 1
        assert Transaction.objects.count() == 1


class TestAParkedSale:
    def test_decided_thirty_days_ago_loses_what_was_sent(self, parked: ParkedSale) -> None:
        ParkedSale.objects.update(decided_at=NOON - 30 * DAY - SECOND)

        assert forget_old_rows(now=NOON, log_days=0) == Forgotten(calls=0, parked_sales=1)
        assert forget_old_rows(now=NOON, log_days=0) == Forgotten(calls=0, parked_sales=0)
        kept = ParkedSale.objects.get()
        assert (kept.payload, kept.differences) == ("", parked.differences)

    def test_that_has_lost_what_was_sent_stays_decided_when_the_till_repeats_it(
        self, parked: ParkedSale, till: Till
    ) -> None:
        ParkedSale.objects.update(decided_at=NOON - 31 * DAY)
        forget_old_rows(now=NOON, log_days=0)

        assert till.post(croissants_and_coffee(payment_method="CARD")).status_code == 409

        again = ParkedSale.objects.get()
        assert (again.payload, again.times_received, again.decided_at) == ("", 2, NOON - 31 * DAY)

    def test_decided_lately_is_kept(self, parked: ParkedSale) -> None:
        ParkedSale.objects.update(decided_at=NOON - 30 * DAY)

        assert forget_old_rows(now=NOON, log_days=0).parked_sales == 0

    def test_that_nobody_has_decided_is_kept_for_ever(self, parked: ParkedSale) -> None:
        ParkedSale.objects.update(first_received_at=NOON - 9000 * DAY, last_received_at=NOON - 9000 * DAY)

        assert forget_old_rows(now=NOON, log_days=1).parked_sales == 0
        assert ParkedSale.objects.get().payload == parked.payload != ""


class TestThePruneCommand:
    def test_says_how_much_it_has_forgotten(self, parked: ParkedSale, till: Till, settings: Any) -> None:
        settings.ACTIVITY_RETENTION_DAYS = 10
        now = timezone.now()
        InboundCall.objects.update(at=now - 11 * DAY)
        ParkedSale.objects.update(decided_at=now - 31 * DAY)
        calls_at(till, now - 9 * DAY)
        said = StringIO()

        call_command("prune", stdout=said)

        assert said.getvalue() == "Forgotten: 2 calls, bodies of 1 decided parked sales, 0 test sales.\n"
        assert InboundCall.objects.count() == 1
