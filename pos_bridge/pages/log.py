"""The inbound activity log: every call of the campground's tills, and why one was refused."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from apikeys.models import ApiKey
from pos_bridge.models import InboundBatch, InboundCall
from pos_bridge.pages.call_rows import newest, rows_of
from pos_bridge.pages.log_filter import LogFilter
from tenants.pages import Here, asks_for_a_part, staff_page

PAGE = 50


@staff_page
def log(request: HttpRequest, here: Here) -> HttpResponse:
    """The log, narrowed and paged; its first page renews itself."""
    keys = {key.pk: key for key in ApiKey.objects.of(here.tenant).order_by("name", "pk")}
    chosen = LogFilter(request.GET, keys=keys.values())
    before = request.GET.get("before", "")
    page = newest(chosen.narrow(InboundCall.objects.filter(tenant=here.tenant)), before=before, size=PAGE)
    wanted = request.GET.copy()
    wanted.pop("before", None)
    context = {
        "rows": rows_of(here.tenant, page.calls, keys),
        "filter": chosen,
        "older": page.older,
        "is_first": not before,
        "wanted": wanted.urlencode(),
    }
    template = "pos_bridge/_calls.html" if asks_for_a_part(request) else "pos_bridge/log.html"
    return render(request, template, context)


@staff_page
def one_call(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """One call with everything that is known of it."""
    call = get_object_or_404(InboundCall, pk=pk, tenant__in=(here.tenant.pk, -here.tenant.pk))
    keys = {key.pk: key for key in ApiKey.objects.of_either(here.tenant).filter(pk=call.api_key_id or 0)}
    (row,) = rows_of(here.tenant, [call], keys)
    batch = InboundBatch.objects.of_either(here.tenant).filter(at=call.at, request_id=call.request_id).first()
    return render(request, "pos_bridge/call.html", {"row": row, "batch": batch})
