"""Whatever goes wrong, in whatever order: SAP has each journal once, and its sums are the ledger's.

Hypothesis draws sequences of sales, faults, crashes, reversals and passing time for two campgrounds that share one
company in SAP. After each step no journal is in SAP twice; once the faults have ended, each is there exactly once.

``JOURNAL_SEQUENCES`` says how many sequences are drawn for each SAP: few, unless asked for; the full run
draws 500.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from journal.claims import Claim
from journal.due import run_due
from journal.hands import SETTLING
from journal.models import Journal, JournalSale, Revision, State
from journal.settings_models import JournalSettings
from journal.settling import begin_again
from kasse.models import Payment, PaymentMethod, Source, Transaction, TransactionItem
from kasse.money import ZERO
from kasse.net import vat_within
from tenants.models import Tenant
from tests.factories import TenantFactory
from tests.journal.books import DAY, StandingClock, books_in, reverse_it
from tests.journal.fake_business_one import FakeBusinessOne
from tests.journal.fake_s4hana import FakeS4Hana
from tests.journal.faults import FakeSap, Fault
from tests.kasse.selling import sell

SEQUENCES = int(os.environ.get("JOURNAL_SEQUENCES", "25"))
STEPS = 14
# The slow ones are the treacherous ones. Those that make a client wait for its time-out cost real time, and are seldom.
FAULTS = [*(fault for fault in Fault if "HANG" not in fault.name), *[Fault.LATE] * 4] * 3
FAULTS += [Fault.HANG_BEFORE, Fault.HANG_AFTER]
MINUTES = st.sampled_from([1, 1, 2, 2, 5, 11, 60, 1440])
HOW = st.fixed_dictionaries(
    {
        "method": st.sampled_from([PaymentMethod.CASH, PaymentMethod.CARD, PaymentMethod.ON_TAB]),
        "source": st.sampled_from(Source),
        "rate": st.sampled_from(["8.1", "2.6", "0"]),
        "tip": st.sampled_from(["0.00", "0.00", "2.00"]),
    }
)
READING = [Fault.DROP_BEFORE, Fault.GATEWAY_BEFORE, Fault.GARBLED_AFTER, Fault.SESSION_ENDED]
NUMBERS = count()
ACCOUNTS = {"CASH": "1000", "CARD": "1090", "ON_TAB": "1100"}


class Crash(BaseException):
    """The machine went down."""


class Season(RuleBasedStateMachine):
    """A few days at two campgrounds, and a SAP that is not always well."""

    sap: FakeSap

    def __init__(self, sap: FakeSap) -> None:
        super().__init__()
        self.sap = sap
        forget(sap)
        self.clock = StandingClock()
        self.sap_works_since = timedelta(0)
        JournalSettings.objects.update(enabled=False)  # those of the sequences before
        number = next(NUMBERS)
        self.tenants = [TenantFactory.create(slug=f"{name}-{number}") for name in ("seeblick", "waldrand")]
        self.books = {tenant: books_in(sap, tenant) for tenant in self.tenants}
        for tenant in self.tenants:
            sell(tenant, "12.50")
            sell(tenant, "30.00", day=DAY + timedelta(days=1), method=PaymentMethod.CARD)

    @rule(which=st.integers(0, 1), day=st.integers(0, 2), rappen=st.integers(-2000, 20000), how=HOW)
    def sell(self, which: int, day: int, rappen: int, how: dict[str, Any]) -> None:
        sell(self.tenants[which], str(Decimal(rappen) / 100), day=DAY + timedelta(days=day), **how)

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3), minutes=MINUTES)
    def run_while_booking_fails(self, faults: list[Fault], minutes: int) -> None:
        self.sap.booking_faults.extend(faults)
        self.run_later(minutes)

    @rule(fault=st.sampled_from(READING), minutes=MINUTES)
    def run_while_looking_up_fails(self, fault: Fault, minutes: int) -> None:
        self.sap.reading_faults.append(fault)
        self.run_later(minutes)

    @rule(minutes=MINUTES)
    def run_later(self, minutes: int) -> None:
        """Time passes; within half of what we leave it, even a slow SAP comes to its end."""
        self.sap_works_since += timedelta(minutes=minutes)
        if self.sap_works_since >= SETTLING / 2:
            self.sap.finish_late()
            self.sap_works_since = timedelta(0)
        self.clock.go_on(minutes=minutes)
        list(run_due(clock=self.clock))

    @rule(tells=st.integers(0, 2))
    def run_and_crash(self, tells: int) -> None:
        """The machine goes down where something would be recorded, after so many records; its claims stay."""
        left = iter(range(tells))
        honest = Claim.tell

        def tell(held: Claim, *args: Any, **kwargs: Any) -> None:
            if next(left, None) is None:
                raise Crash
            honest(held, *args, **kwargs)

        with pytest.MonkeyPatch.context() as crash:
            crash.setattr(Claim, "tell", tell)
            crash.setattr(Claim, "give_back", lambda _: None)
            try:
                list(run_due(clock=self.clock))
            except Crash:
                return

    @rule(which=st.integers(0, 1), choice=st.integers(0, 99))
    def reverse_something(self, which: int, choice: int) -> None:
        tenant = self.tenants[which]
        posted = Revision.objects.of(tenant).filter(state=State.POSTED).select_related("tenant").order_by("pk")
        if posted:
            reverse_it(posted[choice % len(posted)], self.books[tenant], self.clock)

    @rule()
    def post_again_what_was_reversed(self) -> None:
        for tenant in self.tenants:
            for journal in reversed_journals(tenant):
                begin_again(journal, self.books[tenant], at=self.clock())

    @invariant()
    def no_journal_is_in_sap_twice(self) -> None:
        assert max(Counter(live_journals(self.sap)).values(), default=1) == 1

    def teardown(self) -> None:
        """The faults end, time goes on: everything comes right by itself; what was reversed is posted again."""
        self.sap.booking_faults.clear()
        self.sap.reading_faults.clear()
        self.sap.finish_late()
        self.clock.go_on(days=3)
        for _turn in range(4):
            list(run_due(clock=self.clock))
            self.post_again_what_was_reversed()
            self.clock.go_on(hours=7)
        for tenant in self.tenants:
            assert_books_are_the_ledgers(tenant, self.sap)


def forget(sap: FakeSap) -> None:
    """Empty books, no faults."""
    for kept in (sap.booking_faults, sap.reading_faults, sap.late, sap.calls):
        kept.clear()
    if isinstance(sap, FakeBusinessOne):
        for books in (sap.entries, sap.reversed_by, sap.sessions):
            books.clear()
    elif isinstance(sap, FakeS4Hana):
        sap.documents.clear()


def live_documents(sap: Any) -> Iterator[tuple[str, dict[str, Decimal]]]:
    """The reference of each live document, and its sum for each account, debit positive."""
    for document in sap.live():
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for line in document.get("JournalEntryLines", ()):
            sums[line["AccountCode"]] += Decimal(str(line.get("Debit", 0))) - Decimal(str(line.get("Credit", 0)))
        for row in document.get("rows", ()):
            sums[row["account"]] += row["amount"]
        yield document.get("Reference") or document["reference"], sums


def live_journals(sap: FakeSap) -> list[int]:
    """The journal of each live document."""
    journals = dict(Revision.objects.values_list("reference", "journal_id"))
    return [journals[reference] for reference, _ in live_documents(sap)]


def reversed_journals(tenant: Tenant) -> list[Journal]:
    live = Revision.objects.of(tenant).exclude(state=State.REVERSED).values("journal")
    return list(Journal.objects.of(tenant).exclude(pk__in=live))


def assert_books_are_the_ledgers(tenant: Tenant, sap: FakeSap) -> None:
    """Exactly one live document for each journal with something in it; their sums are the ledger's, to the Rappen."""
    posted = set(Revision.objects.of(tenant).filter(state=State.POSTED).values_list("reference", flat=True))
    ours = {reference: sums for reference, sums in live_documents(sap) if reference in posted}
    unfinished = Revision.objects.of(tenant).exclude(state__in=[State.POSTED, State.NOTHING, State.REVERSED])

    assert list(unfinished) == []
    assert set(ours) == posted
    assert JournalSale.objects.of(tenant).count() == Transaction.objects.of(tenant).count()
    assert summed(ours.values()) == sums_of_the_ledger(tenant)


