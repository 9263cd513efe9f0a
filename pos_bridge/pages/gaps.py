"""Missing receipts: what tills have numbered and never brought, and what staff say about it."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from apikeys.models import ApiKey
from pos_bridge.gaps import MOST_MISSING
from pos_bridge.missing import Gap, explain_gaps, gaps_to_remember
from tenants.models import Tenant
from tenants.pages import Here, staff_page

LONGEST_REASON = 500
MOST_SHOWN = 200
ON_A_PAGE = 50


class ExplanationForm(forms.Form):
    """Why the chosen receipts are missing."""

    reason = forms.CharField(
        label=_("Why are they missing?"),
        max_length=LONGEST_REASON,
        help_text=_("Such as: training, paper jam, number range changed. It is kept with your name."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def missing_receipts(request: HttpRequest, here: Here) -> HttpResponse:
    """The holes, the last noticed first: to look at for staff, to tick and explain for admins."""
    if request.method == "POST" and not here.is_admin:
        raise PermissionDenied
    form = ExplanationForm(request.POST if request.method == "POST" else None)
    chosen = request.POST.getlist("gap")
    if request.method == "POST" and form.is_valid() and chosen:
        return _explain(request, here, chosen, form.cleaned_data["reason"])
    return _page(request, here, form, chosen)


def _explain(request: HttpRequest, here: Here, chosen: list[str], reason: str) -> HttpResponse:
    kept = explain_gaps(here.tenant, chosen, reason=reason, by=here.user, at=timezone.now())
    words = ngettext("%(count)d place is explained.", "%(count)d places are explained.", len(kept))
    (messages.success if kept else messages.warning)(request, words % {"count": len(kept)})
    return redirect("missing-receipts")


def _page(request: HttpRequest, here: Here, form: ExplanationForm, chosen: list[str]) -> HttpResponse:
    found = gaps_to_remember(here.tenant, at=timezone.now())
    names = _names(here.tenant)
    context = {
        "missing": _named(found.missing[:MOST_SHOWN], names),
        "count": found.count,
        "more": len(found.missing) - MOST_SHOWN,
        "explained": Paginator(_named(found.explained, names), ON_A_PAGE).get_page(request.GET.get("page")),
        "leaps": _named(found.leaps[:ON_A_PAGE], names),
        "leap_count": len(found.leaps),
        "most_missing": MOST_MISSING,
        "looked_from": found.looked_from,
        "form": form,
        "chosen": chosen,
        "none_chosen": request.method == "POST" and not chosen,
    }
    return render(request, "pos_bridge/gaps.html", context)


def _names(tenant: Tenant) -> dict[int, str]:
    """Of each till, the name of its youngest key."""
    return {key.till_key_id: key.name for key in ApiKey.objects.of(tenant).order_by("pk")}


def _named(gaps: Iterable[Gap], names: dict[int, str]) -> list[tuple[str, Gap]]:
    return [(names[gap.till], gap) for gap in gaps]
