"""API keys on the campground's own pages: listed, minted, revoked.

The token goes from the mint into the answer to the POST that asked for it, and nowhere else. Reloading that answer
asks for the list; where no script runs it sends the form again, which mints nothing a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from apikeys.forms import OnceForm
from apikeys.minting import FormUsed, Minted
from apikeys.models import ApiKey
from apikeys.states import state_of, with_state
from pos_bridge.doors import pages_by_key
from pos_bridge.key_ends import key_ends
from pos_bridge.pages.addresses import api_url
from pos_bridge.pages.today import count_by_key
from tenants.pages import Here, admin_page, staff_page

MOST_SHOWN = 200
NAME_ONLY = "connection"
FORM_USED = _(
    "This form has created its key already. A token is shown only once: if you do not have it, revoke the key and "
    "create a new one."
)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as the list shows it; ``door`` is the page of what it names, if it is a name and nothing else.

    ``successor`` is the key that has replaced it, unless that is revoked.
    """

    key: ApiKey
    state: str
    calls_today: int
    door: str = ""
    successor: ApiKey | None = None

    @property
    def is_live(self) -> bool:
        """Whether there is anything to revoke."""
        return self.state in {"active", "expires_soon"}

    @property
    def is_waited_for(self) -> bool:
        """Whether it is to take over, and no till has used it yet."""
        return self.is_live and self.key.replaces_id is not None and self.key.last_used_at is None


@staff_page
def key_list(request: HttpRequest, here: Here) -> HttpResponse:
    """All keys of the campground, those that open something first."""
    now = timezone.now()
    keys = with_state(ApiKey.objects.of(here.tenant), at=now).order_by("state", "-created_at", "-pk")
    calls = count_by_key(here.tenant, at=now)
    doors = pages_by_key(here.tenant)
    found = list(keys[: MOST_SHOWN + 1])
    successors = {key.replaces_id: key for key in found if key.replaces_id and key.revoked_at is None}
    rows = [
        KeyRow(
            key=key,
            state=NAME_ONLY if key.pk in doors else state_of(key, at=now),
            calls_today=calls.get(key.pk, 0),
            door=doors.get(key.pk, ""),
            successor=successors.get(key.pk),
        )
        for key in found
    ]
    for key in found:
        key.tenant = here.tenant
    context = {"rows": rows[:MOST_SHOWN], "more": len(rows) > MOST_SHOWN, "key_ends": key_ends(found, at=now)}
    return render(request, "pos_bridge/keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def mint(request: HttpRequest, here: Here) -> HttpResponse:
    """The form, and the one page that shows the token."""

    def show(minted: Minted) -> HttpResponse:
        return render(request, "pos_bridge/minted.html", {"minted": minted, "api_url": api_url()})

    return minting(request, here, show=show, form_page="pos_bridge/mint.html", afterwards=lambda _key: ("api-keys",))


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def revoke(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """A page that asks, and the deed. A key that is revoked stays so."""
    key = get_object_or_404(ApiKey.objects.of_either(here.tenant), pk=pk)
    if request.method != "POST":
        return render(request, "pos_bridge/revoke.html", {"key": key})
    if key.revoked_at is None:
        key.revoke(at=timezone.now())
    messages.success(
        request, _t("The key “%(name)s” is revoked. Its till is refused from now on.") % {"name": key.name}
    )
    return redirect("connect-till" if key.is_test else "api-keys")


Show: TypeAlias = Callable[[Minted], HttpResponse]
Afterwards: TypeAlias = Callable[[ApiKey], tuple[Any, ...]]


def minting(
    request: HttpRequest,
    here: Here,
    *,
    show: Show,
    form_page: str,
    afterwards: Afterwards,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Ask for a key, or mint it and ``show`` it once; who sends the same form again is led ``afterwards``."""
    form = OnceForm(request.POST or None, tenant=here.tenant)
    if request.method != "POST" or not form.is_valid():
        return render(request, form_page, {**(context or {}), "form": form})
    try:
        minted = form.mint()
    except FormUsed as used:
        messages.warning(request, FORM_USED)
        return redirect(*afterwards(used.key))
    return show(minted)
