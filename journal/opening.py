"""Gathering sales into journals: each sale of a finished day into one journal, once.

A journal takes all completed sales of its day that no journal has. Which these are is settled in the transaction that
sums them up, under the campground's lock: a sale that comes a moment later is in the next supplement of its day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from journal.models import Journal, JournalSale, Revision, State
from journal.postings import summed
from journal.references import reference_of
from journal.settings_models import JournalSettings
from journal.takings import gross_by_rate
from kasse.models import Status, Transaction
from kasse.money import plain
from kasse.totals import DayTotals, MixedCurrencies, day_totals
from tenants.models import Tenant

A_DAY = timedelta(days=1)


def last_finished_day(settings: JournalSettings, *, now: datetime) -> date:
    """The last business day that may be posted: it has ended, and the hour of posting after it has struck.

    Read off the wall clock, like the business day itself: on the night without two o'clock, it has struck at three.
    """
    tenant = settings.tenant
    local = now.astimezone(tenant.zone_info)
    has_struck = local.hour >= max(settings.posting_hour, tenant.cutoff_hour)
    return local.date() - (A_DAY if has_struck else 2 * A_DAY)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The journals that were opened, and why some days have none: they are tried again with the next last day."""

    journals: tuple[Journal, ...] = ()
    troubles: tuple[str, ...] = ()


def gather(settings: JournalSettings, *, through: date, at: datetime) -> Gathered:
    """Open what is missing, from the first day on ``through`` the last, in order.

    A day that had none gets its main journal, though it be empty; late sales of any other make a supplement. Done
    once for each last day: late sales then wait for the next one, so that a day has no supplement for every minute.
    """
    tenant, swept = settings.tenant, settings.swept_through
    since = settings.first_date if swept is None else max(settings.first_date, swept + A_DAY)
    new = {since + A_DAY * number for number in range((through - since).days + 1)}
    days = new | _days_with_unjournalled_sales(tenant, settings.first_date, through)
    opened, troubles = list[Journal | None](), list[str]()
    for day in sorted(days):
        try:
            opened.append(open_journal(settings, day, at=at, even_empty=day in new))
        except MixedCurrencies as error:
            troubles.append(f"{day}: {error}")
    JournalSettings.objects.filter(pk=settings.pk).update(swept_through=through)
    settings.swept_through = through
    return Gathered(tuple(journal for journal in opened if journal is not None), tuple(troubles))


def open_journal(settings: JournalSettings, day: date, *, at: datetime, even_empty: bool) -> Journal | None:
    """The next journal of a day with its first revision; None if no sale waits, and it has one or may have none.

    Raises:
        kasse.totals.MixedCurrencies: the campground has changed its currency within the day.
    """
    tenant = settings.tenant
    with transaction.atomic():
        # One at a time for a campground; SQLite has one writer anyway.
        JournalSettings.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        before = list(Journal.objects.of(tenant).filter(business_date=day).order_by("supplement"))
        ids = list(unjournalled_sales(tenant).filter(business_date=day).order_by("id").values_list("id", flat=True))
        if not ids and (before or not even_empty):
            return None
        journal = _write(tenant, day_totals(tenant, day, only=ids), ids, before, at=at)
        add_revision(journal, flavor=settings.flavor, at=at)
    return journal


def add_revision(journal: Journal, *, flavor: str, at: datetime) -> Revision:
    """The journal's next revision, to be posted; refused by the database while another one is live."""
    tenant = journal.tenant
    last = Revision.objects.of(tenant).filter(journal=journal).aggregate(last=Max("revision"))["last"] or 0
    return Revision.objects.create(
        tenant=tenant,
        journal=journal,
        revision=last + 1,
        reference=reference_of(
            slug=tenant.slug,
            business_date=journal.business_date,
            supplement=journal.supplement,
            revision=last + 1,
        ),
        state=State.DRAFT,
        flavor=flavor,
        created_at=at,
    )


def unjournalled_sales(tenant: Tenant) -> QuerySet[Transaction]:
    """Completed sales that no journal has."""
    journalled = JournalSale.objects.of(tenant).filter(transaction=OuterRef("pk"))
    return Transaction.objects.of(tenant).filter(~Exists(journalled), status=Status.COMPLETED)


def earlier_gross(journals: list[Journal]) -> dict[Decimal, Decimal]:
    """The gross at each VAT rate in journals of one day, together."""
    return summed(pair for journal in journals for pair in gross_by_rate(journal.day_totals).items())


def _days_with_unjournalled_sales(tenant: Tenant, first: date, last: date) -> set[date]:
    waiting = unjournalled_sales(tenant).filter(business_date__range=(first, last))
    return set(waiting.values_list("business_date", flat=True).distinct())


def _write(tenant: Tenant, totals: DayTotals, ids: list[UUID], before: list[Journal], *, at: datetime) -> Journal:
    journal = Journal.objects.create(
        tenant=tenant,
        business_date=totals.business_date,
        supplement=before[-1].supplement + 1 if before else 0,
        currency=totals.currency,
        sale_count=len(ids),
        totals=totals.to_json(),
        earlier={plain(rate, places=2): plain(gross, places=2) for rate, gross in earlier_gross(before).items()},
        opened_at=at,
    )
    JournalSale.objects.bulk_create(
        [JournalSale(tenant=tenant, transaction_id=each, journal=journal) for each in ids], batch_size=1000
    )
    return journal
