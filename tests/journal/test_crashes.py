"""Processes that are killed in the middle of posting, and tills that sell while a day is gathered: real ones."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from time import monotonic, sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone

from journal.claims import CLAIM
from journal.due import run_due
from journal.models import Journal, JournalSale, Revision, State
from journal.opening import open_journal
from kasse.models import Transaction
from tenants.models import Tenant
from tests.journal.books import DAY, NIGHT, StandingClock, books_of, in_business_one
from tests.journal.fake_business_one import FakeBusinessOne
from tests.journal.faults import Call, Reply
from tests.journal.test_races import start_run_due
from tests.kasse.selling import sell
from tests.server.process import PROJECT, database_url

pytestmark = pytest.mark.django_db(transaction=True)

MOMENTS = ["Login", "$filter=", "POST before", "POST after"]


class SlowBusinessOne(FakeBusinessOne):
    """Stops at a moment of the talk, for whoever wants to kill the other side then."""

    def __init__(self, moment: str) -> None:
        super().__init__()
        self.moment = moment
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def answer(self, call: Call) -> Reply | None:
        is_posting = call.method == "POST" and call.path.endswith("/JournalEntries")
        after = super().answer(call) if is_posting and self.moment == "POST after" else None
        wanted = is_posting if self.moment.startswith("POST") else self.moment in call.path
        if wanted and not self.reached.is_set():
            self.reached.set()
            self.go_on.wait(30)
            # Whoever called is dead; a proxy in between would have the call arrive all the same.
            return after or super().answer(call)
        return after or super().answer(call)


def run_all(now: datetime) -> StandingClock:
    clock = StandingClock(now)
    list(run_due(clock=clock))
    return clock


@pytest.mark.timeout(120)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_process_leaves_nothing_doubled_and_nothing_out(seeblick: Tenant, moment: str) -> None:
    sap = SlowBusinessOne(moment)
    try:
        day = (timezone.now() - timedelta(days=3)).date()
        in_business_one(seeblick, sap, first_date=day)
        sell(seeblick, "12.50", day=day)
        process = start_run_due()
        assert sap.reached.wait(60)
        process.kill()
        process.communicate()
        sap.go_on.set()
        now = timezone.now()
        run_all(now)
        assert len(sap.live()) <= 1

        clock = run_all(now + CLAIM + timedelta(minutes=1))
        for _minute in range(15):
            clock.go_on(minutes=1)
            list(run_due(clock=clock))

        revision = Revision.objects.exclude(state=State.NOTHING).get()
        assert revision.state == State.POSTED
        assert [str(each["Number"]) for each in sap.live()] == [revision.sap_number]
    finally:
        sap.go_on.set()
        sap.close()


SELLING = """
import django, sys
django.setup()
from tenants.models import Tenant
from tests.kasse.selling import sell
tenant = Tenant.objects.get(slug=sys.argv[1])
for number in range(int(sys.argv[2])):
    sell(tenant, "12.50")
"""


@pytest.mark.timeout(180)
def test_processes_that_sell_while_a_day_is_gathered_lose_no_sale(seeblick: Tenant, waldrand: Tenant) -> None:
    books_of(seeblick)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url(),
        "PYTHONPATH": str(PROJECT),
    }
    sellers = [
        subprocess.Popen([sys.executable, "-c", SELLING, "seeblick", "60"], cwd=PROJECT, env=environment)
        for _process in range(2)
    ]
    clock, began = StandingClock(), monotonic()
    while any(seller.poll() is None for seller in sellers) and monotonic() - began < 120:
        list(run_due(clock=clock))
        clock.go_on(days=1)
        sleep(0.02)
    clock.go_on(days=1)
    list(run_due(clock=clock))

    assert [seller.wait() for seller in sellers] == [0, 0]
    assert Transaction.objects.count() == JournalSale.objects.count() == 120
    journals = Journal.objects.filter(business_date=DAY)
    assert sum(journal.sale_count for journal in journals) == 120
    assert sum(journal.day_totals.total_amount for journal in journals) == 120 * 12.5
    assert journals.count() > 1


# SQLite has one writer: nobody waits with a sale there.
@pytest.mark.postgresql
def test_a_sale_that_commits_long_after_the_night_is_in_the_next_supplement(seeblick: Tenant) -> None:
    settings = books_of(seeblick)
    sell(seeblick, "7.00")
    begun, commit = threading.Event(), threading.Event()

    def sell_slowly() -> None:
        with transaction.atomic():
            sell(seeblick, "12.50")
            begun.set()
            commit.wait(20)
        connection.close()

    slow = threading.Thread(target=sell_slowly)
    slow.start()
    assert begun.wait(20)
    main = open_journal(settings, DAY, at=NIGHT, even_empty=True)
    commit.set()
    slow.join()
    run_all(NIGHT + timedelta(days=1))

    assert main is not None
    assert list(Journal.objects.filter(business_date=DAY).order_by("supplement").values_list("sale_count")) == [
        (1,),
        (1,),
    ]
    assert JournalSale.objects.count() == 2
