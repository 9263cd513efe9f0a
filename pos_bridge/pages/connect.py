"""Connect a till: from a new key to its first sales, on one page.

The answer to the form shows the token, as text, as QR code and in the programs, this once. What can be looked at again,
under the key's own address, is how far its till has come and what it is answered.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from apikeys.models import ApiKey
from apikeys.replacing import line_of
from apikeys.states import state_of, with_state
from pos_bridge.models import InboundCall
from pos_bridge.pages.addresses import api_url
from pos_bridge.pages.call_rows import newest, rows_of
from pos_bridge.pages.keys import minting
from pos_bridge.pages.progress import WINDOW, steps_of
from pos_bridge.pages.rehearsing import keys_with_switch, test_sales_of
from pos_bridge.pages.snippets import snippets_for
from tenants.pages import Here, asks_for_a_part, staff_page
from tenants.qr import qr_code
from tenants.rehearsals import rehearsal_of

LAST_CALLS = 20
MOST_KEYS = 50


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def connect_till(request: HttpRequest, here: Here) -> HttpResponse:
    """Step one: a new key, or one that is there already. Staff look on, its admins mint.

    Raises:
        PermissionDenied: a form of somebody who may not mint.
    """
    context = {"keys": _active_keys(here)}
    if not here.is_admin:
        if request.method == "POST":
            raise PermissionDenied
        return render(request, "pos_bridge/connect.html", context)
    return minting(
        request,
        here,
        show=lambda minted: _connecting(request, here, minted.key, token=minted.token),
        form_page="pos_bridge/connect.html",
        afterwards=lambda key: ("connect-key", key.pk),
        context=context,
    )


@staff_page
def connect_key(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """How far the till of a key has come; every few seconds that part alone."""
    key = get_object_or_404(keys_with_switch(here.tenant), pk=pk)
    if asks_for_a_part(request):
        return render(request, "pos_bridge/_connect_live.html", _live(here, key))
    return _connecting(request, here, key)


def _connecting(request: HttpRequest, here: Here, key: ApiKey, token: str = "") -> HttpResponse:
    """The page of a key; with its token when it has just been minted."""
    context = {
        **_live(here, key),
        "token": token,
        "token_qr": qr_code(token) if token else "",
        "api_url": api_url(),
        "url_qr": qr_code(api_url()),
        "snippets": snippets_for(key, token) if token else snippets_for(key),
    }
    return render(request, "pos_bridge/connect_key.html", context)


def _live(here: Here, key: ApiKey) -> dict[str, Any]:
    now = timezone.now()
    key.tenant = home = rehearsal_of(here.tenant) if key.is_test else here.tenant
    calls = InboundCall.objects.filter(tenant=home, api_key__in=line_of(key), at__gte=now - WINDOW)
    rows = rows_of(home, newest(calls, before="", size=LAST_CALLS).calls, {key.pk: key})
    steps = steps_of(key, at=now)
    return {
        "key": key,
        "is_alone": all(row.call.api_key_id == key.pk for row in rows),
        "state": state_of(key, at=now),
        "rows": rows,
        "steps": steps,
        "all_done": all(s.done for s in steps),
        **(test_sales_of(key) if key.is_test else {}),
    }


def _active_keys(here: Here) -> list[ApiKey]:
    """The keys that open something, the newest first."""
    keys: QuerySet[Any] = with_state(ApiKey.objects.of_either(here.tenant), at=timezone.now())
    return list(keys.filter(state="active").order_by("-created_at", "-pk")[:MOST_KEYS])
