"""Late sales: those of a day that is behind us, and no part of its close.

A day is behind us once it is closed, or a later one is: the drawer that its cash went into has been counted since. A
late sale keeps its true day and leaves the close as it is; the journal books it in a supplement.

Staff see a mark on these, and on those that came too late for something else: a room that gathers sales says in
``ALSO_LATE`` which have missed it. Closes and totals know the first kind alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.lookups import IsNull

from kasse.closing_models import ClosedSale, DailyClose
from kasse.models import Status, Transaction
from kasse.totals import Counted
from tenants.models import Tenant

Condition: TypeAlias = Callable[[QuerySet[Any]], Any]
ALSO_LATE: list[Callable[[Condition], Q]] = []


def late_sales(tenant: Tenant, day: date) -> QuerySet[Transaction]:
    """The late sales of a business day, as they came in; none while the day is open."""
    of_day = Transaction.objects.of(tenant).filter(business_date=day)
    return of_day.filter(is_late()).order_by("received_at", "id")


def with_late(sales: QuerySet[Transaction]) -> QuerySet[Transaction]:
    """The same sales, each with ``late``: a few look-ups along unique keys for a row, within their statement."""
    return sales.annotate(late=ExpressionWrapper(came_late(_has_a_row), output_field=BooleanField()))


def came_late(exists: Condition = Exists) -> Q:
    """The condition on a sale that staff see the mark on: late for its close, or for whatever else gathers sales."""
    conditions = (condition(exists) for condition in ALSO_LATE)
    return reduce(or_, conditions, is_late(exists))


def is_late(exists: Condition = Exists) -> Q:
    """The condition on a sale: complete, on or before the last day closed, not before the first, and in no close."""
    closes = DailyClose.objects.of(OuterRef("tenant"))
    return (
        Q(status=Status.COMPLETED)
        & Q(exists(closes.filter(business_date__gte=OuterRef("business_date"))))
        & Q(exists(closes.filter(business_date__lte=OuterRef("business_date"))))
        & ~Q(exists(_places()))
    )


def _places() -> QuerySet[ClosedSale]:
    """The sale's place in a close, if it has one."""
    return ClosedSale.objects.of(OuterRef("tenant")).filter(transaction=OuterRef("pk"))


def _has_a_row(rows: QuerySet[Any]) -> Any:
    """As a column, PostgreSQL would answer ``EXISTS`` by reading the whole table first, for a page of fifty rows."""
    return IsNull(Subquery(rows.values("tenant")[:1]), False)


def is_behind_us(tenant: Tenant, day: date) -> bool:
    """Whether the day, or a later one, is closed; days before the first close never are."""
    closes = DailyClose.objects.of(tenant)
    return closes.filter(business_date__gte=day).exists() and closes.filter(business_date__lte=day).exists()


def outside_closes(tenant: Tenant, first: date, last: date) -> dict[date, Counted]:
    """The complete sales in no close, of each business day from ``first`` to ``last`` that has any.

    Those of a day that is behind us are late, those of any other are yet to be closed.
    """
    sales = Transaction.objects.of(tenant).filter(business_date__range=(first, last), status=Status.COMPLETED)
    grouped = sales.filter(~Q(Exists(_places()))).values("business_date").order_by("business_date")
    return {
        row["business_date"]: Counted(row["count"], row["amount"])
        for row in grouped.annotate(count=Count("pk"), amount=Sum("total_amount"))
    }
