"""Pages of connections: which there are, how they do, what waits; staff look, admins change."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from adapters.booking import take_event
from adapters.connections import address_of, open_connection, rename_till, renew_address
from adapters.forms import TAKEN, ConnectionForm
from adapters.models import WAITING, Connection, ConnectionCall, Standing, VendorEvent
from adapters.payloads import laid_out
from adapters.pill import pill_of
from adapters.pulling import pull_soon
from adapters.vendor import Vendor
from adapters.vendors import VENDORS
from adapters.words import BADGES, OUTCOMES, reason_text
from tenants.models import Tenant
from tenants.pages import Here, admin_page, staff_page
from tenants.trail_models import trace

ON_A_PAGE = 50
LATEST = 50
MAY_BE_MAPPED = (*WAITING, Standing.SET_ASIDE)


@staff_page
def connections(request: HttpRequest, here: Here) -> HttpResponse:
    """The connections there are, and the vendors that can be connected."""
    context = {"rows": rows_of(here.tenant), "vendors": list(VENDORS.values())}
    return render(request, "adapters/connections.html", context)


@staff_page
def connection(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """One connection: how it does, its address, what waits, and its log."""
    found = _connection(here, pk)
    counts = _counts(found)
    events = _events(here, found, request.GET.get("standing", ""))
    page = Paginator(events.order_by("-received_at", "-pk"), ON_A_PAGE).get_page(request.GET.get("page"))
    calls = ConnectionCall.objects.of(here.tenant).filter(connection=found).order_by("-at", "-pk")[:LATEST]
    context = {
        "connection": found,
        "vendor": VENDORS[found.vendor],
        "pill": pill_of(found, parked=sum(counts[each] for each in WAITING), at=timezone.now()),
        "address": address_of(found) if here.is_admin else None,
        "standings": [(each.value, each.label, counts[each]) for each in Standing if counts[each]],
        "chosen": request.GET.get("standing", ""),
        "page": page,
        "events": [_event_row(each) for each in page],
        "calls": [_call_row(each) for each in calls],
    }
    return render(request, "adapters/connection.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def open_new(request: HttpRequest, here: Here, code: str) -> HttpResponse:
    """Connect a vendor's till."""
    vendor = _vendor(code)
    fresh = Connection(tenant=here.tenant, vendor=code, currency=here.tenant.currency, created_at=timezone.now())
    form = ConnectionForm(request.POST or None, instance=fresh, vendor=vendor)
    if request.method == "POST" and form.is_valid():
        opened = form.fill(form.save(commit=False))
        try:
            with transaction.atomic():
                open_connection(opened, label=vendor.label)
                trace(here.tenant, "connection.opened", opened)
        except IntegrityError:
            # The same form sent twice at the same moment.
            form.add_error("name", TAKEN)
        else:
            messages.success(request, _("The connection is made. Now do at the vendor's what is described here."))
            return redirect("connection", opened.pk)
    return render(request, "adapters/form.html", {"form": form, "vendor": vendor})


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def change(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """Change a connection's settings; what was booked stays as it is."""
    found = _connection(here, pk)
    vendor = VENDORS[found.vendor]
    form = ConnectionForm(request.POST or None, instance=found, vendor=vendor)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.fill(form.save(commit=False)).save(update_fields=form.columns)
            rename_till(found, label=vendor.label)
            trace(here.tenant, "connection.changed", found, fields=sorted(form.changed_data))
        if form.tells_secrets:
            pull_soon(found)
        messages.success(request, _("The settings are saved. They hold from the next sale on."))
        return redirect("connection", pk)
    return render(request, "adapters/form.html", {"form": form, "vendor": vendor, "connection": found})


@require_POST
@admin_page
def switch(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """Switch a connection on or off."""
    found = _connection(here, pk)
    wanted = request.POST.get("enabled")
    if wanted not in {"on", "off"}:
        return redirect("connection", pk)
    found.enabled = wanted == "on"
    with transaction.atomic():
        found.save(update_fields=["enabled"])
        trace(here.tenant, f"connection.switched_{wanted}", found)
    if found.enabled:
        messages.success(request, _("The connection is switched on."))
    else:
        messages.warning(request, _("The connection is switched off. Its till is refused from now on."))
    return redirect("connection", pk)


@require_POST
@admin_page
def fetch_now(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """Let the scheduler ask the vendor at its next round."""
    found = _connection(here, pk)
    if VENDORS[found.vendor].pull is None:
        raise Http404
    pull_soon(found)
    messages.success(request, _("The vendor is asked within a minute."))
    return redirect("connection", pk)


@require_POST
@admin_page
def renew(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """Give a connection another address; the old one is nobody's at once."""
    found = _connection(here, pk)
    with transaction.atomic():
        renew_address(found)
        trace(here.tenant, "connection.address_renewed", found)
    pull_soon(found)
    messages.warning(request, _("The old address is closed. Enter the new one at the vendor's now."))
    return redirect("connection", pk)


@staff_page
def event(request: HttpRequest, here: Here, pk: int, event: int) -> HttpResponse:
    """What the vendor sent, without credentials, and what became of it."""
    found = _event(here, pk, event)
    context = {
        "connection": found.connection,
        "event": _event_row(found),
        "payload": laid_out(found.payload),
        "may_be_mapped": here.is_admin and found.standing in MAY_BE_MAPPED,
        "may_be_set_aside": here.is_admin and found.standing in WAITING,
    }
    return render(request, "adapters/event.html", context)


@require_POST
@admin_page
def map_again(request: HttpRequest, here: Here, pk: int, event: int) -> HttpResponse:
    """Map an event again, after a fix or with other settings; what is booked already is not booked again."""
    found = _event(here, pk, event)
    if found.standing not in MAY_BE_MAPPED:
        return redirect("vendor-event", pk, event)
    take_event(found, VENDORS[found.connection.vendor], at=timezone.now())
    trace(here.tenant, "event.mapped_again", found.connection, number=found.pk, outcome=found.standing)
    if found.standing == Standing.RECORDED:
        messages.success(request, _("It is booked now."))
    elif found.standing == Standing.IGNORED:
        messages.success(request, _("There is nothing to book in it."))
    else:
        messages.error(request, reason_text(found.reason))
    return redirect("vendor-event", pk, event)


@require_POST
@admin_page
def set_aside(request: HttpRequest, here: Here, pk: int, event: int) -> HttpResponse:
    """Decide that an event needs nothing more: it was booked by hand, or is none of ours."""
    found = _event(here, pk, event)
    waiting = VendorEvent.objects.of(here.tenant).filter(pk=event, standing__in=WAITING)
    with transaction.atomic():
        done = waiting.update(standing=Standing.SET_ASIDE, handled_at=timezone.now())
        if done:
            trace(here.tenant, "event.set_aside", found.connection, number=found.pk)
    if done:
        messages.success(request, _("It is set aside. It stays here, and can be booked later."))
    return redirect("vendor-event", pk, event)


def rows_of(tenant: Tenant) -> list[dict[str, Any]]:
    """Each connection of a campground with its vendor and its pill; one query, however many there are."""
    events = VendorEvent.objects.of(tenant).filter(connection=OuterRef("pk"), standing__in=WAITING)
    waiting = events.order_by().values("connection").annotate(n=Count("pk")).values("n")
    found = Connection.objects.of(tenant).filter(vendor__in=VENDORS).annotate(waiting=Coalesce(Subquery(waiting), 0))
    now = timezone.now()
    return [
        {"connection": each, "vendor": VENDORS[each.vendor], "pill": pill_of(each, parked=each.waiting, at=now)}
        for each in found.order_by("vendor", "name")
    ]


def _connection(here: Here, pk: int) -> Connection:
    rows = Connection.objects.of(here.tenant).filter(vendor__in=VENDORS)
    return get_object_or_404(rows.select_related("tenant"), pk=pk)


def _event(here: Here, pk: int, event: int) -> VendorEvent:
    rows = VendorEvent.objects.of(here.tenant).filter(connection__vendor__in=VENDORS)
    return get_object_or_404(rows.select_related("connection__tenant", "connection__till"), connection_id=pk, pk=event)


def _vendor(code: str) -> Vendor:
    if code not in VENDORS:
        raise Http404
    return VENDORS[code]


def _events(here: Here, found: Connection, standing: str) -> QuerySet[VendorEvent]:
    """The events of one standing; of all of them where none is chosen."""
    chosen = Q(standing=standing) if standing in Standing.values else Q()
    return VendorEvent.objects.of(here.tenant).filter(chosen, connection=found).defer("payload")


def _counts(found: Connection) -> Counter[str]:
    rows = VendorEvent.objects.of(found.tenant).filter(connection=found).values("standing").annotate(n=Count("pk"))
    return Counter({row["standing"]: row["n"] for row in rows})


def _event_row(event: VendorEvent) -> dict[str, Any]:
    return {
        "event": event,
        "badge": BADGES.get(event.standing, ""),
        "reason": reason_text(event.reason) if event.reason else "",
    }


def _call_row(call: ConnectionCall) -> dict[str, Any]:
    failed = call.status is not None and call.status >= 400
    badge = BADGES.get(call.outcome, "bad" if failed else "")
    return {"call": call, "word": OUTCOMES.get(call.outcome, call.outcome), "badge": badge}
