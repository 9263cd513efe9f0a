"""``transactions/summary/`` and ``reconciliations/``: whether a till's day is complete."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from apikeys.models import Scope
from apikeys.permissions import Scopes
from pos_bridge.answers import remark_body
from pos_bridge.fields import DayField
from pos_bridge.intake import document_in
from pos_bridge.queries import SwitchField, read_query
from pos_bridge.reconciling import reconcile, reconciliation_body
from pos_bridge.remarks import unknown_fields
from pos_bridge.summaries import outside_totals, summary_body
from pos_bridge.telling import DaySerializer, read_day
from pos_bridge.till_view import READING, READS, TillView
from pos_bridge.wire import body_of, json_answer


class SummaryQuery(serializers.Serializer[Any]):
    """Filters of ``GET transactions/summary/``."""

    business_date = DayField()
    mine = SwitchField(required=False)


class SummaryView(TillView):
    """``transactions/summary/``: what a day has come to."""

    required_scopes: Scopes = READS
    counted_last = READING

    def get(self, request: Request) -> HttpResponse:
        """Outside sales, those of this till alone if asked."""
        query = read_query(request.query_params, SummaryQuery, paged=False)
        key, mine = self.admission.key, bool(query.get("mine"))
        totals = outside_totals(key.tenant, query["business_date"], key=key if mine else None)
        return json_answer(summary_body(totals, mine=mine))


class ReconciliationsView(TillView):
    """``reconciliations/``: the till's day against ours."""

    required_scopes: Scopes = {"POST": (Scope.POS_WRITE,)}

    def post(self, request: Request) -> HttpResponse:
        """Compare, and keep what was found."""
        document = document_in(body_of(request))
        kept, compared = reconcile(key=self.admission.key, told=read_day(document), at=timezone.now())
        body = reconciliation_body(kept, compared)
        unknown = [name for name in document if name not in DaySerializer._declared_fields]
        if unknown:
            body["warnings"] = [remark_body(remark) for remark in unknown_fields(unknown)]
        return json_answer(body)
