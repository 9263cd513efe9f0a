"""The demo's closed days: all but yesterday and today, which are left to whoever looks round."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from campone.demo.campgrounds import Plan
from kasse.business_day import bounds_of, today_of
from kasse.cash import DENOMINATIONS, CountedCash
from kasse.closing import NotClosed, close_day, preview
from kasse.models import Transaction
from tenants.models import Tenant, User

FLOAT = Decimal("200.00")
IN_THE_MORNING = timedelta(hours=8)
FIFTY = Decimal("0.50")


def close_days(plan: Plan, tenant: Tenant, *, at: datetime) -> int:
    """Close what is open before yesterday, each day on the morning after; how many days that was.

    What cannot be closed is left: people who look round close days as well.
    """
    yesterday = today_of(tenant, at) - timedelta(days=1)
    chief = User.objects.filter(username=plan.slug).first()
    rows = Transaction.objects.of(tenant).filter(business_date__lt=yesterday)
    closed = 0
    for day in rows.order_by("business_date").values_list("business_date", flat=True).distinct():
        morning = bounds_of(day, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)[1] + IN_THE_MORNING
        try:
            expected = preview(tenant=tenant, day=day, at=morning, first_float=FLOAT).drawer.expected
            # Once a week somebody gives a coin too much back.
            short = FIFTY if day.weekday() == 5 and expected >= FIFTY else Decimal(0)
            close_day(
                tenant=tenant,
                day=day,
                by=chief,
                at=morning,
                counted=coins_of(expected - short, tenant.currency),
                first_float=FLOAT,
                variance_reason="Wechselgeld falsch herausgegeben" if short else "",
            )
        except NotClosed:
            continue
        closed += 1
    return closed


def coins_of(amount: Decimal, currency: str) -> CountedCash:
    """An amount in as few notes and coins as possible; what no coin is small enough for, as a sum."""
    pieces: dict[Decimal, int] = {}
    rest = max(amount, Decimal(0))
    for value in DENOMINATIONS.get(currency, ()):
        pieces[value] = int(rest // value)
        rest %= value
    return CountedCash.of(pieces, other=rest)
