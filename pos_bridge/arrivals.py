"""What tills have brought, by our clock; not what staff have booked for them out of the parking lot, or a file."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Coalesce, RowNumber

from kasse.models import Source, Transaction
from pos_bridge.remarks import BOOKED_FROM_PARKING, IMPORTED
from tenants.models import Tenant

LAST_SALES = 25
NOT_BY_A_TILL = Q(remarks__contains=BOOKED_FROM_PARKING) | Q(remarks__contains=IMPORTED)
TILL = Coalesce("api_key__line", "api_key")
"""Which till has brought a sale, as ``ApiKey.till_key_id``: keys that have replaced one another are one till's."""


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
    return brought.exclude(NOT_BY_A_TILL)


def last_arrivals(tenant: Tenant, *, since: datetime, at: datetime) -> dict[int, list[Arrival]]:
    """The last sales of each till since then, 25 at most, the latest first; by ``ApiKey.till_key_id``."""
    place = Window(RowNumber(), partition_by=[TILL], order_by=[F("received_at").desc()])
    rows = arrivals(tenant, since=since, until=at + timedelta(microseconds=1)).annotate(till=TILL, place=place)
    last: dict[int, list[Arrival]] = defaultdict(list)
    for till, received_at, sent_at in (
        rows.filter(place__lte=LAST_SALES).order_by("place").values_list("till", "received_at", "sent_at")
    ):
        last[till].append(Arrival(received_at, sent_at))
    return dict(last)
