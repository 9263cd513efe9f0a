"""What stands on the page of a test key alone: what its till has sent, and what can be done to try the till out.

It is the one place where staff see test sales.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from apikeys.models import ApiKey
from kasse.models import Transaction, TransactionItem
from pos_bridge.forgetting import forget_test_sales
from pos_bridge.losing_models import Losing, LosingAnswers
from tenants.models import Tenant
from tenants.pages import Here, admin_page
from tenants.rehearsals import rehearsal_of
from tenants.trail_models import trace

MOST_SALES = 50


class LosingForm(forms.Form):
    """Which answers are to be lost."""

    mode = forms.ChoiceField(
        label=_("Lose on purpose"),
        choices=[(mode.value, mode.label) for mode in (Losing.NEVER, Losing.ONCE, Losing.THIS)],
        widget=forms.RadioSelect,
    )


def test_sales_of(key: ApiKey) -> dict[str, Any]:
    """What a test key's page shows beside that of any key; the key's campground is the rehearsal."""
    lines = TransactionItem.objects.of(key.tenant).filter(transaction=OuterRef("pk"))
    sales = Transaction.objects.of(key.tenant).filter(api_key=key).order_by("-received_at", "-id")
    found = list(
        sales.annotate(
            first_line=Subquery(lines.order_by("position").values("description")[:1]),
            further_lines=Subquery(lines.order_by("-position").values("position")[:1]),
        )[: MOST_SALES + 1]
    )
    mode = getattr(key, "losing", None)
    shown = Losing.THIS if mode == Losing.OTHER else mode or Losing.NEVER
    return {
        "test_sales": found[:MOST_SALES],
        "more_test_sales": len(found) > MOST_SALES,
        "losing": Losing(shown),
        "losing_form": LosingForm(initial={"mode": shown}),
    }


def keys_with_switch(tenant: Tenant) -> QuerySet[ApiKey]:
    """A campground's keys and its test keys, with what the switch of each says, if it has one, as ``losing``."""
    switches = LosingAnswers.objects.of(rehearsal_of(tenant)).filter(api_key=OuterRef("pk"))
    return ApiKey.objects.of_either(tenant).annotate(losing=Subquery(switches.values("mode")))


@require_POST
@admin_page
def lose_answers(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """Turn a test key's switch."""
    key = _test_key(here, pk)
    form = LosingForm(request.POST)
    if form.is_valid():
        mode = form.cleaned_data["mode"]
        switch = {"tenant": key.tenant, "mode": mode}
        LosingAnswers.objects.of(key.tenant).update_or_create(api_key=key, defaults=switch)
        messages.success(request, _t("Saved. It holds from the next sale on."))
    return redirect("connect-key", key.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def forget(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """Empty the campground's rehearsal: a page that asks, and the deed."""
    key = _test_key(here, pk)
    if request.method != "POST":
        return render(request, "pos_bridge/forget_rehearsal.html", {"key": key})
    try:
        count = forget_test_sales(key.tenant, before=timezone.now())
    except IntegrityError:
        trace(here.tenant, "key.test_sales_forgotten", key, count="in part")
        messages.warning(request, _t("A till is sending at this moment. Please try again."))
        return redirect("forget-rehearsal", key.pk)
    trace(here.tenant, "key.test_sales_forgotten", key, count=count)
    messages.success(request, ngettext("%d test sale is forgotten.", "%d test sales are forgotten.", count) % count)
    return redirect("connect-key", key.pk)


def _test_key(here: Here, pk: int) -> ApiKey:
    rehearsal = rehearsal_of(here.tenant)
    key = get_object_or_404(ApiKey.objects.of(rehearsal), pk=pk)
    key.tenant = rehearsal
    return key
