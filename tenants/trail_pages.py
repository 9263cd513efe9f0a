"""The audit trail, for those who may change things."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tenants.pages import Here, admin_page
from tenants.trail_models import Trace
from tenants.trail_words import DEEDS, fact_of, word_of

PAGE = 100


class TrailFilter(forms.Form):
    """Which deeds, by whom, and from which row downwards."""

    deed = forms.ChoiceField(label=_("What"), choices=[("", _("Everything")), *DEEDS.items()], required=False)
    by = forms.CharField(label=_("Who"), max_length=150, required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False, widget=forms.HiddenInput)


@admin_page
def trail(request: HttpRequest, here: Here) -> HttpResponse:
    """The newest first, a page at a time."""
    chosen = TrailFilter(request.GET)
    wanted = chosen.cleaned_data if chosen.is_valid() else {}
    rows = Trace.objects.of(here.tenant).filter(**_conditions(wanted)).order_by("-pk")[: PAGE + 1]
    shown = list(rows)
    query = request.GET.copy()
    if len(shown) > PAGE:
        query["before"] = str(shown[PAGE - 1].pk)
    context = {
        "rows": [(row, word_of(row.deed), [fact_of(*each) for each in row.facts.items()]) for row in shown[:PAGE]],
        "filter": chosen,
        "older": query.urlencode() if len(shown) > PAGE else "",
        "is_narrowing": bool(wanted.get("deed") or wanted.get("by")),
    }
    return render(request, "tenants/trail.html", context, status=200 if chosen.is_valid() else 422)


def _conditions(wanted: dict[str, Any]) -> dict[str, Any]:
    names = {"deed": "deed", "by": "by_name__icontains", "before": "pk__lt"}
    return {names[name]: value for name, value in wanted.items() if value}
