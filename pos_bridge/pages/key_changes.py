"""A key that lives, replaced or changed; the token of its successor is shown as any other, once."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.views.decorators.http import require_http_methods

from apikeys.forms import ChangeForm, ReplaceForm
from apikeys.minting import FormUsed
from apikeys.models import ApiKey
from apikeys.replacing import KeyEnded, KeyReplaced, require_living
from pos_bridge.pages.addresses import api_url
from pos_bridge.pages.keys import FORM_USED
from tenants.pages import Here, admin_page


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def replace(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """The form, and the one page that shows the successor's token."""
    key = _key_of(here, pk)
    form = ReplaceForm(request.POST or None, key=key)
    try:
        if request.method != "POST" or not form.is_valid():
            require_living(key, at=timezone.now())
            return render(request, "pos_bridge/replace.html", {"form": form, "key": key})
        minted = form.replace()
    except FormUsed:
        messages.warning(request, FORM_USED)
        return redirect("api-keys")
    except (KeyEnded, KeyReplaced) as refused:
        return _refused(request, key, refused)
    key.refresh_from_db()
    return render(request, "pos_bridge/minted.html", {"minted": minted, "api_url": api_url(), "old": key})


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def change(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """The form, and the deed."""
    key = _key_of(here, pk)
    form = ChangeForm(request.POST or None, instance=key)
    try:
        if request.method != "POST" or not form.is_valid():
            require_living(_key_of(here, pk), at=timezone.now())
            return render(request, "pos_bridge/change_key.html", {"form": form, "key": key})
        form.change()
    except (KeyEnded, KeyReplaced) as refused:
        return _refused(request, key, refused)
    messages.success(request, _t("The key “%(name)s” is changed. It holds from its next call on.") % {"name": key.name})
    return redirect("api-keys")


def _key_of(here: Here, pk: int) -> ApiKey:
    key = get_object_or_404(ApiKey.objects.of(here.tenant), pk=pk)
    key.tenant = here.tenant
    return key


def _refused(request: HttpRequest, key: ApiKey, refused: KeyEnded | KeyReplaced) -> HttpResponse:
    """Back to the list, with what stands in the way."""
    if isinstance(refused, KeyReplaced):
        why = _t("“%(name)s” has been replaced already, by %(prefix)s…. If that token is lost, replace that key.")
        messages.warning(request, why % {"name": key.name, "prefix": refused.by.prefix})
    else:
        why = _t("“%(name)s” is revoked or has expired, and stays so. Create a new key for its till.")
        messages.warning(request, why % {"name": key.name})
    return redirect("api-keys")
