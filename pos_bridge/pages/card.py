"""The card "External Shop POS": the switch, the pill, the address, and what has come in today."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from catalogue.vat import rates_on
from kasse.business_day import business_date
from pos_bridge.explaining import OUTCOMES
from pos_bridge.health import BridgeNow, bridge_now, settings_of
from pos_bridge.key_ends import key_ends
from pos_bridge.models import BridgeSettings
from pos_bridge.pages.addresses import api_url
from pos_bridge.pages.today import look_at_today
from pos_bridge.pages.vendors import cards_for
from pos_bridge.pill import pill_of
from tenants.models import Tenant
from tenants.pages import Here, admin_page, asks_for_a_part, staff_page
from tenants.swiss import percent_text
from tenants.trail_models import trace


class VatRateForm(forms.Form):
    """The VAT rate for lines whose rate neither the till nor the catalogue knows."""

    default_vat_rate = forms.TypedChoiceField(
        label=_("Default VAT rate"),
        required=False,
        coerce=Decimal,
        empty_value=None,
        help_text=_("For lines whose rate neither the till nor the catalogue knows."),
    )

    def __init__(self, data: Mapping[str, str] | None, *, rates: list[Decimal], chosen: Decimal | None) -> None:
        initial = {"default_vat_rate": next((f"{rate:f}" for rate in rates if rate == chosen), "")}
        super().__init__(data, initial=initial)
        field: Any = self.fields["default_vat_rate"]
        field.choices = [("", _("none: leave it unknown")), *((f"{rate:f}", percent_text(rate)) for rate in rates)]


@staff_page
def integrations(request: HttpRequest, here: Here) -> HttpResponse:
    """The tab with the bridge's card, and a place for those of vendors; every five seconds its live part alone."""
    now = timezone.now()
    bridge = bridge_now(here.tenant, at=now)
    context = _live(bridge, here.tenant, at=now)
    if asks_for_a_part(request):
        return render(request, "pos_bridge/_bridge_live.html", context)
    fixed = {"bridge": bridge.settings, "api_url": api_url(), "vendor_cards": cards_for(here)}
    return render(request, "pos_bridge/bridge.html", {**context, **fixed})


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def switch(request: HttpRequest, here: Here) -> HttpResponse:
    """Switch the bridge on or off: a page that asks, and the deed."""
    if request.method != "POST":
        return render(request, "pos_bridge/switch.html", {"bridge": settings_of(here.tenant)})
    wanted = request.POST.get("enabled")
    if wanted not in {"on", "off"}:
        return redirect("bridge-switch")
    with transaction.atomic():
        BridgeSettings.objects.update_or_create(tenant=here.tenant, defaults={"enabled": wanted == "on"})
        trace(here.tenant, f"bridge.switched_{wanted}", here.tenant)
    if wanted == "on":
        messages.success(request, _t("The bridge is switched on. Tills can send their sales."))
    else:
        messages.warning(request, _t("The bridge is switched off. From now on every till is refused."))
    return redirect("integrations")


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def choose_vat_rate(request: HttpRequest, here: Here) -> HttpResponse:
    """Set the default VAT rate, on a page of its own."""
    chosen = settings_of(here.tenant).default_vat_rate
    rates = _rates(here.tenant, timezone.now())
    form = VatRateForm(request.POST or None, rates=rates, chosen=chosen)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "chosen": chosen, "is_outdated": chosen is not None and chosen not in rates}
        return render(request, "pos_bridge/vat_rate.html", context)
    rate = form.cleaned_data["default_vat_rate"]
    with transaction.atomic():
        BridgeSettings.objects.update_or_create(tenant=here.tenant, defaults={"default_vat_rate": rate})
        trace(here.tenant, "bridge.changed", here.tenant, default_vat_rate=None if rate is None else str(rate))
    messages.success(request, _t("The default VAT rate is saved. It holds from the next sale on."))
    return redirect("integrations")


def _live(bridge: BridgeNow, tenant: Tenant, *, at: datetime) -> dict[str, Any]:
    """What changes by itself. Of a day without calls, the keys know when one was used last."""
    today = look_at_today(tenant, at=at)
    return {
        "pill": pill_of(tenant, at=at, bridge=bridge),
        "today": today,
        "key_ends": [end for end in key_ends(bridge.keys, at=at) if not end.is_urgent],
        "counts": [(name, word, badge, today.counts.get(name, 0)) for name, (word, badge) in OUTCOMES.items()],
        "last_outcome": OUTCOMES.get(today.last.outcome) if today.last else None,
        "last_used": max((key.last_used_at for key in bridge.keys if key.last_used_at), default=None),
    }


def _rates(tenant: Tenant, at: datetime) -> list[Decimal]:
    """Today's rates, the highest first."""
    today = business_date(at, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
    return sorted(rates_on(tenant, today), reverse=True)
