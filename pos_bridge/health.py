"""What there is to say of a campground's bridge at a moment: its card, its keys, and what has come in of late.

One statement gathers the figures, from the last 24 hours of this campground alone: the log along
``inbound_call_by_tenant``, batches along ``inbound_batch_by_call``, sales along ``transaction_by_arrival``, lines along
their primary key, which begins with the sale's and so with time. A second looks at each till's last sales; a third,
once a day, at its last four weeks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import IntegerField, Q, QuerySet, Subquery

from apikeys.models import ApiKey, Scope
from kasse.ids import first_id_at
from kasse.late import came_late
from kasse.models import LineKind, Source, Transaction, TransactionItem
from pos_bridge.arrivals import Arrival, last_arrivals
from pos_bridge.drift import Drift, may_change_day, measure
from pos_bridge.missing import LOOKED_AT, numbered_sales
from pos_bridge.models import BridgeSettings, InboundBatch, InboundCall, ParkedSale
from pos_bridge.remarks import IMPORTED
from pos_bridge.silence import NO_RHYTHM, Past, Rhythm, is_silent, midnight_before, rhythms_of
from tenants.models import Tenant

LATELY = timedelta(hours=24)
LAST_CALLS = 5
SETTINGS = ("enabled", "default_vat_rate")
NOT_ALL_TAKEN = Q(invalid__gt=0) | Q(failed__gt=0)
"""Of a batch: some of its sales were refused or failed. The call itself was answered 200."""
# A till that has given up calling tells nothing of today.
LAST_CALLS_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Lately:
    """The figures of 24 hours, but for ``parked``: all that wait, however long.

    ``refused`` are calls answered 4xx but 401, ``failed`` those answered 5xx; ``failed_last`` how many of the last
    five were. ``partly`` are batches of which a sale was refused or failed. ``unknown_vat`` and ``late`` are sales,
    not those that were imported.
    ``numbered`` is 1 if any sale that is looked at for missing receipts has a number, as is not the rule.
    """

    refused: int = 0
    failed: int = 0
    partly: int = 0
    failed_last: int = 0
    parked: int = 0
    unknown_vat: int = 0
    late: int = 0
    numbered: int = 0


@dataclass(frozen=True, slots=True)
class BridgeNow:
    """The bridge of a campground; ``keys`` are all it ever had, by name."""

    settings: BridgeSettings
    keys: tuple[ApiKey, ...]
    lately: Lately

    def selling_keys(self, *, at: datetime) -> list[ApiKey]:
        """The keys that may send sales at ``at``."""
        return [key for key in self.keys if Scope.POS_WRITE in key.scopes and key.is_active_at(at)]


@dataclass(frozen=True, slots=True)
class TillNow:
    """A till, that is a key: its last sale within four weeks, and what is to be said of its rhythm and its clock.

    ``may_change_day``: its clock is so far off that a sale could count for another business day.
    """

    key: ApiKey
    last_sale: datetime | None = None
    rhythm: Rhythm = NO_RHYTHM
    is_silent: bool = False
    drift: Drift | None = None
    may_change_day: bool = False

    @property
    def is_nearly_refused(self) -> bool:
        """Whether its clock is so far ahead that its sales soon come from the future."""
        return self.drift is not None and self.drift.is_nearly_refused


def tills_now(tenant: Tenant, keys: Sequence[ApiKey], *, at: datetime) -> list[TillNow]:
    """Look at the tills with these keys, in their order; a till with several is named by the youngest of them."""
    pasts = rhythms_of(tenant, at=at)
    since = min(at - LATELY, midnight_before(at, tenant.zone_info))
    last = last_arrivals(tenant, since=since, at=at)
    tills = {key.till_key_id: key for key in sorted(keys, key=lambda key: key.pk)}
    youngest = [key for key in keys if tills[key.till_key_id] == key]
    return [_till(key, pasts.get(key.till_key_id), last.get(key.till_key_id, []), at) for key in youngest]


def _till(key: ApiKey, past: Past | None, last: list[Arrival], at: datetime) -> TillNow:
    zone, cutoff_hour = key.tenant.zone_info, key.tenant.cutoff_hour
    rhythm = past.rhythm if past else NO_RHYTHM
    last_sale = last[0].received_at if last else past.last_sale if past else None
    drift = measure(last, zone)
    return TillNow(
        key=key,
        last_sale=last_sale,
        rhythm=rhythm,
        is_silent=last_sale is not None and is_silent(rhythm, last_sale=last_sale, at=at, zone=zone),
        drift=drift,
        may_change_day=drift is not None
        and may_change_day(drift, hours=rhythm.hours_of_day or drift.hours, cutoff_hour=cutoff_hour),
    )


def settings_of(tenant: Tenant) -> BridgeSettings:
    """The card of a campground; one without a card has the bridge switched on."""
    return BridgeSettings.objects.filter(tenant=tenant).first() or BridgeSettings(tenant=tenant)


def bridge_now(tenant: Tenant, *, at: datetime) -> BridgeNow:
    """Look at the bridge; without any key there was never a call, and nothing else to look at."""
    figures = _figures(tenant, at)
    settings = BridgeSettings.objects.filter(tenant=tenant)
    keys = list(
        ApiKey.objects.of(tenant)
        .annotate(**{name: Subquery(settings.values(name)) for name in SETTINGS}, **figures)
        .order_by("name", "pk")
    )
    for key in keys:
        key.tenant = tenant
    if not keys:
        return BridgeNow(settings_of(tenant), keys=(), lately=Lately())
    seen: Any = keys[0]
    known = {name: getattr(seen, name) for name in SETTINGS}
    return BridgeNow(
        # A campground without a card has the bridge switched on.
        BridgeSettings(tenant=tenant, **known) if known["enabled"] is not None else BridgeSettings(tenant=tenant),
        keys=tuple(keys),
        lately=Lately(**{name: getattr(seen, name) for name in figures}),
    )


class _CountOf(Subquery):
    """How many rows a query has, as a part of another statement."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        super().__init__(rows, output_field=IntegerField())


