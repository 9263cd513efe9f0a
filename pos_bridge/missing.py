"""Which receipts are missing at a campground: the holes in what its tills have numbered.

Each device of a till counts for itself. Looked at are the last 35 days, by the tills' clocks, but no more than the last
``MOST_SALES``, and where tills count wildly, the last ``MOST_BREAKS``. What was noticed less than 24 hours ago is not
told yet, for the till may still be sending.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias, cast

from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Q, QuerySet, Subquery, Window
from django.db.models.functions import Coalesce, Lag, Lead

from kasse.models import Transaction
from pos_bridge.arrivals import TILL
from pos_bridge.gap_models import ExplainedGap
from pos_bridge.gaps import Hole, Moment, Stretch, holes_in
from tenants.models import Tenant, User
from tenants.trail_models import trace

LOOKED_AT = timedelta(days=35)
MOST_SALES = 30_000
MOST_BREAKS = 5_000
QUIET = timedelta(hours=24)
REMEMBERED_SECONDS = 900

Device: TypeAlias = tuple[int, str]
"""A till, as ``ApiKey.till_key_id``, and which device of it, as ``Transaction.till_id``."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole, whose it is, and what was said about it."""

    till: int
    device: str
    hole: Hole
    explained: ExplainedGap | None = None

    @property
    def name(self) -> str:
        """What tells it from every other."""
        hole = self.hole
        return f"{self.till}/{hole.first}-{hole.last}/{hole.after.sold_at.timestamp()}/{self.device}"


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing, the last noticed first; ``leaps`` are so large that they are rather other numbers.

    ``looked_from``: since when, by the tills' clocks.
    """

    missing: tuple[Gap, ...]
    explained: tuple[Gap, ...]
    leaps: tuple[Gap, ...]
    looked_from: datetime

    @property
    def count(self) -> int:
        """How many numbers are missing and not explained."""
        return sum(gap.hole.count for gap in self.missing)


@dataclass(frozen=True, slots=True)
class Look:
    """The holes that sales from ``since`` on have, whatever was said about them."""

    since: datetime
    holes: tuple[tuple[Device, Hole], ...]


class Break(NamedTuple):
    """A number before or behind which the numbers do not go on."""

    till: int
    device: str
    number: int
    sold_at: datetime
    received_at: datetime
    before: int | None
    after: int | None
    since: datetime

    @property
    def moment(self) -> Moment:
        """When it was sold, and when it came."""
        return Moment(self.sold_at, self.received_at)

    @property
    def place(self) -> tuple[Any, ...]:
        """Where it stands; of the same number at the same time, the first is the one that follows another number."""
        goes_on = self.before == self.number, self.after != self.number
        return self.till, self.device, self.sold_at, self.number, *goes_on


def gaps_of(
    tenant: Tenant, *, at: datetime, till: int | None = None, device: str | None = None, look: Look | None = None
) -> Gaps:
    """What is missing at ``at``; of one till alone, named by ``ApiKey.till_key_id``, or of one device, if asked."""
    look = look or look_for_holes(tenant, at=at, till=till, device=device)
    told = [(whose, hole) for whose, hole in look.holes if hole.noticed_at <= at - QUIET]
    explained = _explained(tenant, since=look.since) if told else {}
    found = [Gap(*whose, hole, _explanation_of(hole, explained.get(whose, ()))) for whose, hole in told]
    found.sort(key=lambda gap: (gap.hole.noticed_at, gap.hole.first), reverse=True)
    return Gaps(
        missing=tuple(gap for gap in found if not gap.hole.is_leap and not gap.explained),
        explained=tuple(gap for gap in found if not gap.hole.is_leap and gap.explained),
        leaps=tuple(gap for gap in found if gap.hole.is_leap),
        looked_from=look.since,
    )


def gaps_remembered(tenant: Tenant, *, at: datetime) -> Gaps:
    """The same from a look that is a quarter of an hour old at most; what was said about it is of now."""
    look = cache.get_or_set(_remembered(tenant, at), lambda: look_for_holes(tenant, at=at), REMEMBERED_SECONDS)
    return gaps_of(tenant, at=at, look=cast(Look, look))


def gaps_to_remember(tenant: Tenant, *, at: datetime) -> Gaps:
    """The same from a look of now, which others will see, too."""
    look = look_for_holes(tenant, at=at)
    cache.set(_remembered(tenant, at), look, REMEMBERED_SECONDS)
    return gaps_of(tenant, at=at, look=look)


def _remembered(tenant: Tenant, at: datetime) -> str:
    return f"holes-{tenant.pk}-{at.timestamp() // REMEMBERED_SECONDS}"


def look_for_holes(tenant: Tenant, *, at: datetime, till: int | None = None, device: str | None = None) -> Look:
    """Look through the last 35 days, or through as many as can be seen at once."""
    numbered = numbered_sales(tenant, since=at - LOOKED_AT)
    last = Subquery(numbered.order_by("-occurred_at").values("occurred_at")[MOST_SALES - 1 : MOST_SALES])
    sales = numbered.annotate(since=Coalesce(last, at - LOOKED_AT)).filter(occurred_at__gte=F("since"))
    if till is not None:
        sales = sales.filter(Q(api_key=till) | Q(api_key__line=till))
    if device is not None:
        sales = sales.filter(till_id=device)
    breaks = [Break(*row) for row in _breaks(sales)[:MOST_BREAKS]]
    since = breaks[0].since if breaks else at - LOOKED_AT
    if len(breaks) == MOST_BREAKS:
        since = breaks[-1].sold_at
    breaks.sort(key=lambda each: each.place)
    holes = ((whose, hole) for whose, stretches in _stretches(breaks).items() for hole in holes_in(stretches))
    return Look(since=since, holes=tuple(holes))


def numbered_sales(tenant: Tenant, *, since: datetime) -> QuerySet[Transaction]:
    """A till's sales with a receipt number, from ``since`` on by its clock; along ``transaction_numbered``."""
    return Transaction.objects.of(tenant).filter(
        receipt_seq__isnull=False, occurred_at__gte=since, api_key__isnull=False
    )


