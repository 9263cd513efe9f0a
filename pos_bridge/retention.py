"""What is forgotten, and when: rows of the activity log and of imported files, and what was sent of parked sales that
staff have decided.

Sales are never forgotten. Neither is what was sent of a parked sale that nobody has decided: it may be the only trace
of money. A decided one keeps its row for ever: reference, fingerprint, differences, times, and the decision. So a till
that repeats it after years finds it decided, and nobody is asked to book the same sale again.
On PostgreSQL, months of the log that are over go as a whole (``partitions.py``). Everything else goes row by row, in
small batches, each its own transaction, so that no till waits for a long one.

Source: wire contract, section 5, "Kept 90 days".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from pos_bridge.importing.models import ImportedFile, ImportedReceipt, ImportState, SalesImport
from pos_bridge.models import InboundBatch, InboundCall, ParkedSale
from pos_bridge.partitions import drop_partitions_before

# On SQLite a batch holds the one write lock, for some milliseconds.
BATCH = 1000
DECIDED_SALES_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many calls went, and of how many parked sales what was sent."""

    calls: int
    parked_sales: int


def forget_old_rows(*, now: datetime, log_days: int) -> Forgotten:
    """Delete what is older than its time; ``log_days`` is that of the activity log, 0 keeps all of it."""
    if log_days:
        _forget_batches(before=now - timedelta(days=log_days))
        _forget_imports(before=now - timedelta(days=log_days))
    return Forgotten(
        calls=_forget_calls(before=now - timedelta(days=log_days)) if log_days else 0,
        parked_sales=_forget_decided_sales(before=now - DECIDED_SALES_KEPT),
    )


def _forget_calls(*, before: datetime) -> int:
    if connection.vendor == "sqlite":
        return _forget_calls_by_time(before)
    return drop_partitions_before(before) + _forget_calls_by_id(before)


def _forget_batches(*, before: datetime) -> None:
    """What became of batches goes with the rows of their calls, along ``inbound_batch_by_time``."""
    old = InboundBatch.objects.across_tenants().filter(at__lt=before).order_by("at").values("pk")[:BATCH]
    while _delete(InboundBatch.objects.across_tenants().filter(pk__in=list(old.values_list("pk", flat=True)))):
        pass


def _forget_imports(*, before: datetime) -> None:
    """The rows of imported files; of each import it stays known who made it, and how many receipts became what."""
    old = (
        SalesImport.objects.across_tenants()
        .filter(created_at__lt=before)
        .exclude(state=ImportState.RUNNING)
        .values("pk")
    )
    for rows in (
        ImportedFile.objects.across_tenants().filter(sales_import__in=old),
        ImportedReceipt.objects.across_tenants().filter(sales_import__in=old),
    ):
        while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
            _delete(rows.filter(pk__in=ids))


def _forget_calls_by_time(before: datetime) -> int:
    """SQLite: the oldest first, along the index on ``at``."""
    old = InboundCall.objects.filter(at__lt=before).order_by("at").values("pk")[:BATCH]
    forgotten = 0
    while batch := _delete(InboundCall.objects.filter(pk__in=old)):
        forgotten += batch
    return forgotten


def _forget_calls_by_id(before: datetime) -> int:
    """PostgreSQL: once along the primary key of the partitions that ``at`` leaves, never back.

    What is deleted stays in the index until it is vacuumed; a walk that began anew would meet it again each time.
    """
    old = InboundCall.objects.filter(at__lt=before)
    forgotten, last = 0, 0
    while ids := list(old.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        forgotten += _delete(old.filter(pk__gt=last, pk__lte=ids[-1]))
        last = ids[-1]
    return forgotten


def _forget_decided_sales(*, before: datetime) -> int:
    old = ParkedSale.objects.across_tenants().filter(decided_at__lt=before).exclude(payload="").order_by("pk")
    forgotten = 0
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        forgotten += ParkedSale.objects.across_tenants().filter(pk__in=ids).update(payload="")
    return forgotten


def _delete(rows: QuerySet[Any]) -> int:
    """Delete them in a transaction of their own; how many there were."""
    with transaction.atomic():
        return int(rows.delete()[0])
