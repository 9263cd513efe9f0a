"""Many business days out of the ledger, in a fixed number of statements however many they are.

A ``Part`` is what one business day adds to a longer period. A day that is behind us adds what it was closed with, which
is read and never counted again, and what came late. Any other day adds what it has come to so far. Days to be counted
are counted together: each is of one moment, as ``totals.day_totals()`` would give it.

Whether anything came late to a day is seen by the number of its sales, which an index alone answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Count, Q

from kasse.closing_models import DailyClose
from kasse.models import LineKind, Status, Transaction
from kasse.net import RateTotal, by_rate, net_of
from kasse.periods import Span
from kasse.sqlite import on_sqlite
from kasse.totals import DayTotals, LineTotal, Row, gather, tills_by_currency, totals_of_rows
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Part:
    """What a business day was closed with, what came to it late, or what it has come to so far.

    VAT is rounded here, once for each rate: a sum of parts is a sum of rounded amounts.
    """

    totals: DayTotals
    rates: tuple[RateTotal, ...]
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class _Behind:
    """The closes among some days, and from which day to which closing has gone."""

    closes: Mapping[date, DailyClose]
    first: date | None
    last: date | None

    def __contains__(self, day: date) -> bool:
        """Whether the day is closed, or was passed over."""
        return self.first is not None and self.last is not None and self.first <= day <= self.last

    def sales_of(self, day: date) -> int:
        """How many sales its close is made of."""
        close = self.closes.get(day)
        return close.sale_count if close else 0


def parts_of(tenant: Tenant, span: Span, beside: Sequence[Span] = ()) -> tuple[list[Part], list[list[Part]]]:
    """The parts of a span, and of spans it is compared with; of these, the tills are all that can be relied on.

    A day with two currencies has a part for each.
    """
    spans = (span, *beside)
    behind = _closes(tenant, spans)
    counts = _counts(tenant, spans)
    still_open = [day for day in counts if day not in behind]
    moved = [day for day in counts if day in behind and counts[day] > behind.sales_of(day)]
    counted = _count(tenant, still_open, moved, whole=span) if still_open or moved else []
    parts = [
        *(_closed(close, span) for close in behind.closes.values()),
        *(Part(each, _rates(each), is_late=each.business_date in behind) for each in counted),
    ]
    parts.sort(key=lambda part: (part.totals.business_date, part.is_late))
    within = [[part for part in parts if part.totals.business_date in each] for each in spans]
    return within[0], within[1:]


def _of_days(spans: Iterable[Span]) -> Q:
    days = Q()
    for span in spans:
        days |= Q(business_date__range=(span.first, span.last))
    return days


def _closes(tenant: Tenant, spans: Sequence[Span]) -> _Behind:
    """Days close in their order, so the first number and the last tell from when to when."""
    closes = DailyClose.objects.of(tenant)
    last = Q(z_number=closes.order_by("-z_number").values("z_number")[:1])
    found = list(closes.filter(_of_days(spans) | Q(z_number=1) | last).order_by("z_number"))
    if not found:
        return _Behind({}, None, None)
    return _Behind(
        {each.business_date: each for each in found if any(each.business_date in span for span in spans)},
        found[0].business_date,
        found[-1].business_date,
    )


def _counts(tenant: Tenant, spans: Sequence[Span]) -> dict[date, int]:
    """How many rows each day has that has any, whatever their status: an index answers it.

    Days one by one, since of several ranges PostgreSQL would read all that lies between them.
    """
    rows = Transaction.objects.of(tenant).filter(business_date__in=sorted({day for span in spans for day in span.days}))
    return dict(rows.values("business_date").annotate(sales=Count("tenant")).values_list("business_date", "sales"))


def _closed(close: DailyClose, whole: Span) -> Part:
    return Part(close.day_totals, by_rate(close.net_lines) if close.business_date in whole else ())


def _rates(totals: DayTotals) -> tuple[RateTotal, ...]:
    """A day's VAT depends on the sum of each rate alone; put together before, there is less to spread."""
    sums = gather(((line.vat_rate, line.kind == LineKind.VOUCHER_SALE), line.sold) for line in totals.lines)
    kinds = {True: LineKind.VOUCHER_SALE, False: LineKind.SALE}
    return by_rate(net_of(LineTotal(rate, "", kinds[is_voucher], sold) for (rate, is_voucher), sold in sums.items()))


