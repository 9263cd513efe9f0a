"""What is forgotten, and when: rows of the activity log, and parked sales that staff have decided.

Sales are never forgotten. Neither is a parked sale that nobody has decided: it may be the only trace of money.
Rows go in small batches, each its own transaction, so that no till waits for a long one.

Source: wire contract, section 5, "Kept 90 days".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from pos_bridge.models import InboundCall, ParkedSale

BATCH = 500
DECIDED_SALES_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows went."""

    calls: int
    parked_sales: int


def forget_old_rows(*, now: datetime, log_days: int) -> Forgotten:
    """Delete what is older than its time; ``log_days`` is that of the activity log, 0 keeps all of it."""
    decided = ParkedSale.objects.filter(decided_at__lt=now - DECIDED_SALES_KEPT)
    return Forgotten(
        calls=_forget(InboundCall.objects.filter(at__lt=now - timedelta(days=log_days))) if log_days else 0,
        parked_sales=_forget(decided),
    )


def _forget(rows: QuerySet[Any]) -> int:
    """Delete ``rows`` batch by batch, until none is left."""
    forgotten = 0
    while batch := _forget_some(rows):
        forgotten += batch
    return forgotten


def _forget_some(rows: QuerySet[Any]) -> int:
    with transaction.atomic():
        some = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        return int(rows.model._default_manager.filter(pk__in=some).delete()[0])
