"""Test sales are forgotten: after thirty days by themselves, or when staff empty a rehearsal.

With the sales goes all that hangs on them: what was parked, compared and logged. The database lets go of the rows of
tenants below zero alone; of a campground's own sales this could delete none, whatever it is asked.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction

from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge.models import InboundBatch, InboundCall, ParkedSale, Reconciliation
from tenants.models import Tenant

TEST_SALES_KEPT = timedelta(days=30)
AT_ONCE = 200


class NoRehearsal(Exception):
    """What is to be forgotten belongs to a campground."""


def forget_old_rehearsals(*, now: datetime) -> int:
    """Forget what was tried out more than thirty days ago, at every campground; how many sales that were."""
    return sum(
        forget_test_sales(each, before=now - TEST_SALES_KEPT) for each in Tenant.rehearsals.order_by("pk").iterator()
    )


def forget_test_sales(rehearsal: Tenant, *, before: datetime) -> int:
    """Forget what came before an instant; how many sales that were. Each batch is a transaction of its own.

    Raises:
        NoRehearsal: this is a campground.
        django.db.IntegrityError: a till sends meanwhile, and has met a sale that was about to go.
    """
    if not rehearsal.is_rehearsal:
        raise NoRehearsal
    forgotten = 0
    sales = _rows(Transaction, rehearsal).filter(received_at__lt=before).order_by("received_at", "id")
    while ids := list(sales.values_list("pk", flat=True)[:AT_ONCE]):
        _forget(rehearsal, ids)
        forgotten += len(ids)
    _rows(Reconciliation, rehearsal).filter(at__lt=before).delete()
    _rows(InboundBatch, rehearsal).filter(at__lt=before).delete()
    _rows(InboundCall, rehearsal).filter(at__lt=before).delete()
    return forgotten


@transaction.atomic
def _forget(rehearsal: Tenant, ids: list[Any]) -> None:
    _rows(ParkedSale, rehearsal).filter(stored__in=ids).delete()
    for part in (TransactionItem, Payment):
        _rows(part, rehearsal).filter(transaction__in=ids).delete()
    _rows(Transaction, rehearsal).filter(pk__in=ids).delete()


def _rows(model: type[models.Model], rehearsal: Tenant) -> models.QuerySet[Any]:
    """Rows of a rehearsal, past the managers that refuse to delete what is written once."""
    return model._base_manager.filter(tenant=rehearsal.pk)  # noqa: SLF001 (Django documents it, underscore and all)
