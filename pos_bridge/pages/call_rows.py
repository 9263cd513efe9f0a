"""Logged calls as pages show them: in words, with the sale they brought."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404

from apikeys.models import ApiKey
from kasse.models import Transaction
from pos_bridge.explaining import OUTCOMES, Explanation, Text, deed_of, explain
from pos_bridge.models import InboundCall, Outcome, ParkedSale
from tenants.models import Tenant

CURSOR = re.compile(r"([0-9]{1,16})-([0-9]{1,18})")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)


class _Known(NamedTuple):
    """What a reference leads to: the stored sale, and the parked one if there is exactly one."""

    sale: UUID
    parked: int | None


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call, what it means, whose key it was, and the sale under its reference, if there is one."""

    call: InboundCall
    deed: Text
    word: Text
    badge: str
    explanation: Explanation | None
    key: ApiKey | None
    sale: UUID | None
    parked: int | None
    """The parked sale under its reference, if there is exactly one."""

    @property
    def is_parked(self) -> bool:
        """Whether what was sent waits among the parked sales, or did."""
        return self.call.outcome == Outcome.CONFLICT


def rows_of(tenant: Tenant, calls: Sequence[InboundCall], keys: Mapping[int, ApiKey]) -> list[CallRow]:
    """The rows, their sales looked up in one query; ``keys`` are the campground's, by id. Test sales have no page."""
    references = {call.external_ref for call in calls if call.external_ref}
    known = _known_under(tenant, references) if references and not tenant.is_rehearsal else {}
    return [_row(call, keys, known.get(call.external_ref)) for call in calls]


def _known_under(tenant: Tenant, references: set[str]) -> dict[str | None, _Known]:
    """What is known under each reference; a sale is parked only where another is stored."""
    parked = ParkedSale.objects.of(tenant).filter(external_ref=OuterRef("external_ref")).values("pk")
    sales = Transaction.objects.of(tenant).filter(external_ref__in=references)
    found = sales.values_list(
        "external_ref", "pk", Subquery(parked.order_by("pk")[:1]), Subquery(parked.order_by("-pk")[:1])
    )
    return {reference: _Known(sale, first if first == last else None) for reference, sale, first, last in found}


def _row(call: InboundCall, keys: Mapping[int, ApiKey], known: _Known | None) -> CallRow:
    word, badge = OUTCOMES.get(call.outcome, (call.outcome, ""))
    return CallRow(
        call=call,
        deed=deed_of(call),
        word=word,
        badge=badge,
        explanation=explain(call),
        key=keys.get(call.api_key_id or 0),
        sale=known.sale if known else None,
        parked=known.parked if known else None,
    )


@dataclass(frozen=True, slots=True)
class Slice:
    """Some calls, the newest first; ``older`` is the cursor of what follows, empty at the end."""

    calls: list[InboundCall]
    older: str


def newest(calls: QuerySet[InboundCall], *, before: str, size: int) -> Slice:
    """A page of the log along ``inbound_call_by_tenant``, as fast at its end as at its beginning.

    Raises:
        Http404: ``before`` is no cursor of ours.
    """
    found = list((_older_than(calls, before) if before else calls).order_by("-at", "-pk")[: size + 1])
    older = cursor_of(found[size - 1]) if len(found) > size else ""
    return Slice(found[:size], older)


def cursor_of(call: InboundCall) -> str:
    """Where a call stands in the log."""
    return f"{(call.at - EPOCH) // MICROSECOND}-{call.pk}"


def _older_than(calls: QuerySet[InboundCall], cursor: str) -> QuerySet[InboundCall]:
    found = CURSOR.fullmatch(cursor)
    if not found:
        raise Http404
    at, pk = EPOCH + int(found[1]) * MICROSECOND, int(found[2])
    # The first condition is that of the index, and leaves the months that come after it alone.
    return calls.filter(at__lte=at).filter(Q(at__lt=at) | Q(pk__lt=pk))
