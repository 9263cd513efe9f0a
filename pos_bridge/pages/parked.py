"""Parked sales: what was refused because its reference is taken, and what staff decide about it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from kasse.business_day import business_date
from kasse.late import is_behind_us
from kasse.reading import sales_under
from pos_bridge.deciding import (
    AlreadyDecided,
    Look,
    NoReferenceFree,
    NotBookable,
    admission_for,
    decide,
    look_at,
    parked_sales_of,
    references_for,
)
from pos_bridge.explaining import FIELD_RULES, SENTENCES, field_label
from pos_bridge.faults import Fault
from pos_bridge.models import Decision, ParkedDecision, ParkedSale
from pos_bridge.pages.comparison import compare
from tenants.pages import Here, staff_page
from tenants.swiss import moment_text

if TYPE_CHECKING:
    from pos_bridge.deciding import NumberedSale

MOST_OPEN = 100
ON_A_PAGE = 50
LONGEST_REASON = 500


class DecisionForm(forms.Form):
    """One of the three decisions, with a reason."""

    decision = forms.TypedChoiceField(choices=Decision.choices, coerce=Decision, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=LONGEST_REASON)

    def __init__(self, data: Any = None, *, decision: Decision) -> None:
        super().__init__(data, auto_id=f"{decision}-%s", initial={"decision": decision})
        reason = self.fields["reason"]
        reason.required = decision == Decision.DISCARD
        reason.help_text = "" if reason.required else _("May stay empty.")


@require_safe
@staff_page
def parked_sales(request: HttpRequest, here: Here) -> HttpResponse:
    """The inbox: what waits, and below it what has been decided, the latest first."""
    rows = ParkedSale.objects.of(here.tenant).select_related("stored", "api_key")
    waiting = list(rows.filter(decided_at=None).order_by("-last_received_at", "-pk")[: MOST_OPEN + 1])
    decided = rows.filter(decided_at__isnull=False).select_related("decision__booked").order_by("-decided_at", "-pk")
    chosen = request.GET.get("decision", "")
    if chosen in Decision.values:
        decided = decided.filter(decision__decision=chosen)
    context = {
        "waiting": [(parked, sent_total(parked)) for parked in waiting[:MOST_OPEN]],
        "more": len(waiting) > MOST_OPEN,
        "decided": Paginator(decided, ON_A_PAGE).get_page(request.GET.get("page")),
        "chosen": chosen if chosen in Decision.values else "",
        "decisions": Decision.choices,
    }
    return render(request, "pos_bridge/parked.html", context)


def sent_total(parked: ParkedSale) -> Decimal:
    """The total that was sent: the stored one, unless it is among the differences."""
    totals = [Decimal(sent) for field, _stored, sent in parked.differences if field == "total_amount"]
    return totals[0] if totals else parked.stored.total_amount


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def parked_sale(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """One parked sale beside the stored one: to look at for staff, to decide about for admins."""
    if request.method != "POST":
        return _page(request, here, _parked(here, pk))
    if not here.is_admin:
        raise PermissionDenied
    return _decide(request, here, pk)


def _decide(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """Decide. What comes too late is told what was decided; nothing is done twice."""
    asked = request.POST.get("decision")
    if asked not in Decision.values:
        return redirect("parked-sale", pk=pk)
    parked = _parked(here, pk)
    form = DecisionForm(request.POST, decision=Decision(asked))
    if not form.is_valid():
        return _page(request, here, parked, form)
    try:
        made = decide(tenant=here.tenant, parked=pk, by=here.user, at=timezone.now(), **form.cleaned_data)
    except AlreadyDecided as before:
        messages.warning(request, _too_late(before.decision))
        return redirect("parked-sale", pk=pk)
    except (NotBookable, NoReferenceFree):
        messages.error(request, _t("It could not be booked, and waits as before."))
        return _page(request, here, parked)
    messages.success(request, _said(made))
    return redirect("parked-sales")


def _parked(here: Here, pk: int) -> NumberedSale:
    rows = parked_sales_of(here.tenant).select_related("stored", "api_key", "decision__booked")
    return get_object_or_404(rows, pk=pk)


def _page(request: HttpRequest, here: Here, parked: NumberedSale, form: DecisionForm | None = None) -> HttpResponse:
    references = list(references_for(parked.external_ref, parked.number))
    sales = sales_under(here.tenant, [parked.external_ref, *references])
    look = look_at(parked, admission_for(parked), at=timezone.now())
    free = [reference for reference in references if reference not in sales]
    context = {
        "parked": parked,
        "decision": getattr(parked, "decision", None),
        "sent_total": sent_total(parked),
        "rows": compare(sales[parked.external_ref], look.sale, tenant=here.tenant) if look.sale else [],
        "differences": parked.differences,
        "look": look,
        "faults": [_in_words(fault) for fault in look.faults],
        "reference": free[0] if free else "",
        "is_closed": not parked.decided_at and _is_closed(here, look),
        "forms": {
            decision.value: form if form and form["decision"].value() == decision else DecisionForm(decision=decision)
            for decision in Decision
        },
    }
    return render(request, "pos_bridge/parked_sale.html", context)


def _is_closed(here: Here, look: Look) -> bool:
    """Whether the day that it would count for is behind us, so that it would be late."""
    if look.sale is None:
        return False
    tenant = here.tenant
    day = business_date(look.sale.occurred_at, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
    return is_behind_us(tenant, day)


def _in_words(fault: Fault) -> dict[str, Any]:
    """A fault as the activity log explains it."""
    name = next((str(step) for step in reversed(fault.path) if isinstance(step, str)), "")
    sentence, _todo = SENTENCES.get(fault.code, SENTENCES["validation_error"])
    return {
        "code": fault.code,
        "sentence": sentence,
        "label": field_label(fault.field) if fault.field else "",
        "rule": FIELD_RULES.get(name, ""),
    }


def _said(made: ParkedDecision) -> str:
    if made.booked is None:
        return _t("Decided: %(decision)s.") % {"decision": made.get_decision_display()}
    booked = format_html(
        '<a id="booked" href="{}">{}</a>',
        reverse("transaction-page", kwargs={"pk": made.booked.pk}),
        made.booked.external_ref,
    )
    return format_html(_t("Booked as a new sale: {}."), booked)


def _too_late(made: ParkedDecision) -> str:
    words = {
        "name": made.decided_by_name,
        "moment": moment_text(timezone.localtime(made.decided_at)),
        "decision": made.get_decision_display(),
    }
    return _t("%(name)s decided this on %(moment)s: %(decision)s. Nothing was changed.") % words
