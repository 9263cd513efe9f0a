"""The demo's books: kept in files from the first day on, gathered and posted each night as ``run_due`` does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from journal.due import run_due_at
from journal.models import Journal
from journal.settings_models import Flavor, JournalSettings
from kasse.business_day import bounds_of, today_of
from kasse.models import Transaction
from tenants.models import Tenant

IN_THE_NIGHT = timedelta(hours=3)
A_DAY = timedelta(days=1)


def keep_books(tenant: Tenant, *, at: datetime) -> int:
    """Set up a campground's books, if nobody has, and post the days that are over; how many journals that was.

    Books that somebody has switched off, or led to a SAP, are left to them.
    """
    today = today_of(tenant, at)
    first = Transaction.objects.of(tenant).order_by("business_date").values_list("business_date", flat=True).first()
    JournalSettings.objects.get_or_create(
        tenant=tenant,
        defaults={"enabled": True, "first_date": first or today, "company_currency": tenant.currency},
    )
    settings = JournalSettings.objects.select_related("tenant").get(tenant=tenant)
    if not settings.enabled or settings.flavor != Flavor.FILES:
        return 0
    before = Journal.objects.of(tenant).count()
    day = settings.first_date if settings.swept_through is None else settings.swept_through + A_DAY
    while day < today:
        end = bounds_of(day, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)[1]
        run_due_at(settings, clock=_standing_at(min(end + IN_THE_NIGHT, at)))
        day += A_DAY
    return Journal.objects.of(tenant).count() - before


def _standing_at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment
