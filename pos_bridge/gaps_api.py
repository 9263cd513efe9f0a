"""``gaps/``: which receipts a till has numbered and never brought."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from apikeys.permissions import Scopes
from pos_bridge.answers import instant_text
from pos_bridge.fields import EARLIEST, TillNameField
from pos_bridge.missing import Gap, Gaps, gaps_of
from pos_bridge.paging import Pages
from pos_bridge.queries import QueryInstantField, SwitchField, read_query
from pos_bridge.till_view import READS, TillView


class GapsQuery(serializers.Serializer[Any]):
    """Filters of ``GET gaps/``."""

    till_id = TillNameField(required=False)
    since = QueryInstantField(required=False)
    mine = SwitchField(required=False)


class GapsView(TillView):
    """``gaps/``: holes in the receipt numbers."""

    required_scopes: Scopes = READS

    def get(self, request: Request) -> HttpResponse:
        """What is missing and not explained, the last noticed first; of this key's till, unless asked for all."""
        query = read_query(request.query_params, GapsQuery)
        key = self.admission.key
        till = key.till_key_id if query.get("mine", True) else None
        found = gaps_of(key.tenant, at=timezone.now(), till=till, device=query.get("till_id"))
        rows = noticed_since(found, query.get("since", EARLIEST))
        pages = Pages()
        listed: list[Gap] = pages.paginate_queryset(rows, request, view=self) or []  # type: ignore[arg-type]  # a list will do
        return pages.answer([gap_body(gap, mine=gap.till == key.till_key_id) for gap in listed], **facts_of(found))


def noticed_since(found: Gaps, since: datetime) -> list[Gap]:
    """What is missing and was noticed at ``since`` or later."""
    return [gap for gap in found.missing if gap.hole.noticed_at >= since]


def gap_body(gap: Gap, *, mine: bool) -> dict[str, Any]:
    """A hole as tills read it."""
    hole = gap.hole
    return {
        "mine": mine,
        "till_id": gap.device or None,
        "first": hole.first,
        "last": hole.last,
        "count": hole.count,
        "sold_after": instant_text(hole.before.sold_at),
        "sold_before": instant_text(hole.after.sold_at),
        "noticed_at": instant_text(hole.noticed_at),
    }


def facts_of(found: Gaps) -> dict[str, Any]:
    """How far was looked, and how often so much was left out that it is not called missing."""
    return {"looked_from": instant_text(found.looked_from), "leaps": len(found.leaps)}