# As in totals.py, with the day in front. Of a day behind us only what no close has taken is counted.
STATEMENT = """
WITH sale AS MATERIALIZED (
    SELECT id, business_date, source, api_key_id, currency, total_amount, rounding_amount, tip_amount
    FROM kasse_transaction
    WHERE tenant_id = %(tenant)s AND status = %(status)s AND business_date IN STILL_OPEN
    UNION ALL
    SELECT id, business_date, source, api_key_id, currency, total_amount, rounding_amount, tip_amount
    FROM kasse_transaction AS late
    WHERE tenant_id = %(tenant)s AND status = %(status)s AND business_date IN MOVED
    AND NOT EXISTS (SELECT 1 FROM kasse_closedsale AS c WHERE c.tenant_id = %(tenant)s AND c.transaction_id = late.id)
)
SELECT 'till' AS part, sale.business_date, sale.source, sale.currency, MAX(k.name), sale.api_key_id,
    SUM(CASE WHEN total_amount < 0 THEN 0 ELSE 1 END), SUM(CASE WHEN total_amount < 0 THEN 0 ELSE total_amount END),
    SUM(CASE WHEN total_amount < 0 THEN 1 ELSE 0 END), SUM(CASE WHEN total_amount < 0 THEN total_amount ELSE 0 END),
    SUM(rounding_amount), SUM(tip_amount)
FROM sale LEFT JOIN apikeys_apikey AS k ON k.id = sale.api_key_id
GROUP BY sale.business_date, sale.source, sale.currency, sale.api_key_id
UNION ALL
SELECT 'payment', sale.business_date, sale.source, p.method, '', NULL, COUNT(*), SUM(p.amount), 0, 0, 0,
    SUM(p.tip_amount)
FROM sale CROSS JOIN kasse_payment AS p
WHERE p.tenant_id = %(tenant)s AND p.transaction_id = sale.id AND sale.business_date BETWEEN %(first)s AND %(last)s
GROUP BY sale.business_date, sale.source, p.method
UNION ALL
SELECT 'line', sale.business_date, i.category, i.kind, '', i.vat_rate, COUNT(*), SUM(i.line_total), 0, 0, 0, 0
FROM sale CROSS JOIN kasse_transactionitem AS i
WHERE i.tenant_id = %(tenant)s AND i.transaction_id = sale.id AND sale.business_date BETWEEN %(first)s AND %(last)s
GROUP BY sale.business_date, i.category, i.kind, i.vat_rate
"""
ON_SQLITE = STATEMENT.replace("IN STILL_OPEN", "IN (SELECT value FROM json_each(%(still_open)s))").replace(
    "IN MOVED", "IN (SELECT value FROM json_each(%(moved)s))"
)
ON_POSTGRESQL = STATEMENT.replace("IN STILL_OPEN", "= ANY(CAST(%(still_open)s AS date[]))").replace(
    "IN MOVED", "= ANY(CAST(%(moved)s AS date[]))"
)


def _count(tenant: Tenant, still_open: Collection[date], moved: Collection[date], *, whole: Span) -> list[DayTotals]:
    """Totals of the open days and of the late sales of others; payments and lines within ``whole`` alone."""
    asked: dict[str, int | str] = {
        "tenant": tenant.pk,
        "status": Status.COMPLETED.value,
        "still_open": _list_of(still_open),
        "moved": _list_of(moved),
        "first": whole.first.isoformat(),
        "last": whole.last.isoformat(),
    }
    rows: dict[tuple[str, date], list[Row]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(ON_SQLITE if on_sqlite() else ON_POSTGRESQL, asked)
        for part, day, *row in cursor.fetchall():
            rows[part, day if isinstance(day, date) else date.fromisoformat(day)].append(tuple(row))
    days = sorted(day for part, day in rows if part == "till")
    return [each for day in days for each in _day_totals(day, rows)]


def _list_of(days: Collection[date]) -> str:
    """A list as either engine reads it; the texts are ours."""
    texts = [day.isoformat() for day in days]
    return "[" + ",".join(f'"{each}"' for each in texts) + "]" if on_sqlite() else "{" + ",".join(texts) + "}"


def _day_totals(day: date, rows: Mapping[tuple[str, date], Sequence[Row]]) -> Iterable[DayTotals]:
    """A day's totals for each of its currencies; payments and lines are with the first."""
    payments, lines = rows.get(("payment", day), ()), rows.get(("line", day), ())
    for currency, tills in sorted(tills_by_currency(rows["till", day]).items()):
        yield totals_of_rows(day, currency, tills, payments, lines)
        payments, lines = (), ()
