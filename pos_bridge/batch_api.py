"""``transactions/batch/``: many sales in one call, each answered as if it had come by itself."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from apikeys.models import Scope
from apikeys.permissions import Scopes
from pos_bridge.answers import remark_body
from pos_bridge.api import TransactionView
from pos_bridge.batch import Fate, take_in_many
from pos_bridge.dry_runs import each_body, is_dry_run
from pos_bridge.remarks import unknown_fields
from pos_bridge.splitting import split_batch
from pos_bridge.till_view import READING, READS
from pos_bridge.wire import body_of, json_answer

NAME = "batch"


class BatchView(TransactionView):
    """``transactions/batch/``: post many sales; and read back the one whose reference is ``batch``."""

    required_scopes: Scopes = {**READS, "POST": (Scope.POS_WRITE,)}
    # A post is counted before it begins: its sales are a transaction of their own, and may need a second one.
    counted_last = READING

    def post(self, request: Request) -> HttpResponse:
        """Record each sale once, however often it is sent."""
        dry = is_dry_run(request)
        batch = split_batch(body_of(request))
        results = take_in_many(
            admission=self.admission,
            documents=batch.documents,
            call=self.call,
            received_at=timezone.now(),
            stays=not dry,
        )
        bodies = [each_body(request, each, stays=not dry) for each in results]
        counts = Counter(each.fate for each in results)
        body: dict[str, Any] = {"results": bodies, "counts": {fate: counts[fate] for fate in Fate}}
        if dry:
            body["dry_run"] = True
        if batch.unknown:
            body["warnings"] = [remark_body(remark) for remark in unknown_fields(batch.unknown)]
        return json_answer(body)

    def get(self, request: Request, external_ref: str = NAME) -> HttpResponse:
        """The stored sale with this reference."""
        return super().get(request, external_ref)
