"""What a business day came to, in the groups that pages, closes and the journal speak of.

One statement answers all of it, so that the parts are of one moment and add up although tills go on selling:

* the tills make up the total, sales and refunds apart
* the payments by source and method make it up too; a mixed sale counts in each of its methods
* the lines by VAT rate, category and kind make it up together with the rounding

The total is what was to pay: VAT and rounding included, tips outside.

A day is read along ``transaction_by_day``, its lines and payments along their primary keys: what it costs depends on
the day, not on how many years lie before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from django.db import connection

from catalogue.exact_decimals import number_of
from kasse.models import LineKind, PaymentMethod, Source, Status
from kasse.money import ZERO
from kasse.sqlite import on_sqlite
from tenants.models import Tenant

JSON_VERSION = 1
K = TypeVar("K")
Row: TypeAlias = tuple[Any, ...]
"""A group of the statement below, without the name of its part."""


class MixedCurrencies(Exception):
    """The day has sales in more than one currency; no sum of them means anything."""


@dataclass(frozen=True, slots=True)
class Counted:
    """So many, and what they sum up to."""

    count: int = 0
    amount: Decimal = ZERO

    def __add__(self, other: Counted) -> Counted:
        return Counted(self.count + other.count, self.amount + other.amount)


@dataclass(frozen=True, slots=True)
class TillTotal:
    """What came through one key, named as it is named now; the front desk has none."""

    source: Source
    api_key: int | None
    name: str
    sales: Counted
    refunds: Counted
    rounding_amount: Decimal
    tip_amount: Decimal


@dataclass(frozen=True, slots=True)
class PaymentTotal:
    """The payments of one source and method; tips lie outside the amount."""

    source: Source
    method: PaymentMethod
    paid: Counted
    tip_amount: Decimal


@dataclass(frozen=True, slots=True)
class LineTotal:
    """The lines of one VAT rate (percent, None for unknown), category and kind; gross."""

    vat_rate: Decimal | None
    category: str
    kind: LineKind
    sold: Counted


@dataclass(frozen=True, slots=True)
class DayTotals:
    """A business day. Amounts are in ``currency``, exact, two places; refunds are negative; groups are in order."""

    business_date: date
    currency: str
    tills: tuple[TillTotal, ...] = ()
    payments: tuple[PaymentTotal, ...] = ()
    lines: tuple[LineTotal, ...] = ()

    @property
    def sales(self) -> Counted:
        """What is no refund; a free coffee is a sale."""
        return sum((till.sales for till in self.tills), Counted())

    @property
    def refunds(self) -> Counted:
        return sum((till.refunds for till in self.tills), Counted())

    @property
    def total_amount(self) -> Decimal:
        """Sales less refunds, rounding included, tips outside."""
        return (self.sales + self.refunds).amount

    @property
    def rounding_amount(self) -> Decimal:
        return sum((till.rounding_amount for till in self.tills), ZERO)

    @property
    def tip_amount(self) -> Decimal:
        return sum((till.tip_amount for till in self.tills), ZERO)

    @property
    def by_vat_rate(self) -> dict[Decimal | None, Counted]:
        """The lines of each rate, the lowest first, those of unknown rate last."""
        return gather((line.vat_rate, line.sold) for line in self.lines)

    @property
    def by_category(self) -> dict[str, Counted]:
        """The lines of each category."""
        return gather((line.category, line.sold) for line in self.lines)

    @property
    def by_method(self) -> dict[PaymentMethod, Counted]:
        """The payments of each method, whatever their source."""
        return gather((payment.method, payment.paid) for payment in self.payments)

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it, amounts as texts. ``from_json()`` gives back an equal value, years later too."""
        return {"version": JSON_VERSION, **msgspec.to_builtins(self)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> DayTotals:
        """What ``to_json()`` has written.

        Raises:
            ValueError: something else has, or a version that this one does not know.
        """
        if stored.get("version") != JSON_VERSION:
            raise ValueError(f"Day totals of version {stored.get('version')!r}.")
        return msgspec.convert(stored, cls)


# A row for each group: its part, up to three names, a number (key or rate), then sums. CROSS JOIN tells SQLite to begin
# with the day; by itself it begins with all lines of the campground. To PostgreSQL it is a join like any other.
STATEMENT = """
WITH day AS MATERIALIZED (
    SELECT id, source, api_key_id, currency, total_amount, rounding_amount, tip_amount
    FROM kasse_transaction
    WHERE tenant_id = %(tenant)s AND business_date = %(day)s AND status = %(status)s
)
SELECT 'till' AS part, day.source, day.currency, MAX(k.name), day.api_key_id,
    SUM(CASE WHEN total_amount < 0 THEN 0 ELSE 1 END), SUM(CASE WHEN total_amount < 0 THEN 0 ELSE total_amount END),
    SUM(CASE WHEN total_amount < 0 THEN 1 ELSE 0 END), SUM(CASE WHEN total_amount < 0 THEN total_amount ELSE 0 END),
    SUM(rounding_amount), SUM(tip_amount)
FROM day LEFT JOIN apikeys_apikey AS k ON k.id = day.api_key_id
GROUP BY day.source, day.currency, day.api_key_id
UNION ALL
SELECT 'payment', day.source, p.method, '', NULL, COUNT(*), SUM(p.amount), 0, 0, 0, SUM(p.tip_amount)
FROM day CROSS JOIN kasse_payment AS p
WHERE p.tenant_id = %(tenant)s AND p.transaction_id = day.id
GROUP BY day.source, p.method
UNION ALL
SELECT 'line', i.category, i.kind, '', i.vat_rate, COUNT(*), SUM(i.line_total), 0, 0, 0, 0
FROM day CROSS JOIN kasse_transactionitem AS i
WHERE i.tenant_id = %(tenant)s AND i.transaction_id = day.id
GROUP BY i.category, i.kind, i.vat_rate
"""

# The same, of given sales alone: a list of any length is one value.
_ALL, _ONLY = "status = %(status)s", "status = %(status)s AND id IN (SELECT {value} FROM {values})"
OF_SALES_ON_POSTGRESQL = STATEMENT.replace(
    _ALL, _ONLY.format(value="CAST(value AS uuid)", values="json_array_elements_text(%(only)s::json) AS value")
)
OF_SALES_ON_SQLITE = STATEMENT.replace(_ALL, _ONLY.format(value="value", values="json_each(%(only)s)"))


def day_totals(tenant: Tenant, day: date, *, only: Sequence[UUID] | None = None) -> DayTotals:
    """What a business day of a campground has come to so far; completed transactions alone.

    With ``only``, of these sales alone, as far as they are of that day: what a close or a journal has taken.

    Raises:
        MixedCurrencies: the campground has changed its currency within the day.
    """
    asked: dict[str, str | int] = {"tenant": tenant.pk, "day": day.isoformat(), "status": Status.COMPLETED.value}
    statement = STATEMENT
    if only is not None:
        statement = OF_SALES_ON_SQLITE if on_sqlite() else OF_SALES_ON_POSTGRESQL
        asked["only"] = msgspec.json.encode([each.hex for each in only]).decode()
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        rows: dict[str, list[Row]] = defaultdict(list)
        for part, *row in cursor.fetchall():
            rows[part].append(tuple(row))
    by_currency = tills_by_currency(rows["till"])
    if len(by_currency) > 1:
        raise MixedCurrencies(", ".join(sorted(by_currency)))
    currency, tills = by_currency.popitem() if by_currency else (tenant.currency, [])
    return totals_of_rows(day, currency, tills, rows["payment"], rows["line"])


def tills_by_currency(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The statement's rows of tills, apart by what they sold in."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[1]].append(row)
    return found


def totals_of_rows(
    day: date, currency: str, tills: Iterable[Row], payments: Iterable[Row], lines: Iterable[Row]
) -> DayTotals:
    """The statement's rows of one day and currency, as a value in its order."""
    return DayTotals(
        business_date=day,
        currency=currency,
        tills=tuple(sorted(map(_till, tills), key=lambda till: (till.source, till.api_key or 0))),
        payments=tuple(sorted(map(_payment, payments), key=lambda each: (each.source, each.method))),
        lines=tuple(sorted(map(_line, lines), key=_place_of_line)),
    )


def _till(row: Row) -> TillTotal:
    source, _, name, api_key, sales, sold, refunds, refunded, rounding, tips = row
    return TillTotal(
        source=Source(source),
        api_key=api_key,
        name=name or "",
        sales=Counted(int(sales), _money(sold)),
        refunds=Counted(int(refunds), _money(refunded)),
        rounding_amount=_money(rounding),
        tip_amount=_money(tips),
    )


def _payment(row: Row) -> PaymentTotal:
    source, method, _, _, count, amount, *_, tips = row
    return PaymentTotal(Source(source), PaymentMethod(method), Counted(int(count), _money(amount)), _money(tips))


def _line(row: Row) -> LineTotal:
    category, kind, _, rate, count, amount, *_ = row
    vat_rate = None if rate is None else _money(rate)
    return LineTotal(vat_rate, category, LineKind(kind), Counted(int(count), _money(amount)))


def _place_of_line(line: LineTotal) -> tuple[bool, Decimal, str, str]:
    return line.vat_rate is None, line.vat_rate or ZERO, line.category, line.kind


def _money(units: Any) -> Decimal:
    """Rappen, which PostgreSQL sums up as a decimal, in francs; a rate's hundredths are the same to it."""
    return number_of(int(units), 2)


def gather(pairs: Iterable[tuple[K, Counted]]) -> dict[K, Counted]:
    """One sum for each key, in the order in which the keys come first."""
    sums: dict[K, Counted] = {}
    for key, counted in pairs:
        sums[key] = sums.get(key, Counted()) + counted
    return sums
