"""Several browsers drive one import, or the same file is imported twice at once: each receipt is taken exactly once."""

from __future__ import annotations

from functools import partial

import pytest

from kasse.models import Transaction
from pos_bridge.importing.models import ImportedReceipt, ImportState, SalesImport
from pos_bridge.importing.staging import NotToBeStarted, open_import, stage
from pos_bridge.importing.working import finish, work
from tenants.models import Tenant
from tests.factories import NOON
from tests.pos_bridge.import_files import HEADER, csv_file
from tests.races.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
RECEIPTS = [["28.04.2026", "09:00", str(number), "Bar", "3.50", "2.6"] for number in range(1, 121)]


def opened(tenant: Tenant) -> SalesImport:
    return open_import(tenant=tenant, name="april.csv", content=csv_file(HEADER, *RECEIPTS), by=None, at=NOON)


def drive(made: SalesImport) -> int:
    """Work until nothing is left for us; how many pieces."""
    pieces = 0
    while work(made, at=NOON, most=7):
        pieces += 1
    return pieces


def try_to_start(made: SalesImport) -> bool:
    try:
        stage(made, dry_run=False, at=NOON)
    except NotToBeStarted:
        return False
    return True


class TestOneImport:
    def test_driven_by_four_is_taken_once(self, seeblick: Tenant, waldrand: Tenant) -> None:
        made = opened(seeblick)
        stage(made, dry_run=False, at=NOON)

        pieces = race([partial(drive, SalesImport.objects.of(seeblick).get()) for _ in range(4)])

        finish(made, at=NOON)
        made.refresh_from_db()
        assert sum(pieces) >= len(RECEIPTS) // 7
        assert (made.state, made.created, made.done) == (ImportState.DONE, 120, 120)
        assert Transaction.objects.of(seeblick).count() == 120

    def test_started_by_four_is_started_once(self, seeblick: Tenant) -> None:
        made = opened(seeblick)

        assert sum(race([partial(try_to_start, SalesImport.objects.of(seeblick).get()) for _ in range(4)])) == 1
        assert ImportedReceipt.objects.of(seeblick).filter(sales_import=made).count() == 120


class TestTheSameFileTwice:
    def test_at_once_is_booked_once(self, seeblick: Tenant) -> None:
        both = [opened(seeblick), opened(seeblick)]
        for made in both:
            stage(made, dry_run=False, at=NOON)

        race([partial(drive, made) for made in both])

        for made in both:
            made.refresh_from_db()
        assert Transaction.objects.of(seeblick).count() == 120
        assert sum(made.created for made in both) == 120
        assert sum(made.replayed for made in both) == 120
