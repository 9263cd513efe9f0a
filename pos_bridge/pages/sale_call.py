"""The call that brought a sale: what the ledger's page of that sale cannot know, since the ledger knows no door.

That page names this address, and puts in what it answers; without a script it is a page of its own.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from apikeys.models import ApiKey
from kasse.models import Transaction
from pos_bridge.models import InboundBatch, InboundCall, Outcome
from pos_bridge.pages.call_rows import rows_of
from tenants.models import Tenant
from tenants.pages import Here, staff_page

# A call is noted when it begins, its sale when the whole body is here: a slow line lies between them.
AROUND = timedelta(minutes=5)
MOST_CALLS = 10


def _calls(tenant: Tenant, sale: Transaction) -> QuerySet[InboundCall]:
    """The calls that brought a sale: one of its own, or that of a batch, whose sales all came at one moment."""
    calls = InboundCall.objects.filter(
        tenant=tenant, at__range=(sale.received_at - AROUND, sale.received_at + AROUND), outcome=Outcome.CREATED
    )
    batches = InboundBatch.objects.of(tenant).filter(received_at=sale.received_at, api_key=sale.api_key)
    return calls.filter(
        Q(external_ref=sale.external_ref)
        | Q(external_ref="", at__in=batches.values("at"), request_id__in=batches.values("request_id"))
    )


@require_safe
@staff_page
def sale_call(request: HttpRequest, here: Here, pk: UUID) -> HttpResponse:
    """The rows of the activity log that a sale came with, as a rule one."""
    sale = get_object_or_404(Transaction.objects.of(here.tenant), pk=pk)
    found = list(_calls(here.tenant, sale).order_by("at", "pk")[:MOST_CALLS]) if sale.external_ref else []
    keys = {key.pk: key for key in ApiKey.objects.of(here.tenant).filter(pk__in=[call.api_key_id for call in found])}
    context = {
        "sale": sale,
        "rows": rows_of(here.tenant, found, keys),
        "days": settings.ACTIVITY_RETENTION_DAYS,
    }
    return render(request, "pos_bridge/sale_call.html", context)
