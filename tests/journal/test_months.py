"""Random months: what all journals say is what the ledger holds, whatever comes late, is given back or made anew."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journal.due import run_due
from journal.models import Journal, JournalSale, Revision, State
from journal.settings_models import JournalSettings
from journal.settling import begin_again
from kasse.models import LineKind, Payment, PaymentMethod, Source, TransactionItem
from kasse.money import ZERO
from kasse.net import net_of, vat_within
from kasse.totals import day_totals
from tenants.models import Tenant
from tests.factories import TenantFactory
from tests.journal.books import DAY, NIGHT, StandingClock, books_of, reverse_it
from tests.kasse.selling import sell

SALES = st.fixed_dictionaries(
    {
        "amount": st.integers(-5000, 50000).map(lambda rappen: str(Decimal(rappen) / 100)),
        "day": st.integers(0, 29).map(lambda days: DAY + timedelta(days=days)),
        "method": st.sampled_from([*PaymentMethod][:-1]),
        "source": st.sampled_from(Source),
        "rate": st.sampled_from(["8.1", "2.6", "3.8", "0", None]),
        "category": st.sampled_from(["Shop", "Restaurant", "Getränke & Eis", ""]),
        "kind": st.sampled_from(LineKind),
        "tip": st.sampled_from(["0.00", "0.00", "1.50"]),
        "rounding": st.sampled_from(["0.00", "0.00", "-0.02", "0.01"]),
    }
)


# What comes in time, what comes late, and what comes later still.
MONTHS = st.tuples(*(st.lists(SALES, max_size=size) for size in (25, 8, 4)))


@pytest.mark.timeout(300)
class TestAMonth:
    @given(month=MONTHS, reversals=st.lists(st.integers(0, 40), max_size=4))
    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_of_journals_is_the_month_of_the_ledger(
        self, waldrand: Tenant, month: tuple[list[Any], ...], reversals: list[int]
    ) -> None:
        JournalSettings.objects.update(enabled=False)  # those of the months before
        tenant = TenantFactory.create()
        books, clock = books_of(tenant), StandingClock(NIGHT + timedelta(days=30))
        sell(waldrand, "99.00")
        for sales in month:
            for sale in sales:
                sell(tenant, **sale)
            list(run_due(clock=clock))
            clock.go_on(days=1)
        before = frozen(tenant)
        for choice in reversals:
            if posted := posted_revisions(tenant):
                journal = reverse_it(posted[choice % len(posted)], books, clock).journal
                begin_again(journal, books, at=clock())
                list(run_due(clock=clock))

        assert_journals_are_the_ledger(tenant)
        assert {key: value for key, value in frozen(tenant).items() if key in before} == before

    def test_whose_days_come_in_parts_has_the_vat_of_whole_days(self, seeblick: Tenant) -> None:
        """Three coffees for 0.06 hold no Rappen of VAT each, and one together."""
        books_of(seeblick)
        clock = StandingClock()
        for _supplement in range(3):
            sell(seeblick, "0.06")
            list(run_due(clock=clock))
            clock.go_on(days=1)

        vat = [-line.amount for row in posted_revisions(seeblick) for line in row.postings if line.key == "vat.8.1"]
        assert vat_within(Decimal("0.06"), Decimal("8.1")) == ZERO
        assert vat_within(Decimal("0.18"), Decimal("8.1")) == sum(vat) == Decimal("0.01")


def frozen(tenant: Tenant) -> dict[int, Any]:
    """What may never change of what is posted."""
    rows = Revision.objects.of(tenant).filter(state__in=[State.POSTED, State.REVERSED])
    return {row.pk: (row.lines, row.reference, row.sap_number, row.journal_id) for row in rows}


def posted_revisions(tenant: Tenant) -> list[Revision]:
    return list(Revision.objects.of(tenant).filter(state=State.POSTED).select_related("tenant").order_by("pk"))


def assert_journals_are_the_ledger(tenant: Tenant) -> None:
    """By key, from the ledger's own rows: each sale is in one journal, and each Rappen under its key."""
    posted: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in posted_revisions(tenant):
        assert sum((line.amount for line in row.postings), ZERO) == ZERO
        for line in row.postings:
            posted[line.key] += line.amount
    held = sum(Journal.objects.of(tenant).values_list("sale_count", flat=True))

    assert held == JournalSale.objects.of(tenant).count() == count_of_sales(tenant)
    assert of(posted, "tender.") == payments_of(tenant)
    assert -of(posted, "revenue.") - of(posted, "vat.") == gross_of(tenant, vouchers=False)
    assert -of(posted, "vouchers") == gross_of(tenant, vouchers=True)
    for day_rate, vat in vat_of_days(tenant).items():
        assert vat == sum_of_vat(tenant, *day_rate), day_rate


def of(sums: dict[str, Decimal], kind: str) -> Decimal:
    return sum((amount for key, amount in sums.items() if key.startswith(kind)), ZERO)


def count_of_sales(tenant: Tenant) -> int:
    return Payment.objects.of(tenant).count()  # each of these sales is paid in one way


def payments_of(tenant: Tenant) -> Decimal:
    return sum((each.amount + each.tip_amount for each in Payment.objects.of(tenant)), ZERO)


def gross_of(tenant: Tenant, *, vouchers: bool) -> Decimal:
    items = TransactionItem.objects.of(tenant)
    wanted = [item for item in items if (item.kind == LineKind.VOUCHER_SALE) == vouchers]
    return sum((item.line_total for item in wanted), ZERO)


def vat_of_days(tenant: Tenant) -> dict[tuple[date, Decimal], Decimal]:
    """What the Z-report of each whole day says of each rate."""
    days = Journal.objects.of(tenant).values_list("business_date", flat=True).distinct()
    sums: dict[tuple[date, Decimal], Decimal] = defaultdict(lambda: ZERO)
    for day in days:
        for line in net_of(day_totals(tenant, day).lines):
            if line.vat_rate is not None:
                sums[day, line.vat_rate] += line.vat
    return sums


def sum_of_vat(tenant: Tenant, day: date, rate: Decimal) -> Decimal:
    """What all journals of a day, supplements too, say of one rate."""
    key = f"vat.{rate.normalize():f}"
    rows = Revision.objects.of(tenant).filter(state=State.POSTED, journal__business_date=day)
    return sum((-line.amount for row in rows for line in row.postings if line.key == key), ZERO)
