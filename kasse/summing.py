"""What a filtered list of sales comes to: all of it, over all pages, in one statement and so at one moment.

What was paid by each method is of the list without its filter by method: how many sales choosing the method would
list, and how much of them was paid so. A mixed sale counts for each of its methods, with that part of it; without the
filter the parts make up the total. A sale that is not mixed was paid by its method alone, all of it.

Every status counts, since every row that is listed does; what is not complete is also counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, QuerySet, Value

from catalogue.exact_decimals import number_of
from kasse.filters import paid_by
from kasse.models import TENDERS, PaymentMethod, Status, Transaction
from kasse.money import ZERO
from kasse.totals import Counted
from tenants.models import Tenant

NONE = Counted()
# A group for each currency, method, status and sign; then the payments of mixed sales, which alone need a look.
STATEMENT = """
WITH chosen AS {materialized} ({chosen})
SELECT currency, payment_method, status, total_amount < 0, listed, COUNT(*), SUM(total_amount), SUM(tip_amount)
FROM chosen GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT chosen.currency, p.method, 'PAYMENTS', FALSE, FALSE, COUNT(DISTINCT chosen.id), SUM(p.amount), SUM(p.tip_amount)
FROM chosen CROSS JOIN kasse_payment AS p
WHERE chosen.payment_method = 'MIXED' AND p.tenant_id = %s AND p.transaction_id = chosen.id
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Group:
    """A row of the answer, amounts in Rappen; ``status`` is PAYMENTS where it is of the mixed sales' payments."""

    currency: str
    method: str
    status: str
    is_refund: bool
    listed: bool
    count: int
    amount: int
    tips: int

    @property
    def counted(self) -> Counted:
        """How many, and how much."""
        return Counted(int(self.count), number_of(int(self.amount), 2))


@dataclass(frozen=True, slots=True)
class Paid:
    """How many sales were paid with a method, if only in part, and how much of them; tips outside."""

    method: PaymentMethod
    currency: str
    paid: Counted = NONE
    tip_amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class ListSums:
    """What the sales of one currency sum up to; refunds are negative, tips outside."""

    currency: str
    sales: Counted = NONE
    refunds: Counted = NONE
    tip_amount: Decimal = ZERO
    incomplete: Counted = NONE

    @classmethod
    def of(cls, currency: str, groups: Iterable[Group]) -> Self:
        """Those of the groups that are listed, in one currency."""
        listed = [each for each in groups if each.listed and each.currency == currency]
        return cls(
            currency=currency,
            sales=_sum(each for each in listed if not each.is_refund),
            refunds=_sum(each for each in listed if each.is_refund),
            tip_amount=_tips(listed),
            incomplete=_sum(each for each in listed if each.status != Status.COMPLETED),
        )

    @property
    def all(self) -> Counted:
        """Sales less refunds."""
        return self.sales + self.refunds


@dataclass(frozen=True, slots=True)
class Sums:
    """All of it: one currency as a rule, more if the campground has changed its own."""

    lists: Sequence[ListSums]
    payments: Sequence[Paid]

    @property
    def count(self) -> int:
        """How many sales and refunds are listed."""
        return sum(each.all.count for each in self.lists)

    def paid_by(self, method: str) -> Sequence[Paid]:
        """The payments of one method."""
        return [each for each in self.payments if each.method == method]


def sums_of(tenant: Tenant, sales: QuerySet[Transaction], *, method: str = "", many: bool = False) -> Sums:
    """The sums of a campground's ``sales``, of which those paid with ``method`` are listed.

    If they are ``many``, they are read twice rather than laid by: PostgreSQL then puts all its hands to it.
    """
    groups = _ask(tenant, sales, method, many)
    currencies = sorted({each.currency for each in groups}) or [tenant.currency]
    return Sums(
        [ListSums.of(currency, groups) for currency in currencies],
        [paid for currency in currencies for paid in _paid(currency, groups)],
    )


def _ask(tenant: Tenant, sales: QuerySet[Transaction], method: str, many: bool) -> list[Group]:
    is_paid_so = ExpressionWrapper(paid_by(method), output_field=BooleanField()) if method else Value(True)
    columns = ("id", "currency", "payment_method", "status", "total_amount", "tip_amount", "listed")
    chosen = sales.order_by().annotate(listed=is_paid_so).values_list(*columns)
    try:
        text, values = chosen.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return []
    statement = STATEMENT.format(chosen=text, materialized="NOT MATERIALIZED" if many else "MATERIALIZED")
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, tenant.pk])
        return [Group(*row) for row in cursor.fetchall()]


def _paid(currency: str, groups: Iterable[Group]) -> Iterable[Paid]:
    """What was paid by each method, in the order in which methods are named everywhere."""
    for method in TENDERS:
        of_method = [each for each in groups if (each.currency, each.method) == (currency, method)]
        if of_method:
            yield Paid(method, currency, _sum(of_method), _tips(of_method))


def _sum(groups: Iterable[Group]) -> Counted:
    return sum((each.counted for each in groups), NONE)


def _tips(groups: Iterable[Group]) -> Decimal:
    return sum((number_of(int(each.tips), 2) for each in groups), ZERO)
