"""What has come in today, on the campground's clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max, QuerySet

from kasse.business_day import bounds_of, business_date
from pos_bridge.models import InboundCall
from tenants.models import Tenant


def calls_today(tenant: Tenant, *, at: datetime) -> QuerySet[InboundCall]:
    """The calls since the campground's business day began."""
    zone, cutoff_hour = tenant.zone_info, tenant.cutoff_hour
    today = business_date(at, zone=zone, cutoff_hour=cutoff_hour)
    begins, _ends = bounds_of(today, zone=zone, cutoff_hour=cutoff_hour)
    return InboundCall.objects.filter(tenant=tenant, at__gte=begins)


def count_by_key(tenant: Tenant, *, at: datetime) -> dict[int, int]:
    """How often each key has called today; a key that has not is missing."""
    rows = calls_today(tenant, at=at).filter(api_key__isnull=False).order_by()
    return dict(rows.values_list("api_key").annotate(calls=Count("pk")))


@dataclass(frozen=True, slots=True)
class Today:
    """The calls of today by what became of them, and the last of them."""

    counts: dict[str, int] = field(default_factory=dict)
    last: InboundCall | None = None

    @property
    def calls(self) -> int:
        """All of them."""
        return sum(self.counts.values())


def look_at_today(tenant: Tenant, *, at: datetime) -> Today:
    """In one statement. Of the last call, nothing is known but when it came, what became of it, and its id."""
    rows = calls_today(tenant, at=at).order_by().values_list("outcome")
    found = list(rows.annotate(calls=Count("pk"), last_at=Max("at"), last_pk=Max("pk")))
    if not found:
        return Today()
    outcome, _calls, last_at, last_pk = max(found, key=lambda row: row[2:])
    last = InboundCall(pk=last_pk, at=last_at, outcome=outcome)
    return Today({outcome: calls for outcome, calls, _at, _pk in found}, last)