def explain_gaps(tenant: Tenant, names: Iterable[str], *, reason: str, by: User, at: datetime) -> list[ExplainedGap]:
    """Say of missing receipts why they are, once and for ever.

    Left out are those that have come meanwhile, and those of which somebody else has just said it.
    """
    chosen = set(names)
    gaps = [gap for gap in gaps_of(tenant, at=at).missing if gap.name in chosen]
    with transaction.atomic():
        said = [_keep(tenant, gap, reason=reason, by=by, at=at) for gap in gaps]
        kept = [explained for explained, is_new in said if is_new]
        if kept:
            trace(tenant, "gap.explained", ", ".join(each.numbers for each in kept), reason=reason)
    return kept


def _keep(tenant: Tenant, gap: Gap, *, reason: str, by: User, at: datetime) -> tuple[ExplainedGap, bool]:
    """Of two people who say it at once, the first is heard."""
    sold = [moment.sold_at for moment in (gap.hole.before, gap.hole.after)]
    return ExplainedGap.objects.of(tenant).get_or_create(
        tenant=tenant,
        api_key_id=gap.till,
        till_id=gap.device,
        first=gap.hole.first,
        last=gap.hole.last,
        sold_before=max(sold),
        defaults={
            "sold_after": min(sold),
            "reason": reason,
            "explained_at": at,
            "explained_by": by,
            "explained_by_name": by.get_full_name() or by.get_username(),
        },
    )


def _breaks(sales: QuerySet[Any, Any]) -> Any:
    """Where the numbers of a device do not go on in the order in which it sold; the last sold first."""
    beside: dict[str, Any] = {
        "partition_by": [F("till"), F("till_id")],
        "order_by": [F("occurred_at"), F("receipt_seq")],
    }
    numbered = sales.annotate(
        till=TILL, before=Window(Lag("receipt_seq"), **beside), after=Window(Lead("receipt_seq"), **beside)
    )
    breaks = numbered.filter(
        Q(before=None) | ~Q(before=F("receipt_seq") - 1) | Q(after=None) | ~Q(after=F("receipt_seq") + 1)
    )
    return breaks.order_by("-occurred_at").values_list(
        "till", "till_id", "receipt_seq", "occurred_at", "received_at", "before", "after", "since"
    )


def _stretches(breaks: Iterable[Break]) -> dict[Device, list[Stretch]]:
    """What lies between the breaks, of each device; of one whose beginning is not among them, its end."""
    stretches: dict[Device, list[Stretch]] = defaultdict(list)
    first: Break | None = None
    for each in breaks:
        if first is None or each.before != each.number - 1:
            first = each
        if each.after != each.number + 1:
            stretches[each.till, each.device].append(Stretch(first.number, each.number, first.moment, each.moment))
            first = None
    return stretches


def _explained(tenant: Tenant, *, since: datetime) -> dict[Device, list[ExplainedGap]]:
    found: dict[Device, list[ExplainedGap]] = defaultdict(list)
    for each in ExplainedGap.objects.of(tenant).filter(sold_before__gte=since):
        found[each.api_key_id, each.till_id].append(each)
    return found


def _explanation_of(hole: Hole, explained: Iterable[ExplainedGap]) -> ExplainedGap | None:
    """What was said of the hole, or of a larger one of which this is what is left."""
    sold_after, sold_before = sorted((hole.before.sold_at, hole.after.sold_at))
    covering = (
        each
        for each in explained
        if each.first <= hole.first <= hole.last <= each.last
        and each.sold_after <= sold_after <= sold_before <= each.sold_before
    )
    return next(covering, None)