def _figures(tenant: Tenant, at: datetime) -> dict[str, _CountOf]:
    """The figures as parts of another statement; none depends on its rows, so each is counted once."""
    calls = InboundCall.objects.filter(tenant=tenant, at__gt=at - LAST_CALLS_WITHIN, at__lte=at)
    lately = calls.filter(at__gt=at - LATELY)
    last = calls.order_by("-at", "-pk").values("pk")[:LAST_CALLS]
    batches = InboundBatch.objects.of(tenant).filter(NOT_ALL_TAKEN, at__gt=at - LATELY, at__lte=at)
    sales = Transaction.objects.of(tenant).filter(
        source=Source.EXTERNAL_POS, received_at__gt=at - LATELY, received_at__lte=at
    )
    return {
        "refused": _CountOf(lately.filter(status__gte=400, status__lt=500).exclude(status=401).values("pk")),
        "failed": _CountOf(lately.filter(status__gte=500).values("pk")),
        "failed_last": _CountOf(calls.filter(pk__in=last, status__gte=500).values("pk")),
        "partly": _CountOf(batches.values("pk")),
        "parked": _CountOf(ParkedSale.objects.of(tenant).filter(decided_at=None).values("pk")),
        "unknown_vat": _CountOf(_sales_without_rate(tenant, at)),
        "late": _CountOf(sales.filter(came_late()).exclude(remarks__contains=IMPORTED).values("pk")),
        "numbered": _CountOf(numbered_sales(tenant, since=at - LOOKED_AT).values("pk")[:1]),
    }


def _sales_without_rate(tenant: Tenant, at: datetime) -> QuerySet[Any, Any]:
    """Outside sales with a line whose VAT nobody knows; a voucher sold has none to know, nor has what costs nothing."""
    lines = (
        TransactionItem.objects.of(tenant)
        .filter(
            transaction_id__gte=first_id_at(at - LATELY),
            transaction__source=Source.EXTERNAL_POS,
            transaction__received_at__lte=at,
            vat_rate=None,
        )
        .exclude(transaction__remarks__contains=IMPORTED)
    )
    return lines.exclude(kind=LineKind.VOUCHER_SALE).exclude(line_total=0).values("transaction_id").distinct()
