"""Several at once: processes that run what is due, people who press buttons, tills that go on selling."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from journal.due import run_due
from journal.models import Attempt, Deed, Journal, JournalSale, Outcome, Revision, State
from journal.opening import open_journal
from kasse.models import Source, Transaction
from tenants.models import Tenant
from tests.journal.books import DAY, NIGHT, StandingClock, books_of, in_business_one, post_it, revision_of
from tests.journal.fake_business_one import FakeBusinessOne
from tests.kasse.selling import sell
from tests.races.racing import race
from tests.server.process import PROJECT, database_url

pytestmark = pytest.mark.django_db(transaction=True)


def start_run_due() -> subprocess.Popen[str]:
    """The command in a process of its own, on the test's database, allowed to call this machine."""
    allowed = {"DEVELOPMENT": "1", "ALLOW_LOOPBACK_CALLS": "1", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_due"],
        cwd=PROJECT,
        env={**os.environ, **allowed, "DATABASE_URL": database_url()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestTwoProcesses:
    @pytest.mark.timeout(240)
    def test_that_run_what_is_due_post_each_day_once(
        self, seeblick: Tenant, waldrand: Tenant, business_one: FakeBusinessOne
    ) -> None:
        first = (timezone.now() - timedelta(days=5)).date()
        for tenant in (seeblick, waldrand):
            in_business_one(tenant, business_one, first_date=first)
            for number in range(3):
                sell(tenant, "12.50", day=first + timedelta(days=number))

        processes = [start_run_due() for _ in range(3)]
        said = [process.communicate(timeout=200) for process in processes]

        assert [process.returncode for process in processes] == [0, 0, 0], said
        assert len(business_one.live()) == 6
        assert Revision.objects.filter(state=State.POSTED).count() == 6
        done = Attempt.objects.filter(deed=Deed.POST, outcome=Outcome.DONE)
        assert Counter(done.values_list("revision", flat=True)).most_common(1)[0][1] == 1
        assert JournalSale.objects.count() == Transaction.objects.count() == 6
        assert "5815" in "".join(out for out, _ in said)


class TestManyThreads:
    def test_gather_each_sale_once(self, seeblick: Tenant, waldrand: Tenant) -> None:
        books = books_of(seeblick)
        for _number in range(5):
            sell(seeblick, "12.50")

        opened = race([partial(open_journal, books, DAY, at=NIGHT, even_empty=True)] * 6)

        assert sum(journal is not None for journal in opened) == 1
        assert Journal.objects.count() == 1
        assert JournalSale.objects.count() == 5

    def test_post_a_journal_once(self, seeblick: Tenant, business_one: FakeBusinessOne) -> None:
        books = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        journal = open_journal(books, DAY, at=NIGHT, even_empty=True)
        assert journal is not None

        race([partial(post_it, revision_of(journal), books, StandingClock())] * 6)

        assert len(business_one.live()) == 1
        assert Revision.objects.get().state == State.POSTED

    def test_lose_no_sale_that_comes_while_a_day_is_gathered(self, seeblick: Tenant) -> None:
        books_of(seeblick)
        clocks = [StandingClock(NIGHT + timedelta(days=day)) for day in range(4)]
        sale = partial(sell, seeblick, "12.50", source=Source.EXTERNAL_POS)
        sales: list[Callable[[], object]] = [sale] * 12
        runs: list[Callable[[], object]] = [partial(run_due_once, clock) for clock in clocks]

        race([*sales[:6], *runs, *sales[6:]])
        run_due_once(StandingClock(NIGHT + timedelta(days=9)))

        assert JournalSale.objects.count() == Transaction.objects.count() == 12
        journals = Journal.objects.filter(business_date=DAY).order_by("supplement")
        assert [journal.supplement for journal in journals] == list(range(len(journals)))
        assert sum(journal.sale_count for journal in journals) == 12


def run_due_once(clock: StandingClock) -> None:
    list(run_due(clock=clock))
