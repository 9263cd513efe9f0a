"""What is forgotten of connections, and when: lines of their logs, and events that are in the ledger or were no sale.

A parked event is never forgotten, nor one that waits: it may be the only trace of money. Names of sales stay for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from adapters.models import ConnectionCall, Standing, VendorEvent

BATCH = 1000
SETTLED = (Standing.RECORDED, Standing.IGNORED, Standing.SET_ASIDE)


def forget_old_rows(*, now: datetime, days: int) -> int:
    """Delete what is older than ``days``, in small batches; 0 keeps all. How many rows went."""
    if not days:
        return 0
    before = now - timedelta(days=days)
    return _forget(ConnectionCall.objects.across_tenants().filter(at__lt=before)) + _forget(
        VendorEvent.objects.across_tenants().filter(
            received_at__lt=before, last_received_at__lt=before, standing__in=SETTLED
        )
    )


def _forget(old: QuerySet[Any]) -> int:
    forgotten = 0
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            forgotten += int(old.model._default_manager.filter(pk__in=ids).delete()[0])
    return forgotten
