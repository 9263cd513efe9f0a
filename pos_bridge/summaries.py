"""What a day has come to by what outside tills have sent: for a till that compares it with its own Z-report."""

from __future__ import annotations

from datetime import date
from typing import Any

from apikeys.models import ApiKey
from apikeys.replacing import line_of
from kasse.models import Source, Transaction
from kasse.totals import Counted, DayTotals, day_totals
from pos_bridge.answers import money_text
from tenants.models import Tenant


def outside_totals(tenant: Tenant, day: date, *, key: ApiKey | None = None) -> DayTotals:
    """The totals of a business day's outside sales; with ``key``, of those that its till brought.

    Which sales these are is settled first: what comes in meanwhile is in no figure, rather than in some.
    """
    sales = Transaction.objects.of(tenant).filter(
        business_date=day, source=Source.EXTERNAL_POS, currency=tenant.currency
    )
    if key is not None:
        sales = sales.filter(api_key__in=line_of(key))
    return day_totals(tenant, day, only=list(sales.values_list("pk", flat=True)))


def summary_body(totals: DayTotals, *, mine: bool) -> dict[str, Any]:
    """A summary as tills read it."""
    sold = totals.sales + totals.refunds
    return {
        "business_date": totals.business_date.isoformat(),
        "mine": mine,
        "currency": totals.currency,
        "count": sold.count,
        "total_amount": money_text(sold.amount),
        "rounding_amount": money_text(totals.rounding_amount),
        "tip_amount": money_text(totals.tip_amount),
        "payments": [
            {
                "method": each.method,
                "count": each.paid.count,
                "amount": money_text(each.paid.amount),
                "tip_amount": money_text(each.tip_amount),
            }
            for each in totals.payments
        ],
        "vat_rates": [
            {"vat_rate": None if rate is None else money_text(rate), **_counted(lines)}
            for rate, lines in totals.by_vat_rate.items()
        ],
    }


def _counted(counted: Counted) -> dict[str, Any]:
    return {"count": counted.count, "amount": money_text(counted.amount)}
