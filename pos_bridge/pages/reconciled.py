"""Whether the tills' day is complete: what the pages of the daily close cannot know, since the ledger knows no door.

They name this address, and put in what it answers; without a script it is a page of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Max, OuterRef, Q, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apikeys.models import ApiKey
from kasse.models import Source, Transaction
from kasse.money import ZERO
from pos_bridge.arrivals import TILL
from pos_bridge.models import Reconciliation, Verdict
from tenants.models import Tenant
from tenants.pages import Here, staff_page

ROWS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class TillsDay:
    """A till's day: what has come of it by now, and how it compared last, if it ever did."""

    key: ApiKey
    count: int = 0
    amount: Decimal = ZERO
    last_at: datetime | None = None
    compared: Reconciliation | None = None

    @property
    def state(self) -> str:
        """``complete``, ``incomplete``, ``outdated`` if sales came after a day that was complete, or ``none``."""
        if self.compared is None:
            return "none"
        if self.compared.verdict == Verdict.COMPLETE and self.last_at and self.last_at > self.compared.at:
            return "outdated"
        return self.compared.verdict

    @property
    def lists(self) -> list[tuple[str, int, list[object]]]:
        """The lists that are not empty: name, how many rows, and the first of them."""
        if self.compared is None:
            return []
        counts = {
            "missing_here": self.compared.missing_count,
            "unknown_to_you": self.compared.unknown_count,
            "amount_differs": self.compared.differing_count,
            "other_day": self.compared.other_day_count,
            "totals_differ": len(self.compared.details.get("totals_differ", ())),
        }
        rows = self.compared.details
        return [(name, count, rows.get(name, [])[:ROWS_SHOWN]) for name, count in counts.items() if count]


@require_safe
@staff_page
def day_reconciled(request: HttpRequest, here: Here, day: str) -> HttpResponse:
    """Every till that has sold on that day, or told of it."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise Http404 from None
    tills = tills_of(here.tenant, wanted)
    complete = bool(tills) and all(till.state == Verdict.COMPLETE for till in tills)
    context = {"day": wanted, "tills": tills, "complete": complete}
    return render(request, "pos_bridge/reconciled.html", context)


def tills_of(tenant: Tenant, day: date) -> list[TillsDay]:
    """The tills of a business day by name, in three statements."""
    compared = {each.api_key.till_key_id: each for each in _latest(tenant, day)}
    sales = Transaction.objects.of(tenant).filter(business_date=day, source=Source.EXTERNAL_POS, api_key__isnull=False)
    sums = (
        sales.order_by().values(till=TILL).annotate(n=Count("pk"), amount=Sum("total_amount"), last=Max("received_at"))
    )
    sold = {row["till"]: row for row in sums}
    named = ApiKey.objects.of(tenant).filter(Q(pk__in={*compared, *sold}) | Q(line__in={*compared, *sold}))
    youngest = {key.till_key_id: key for key in named.order_by("pk")}
    keys = sorted(youngest.values(), key=lambda key: (key.name, key.pk))
    return [
        TillsDay(key, row["n"], row["amount"], row["last"], compared.get(key.till_key_id))
        if (row := sold.get(key.till_key_id))
        else TillsDay(key, compared=compared.get(key.till_key_id))
        for key in keys
    ]


def _latest(tenant: Tenant, day: date) -> Iterable[Reconciliation]:
    """The last comparison of each key, the latest last, along ``reconciliation_by_day``."""
    of_day = Reconciliation.objects.of(tenant).filter(business_date=day)
    last = of_day.filter(api_key=OuterRef("api_key")).order_by("-at", "-pk").values("pk")[:1]
    return of_day.filter(pk=Subquery(last)).select_related("api_key").order_by("at", "pk")
