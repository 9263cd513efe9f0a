"""What tills have brought, by our clock; not what staff have booked for them out of the parking lot."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from kasse.models import Source, Transaction
from pos_bridge.remarks import BOOKED_FROM_PARKING
from tenants.models import Tenant

LAST_SALES = 25


@dataclass(frozen=True, slots=True)
class Arrival:
    """A sale came at ``received_at``, sent at ``sent_at`` by the till's clock, if it said so."""

    received_at: datetime
    sent_at: datetime | None


def arrivals(tenant: Tenant, *, since: datetime, until: datetime) -> QuerySet[Transaction]:
    """The sales that came from ``since`` on and before ``until``, along ``transaction_by_arrival``."""
    brought = Transaction.objects.of(tenant).filter(
        source=Source.EXTERNAL_POS, received_at__gte=since, received_at__lt=until, api_key__isnull=False
    )
    return brought.exclude(remarks__contains=BOOKED_FROM_PARKING)


def last_arrivals(tenant: Tenant, *, since: datetime, at: datetime) -> dict[int, list[Arrival]]:
    """The last sales of each till since then, 25 at most, the latest first; by key."""
    place = Window(RowNumber(), partition_by=[F("api_key")], order_by=[F("received_at").desc()])
    rows = arrivals(tenant, since=since, until=at + timedelta(microseconds=1)).annotate(place=place)
    last: dict[int, list[Arrival]] = defaultdict(list)
    for key, received_at, sent_at in (
        rows.filter(place__lte=LAST_SALES).order_by("place").values_list("api_key", "received_at", "sent_at")
    ):
        last[key].append(Arrival(received_at, sent_at))
    return dict(last)