def summed(documents: Any) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for each in documents:
        for account, amount in each.items():
            sums[account] += amount
    return {account: amount for account, amount in sums.items() if amount}


def sums_of_the_ledger(tenant: Tenant) -> dict[str, Decimal]:
    """From the ledger's own rows, by another way than the journal's: each account's sum, debit positive."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for payment in Payment.objects.of(tenant):
        sums[ACCOUNTS[payment.method]] += payment.amount + payment.tip_amount
        sums["2210"] -= payment.tip_amount
    gross: dict[tuple[Any, Any], Decimal] = defaultdict(lambda: ZERO)
    for item in TransactionItem.objects.of(tenant).select_related("transaction"):
        gross[item.transaction.business_date, item.vat_rate] += item.line_total
    for (_day, rate), amount in gross.items():
        vat = vat_within(amount, rate)
        sums["2200"] -= vat
        sums["3200"] -= amount - vat
    return {account: amount for account, amount in sums.items() if amount}


def run(sap: FakeSap) -> None:
    run_state_machine_as_test(
        cast(Any, lambda: Season(sap)),
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],  # making a failing one shorter takes minutes
        ),
    )


@pytest.mark.django_db
@pytest.mark.timeout(3600)
class TestSequencesOfFaults:
    def test_leave_business_one_with_each_journal_once(self, business_one: FakeBusinessOne) -> None:
        run(business_one)

    def test_leave_s4hana_with_each_journal_once(self, s4hana: FakeS4Hana) -> None:
        run(s4hana)
