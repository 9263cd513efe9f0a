"""The door's registers: its settings, the activity log, the parking lot.

``BudgetSlot`` has none: it is a counter that every call moves, and one changed by hand would count wrongly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey
from catalogue.vat import rates_on
from kasse.admin import table_of
from kasse.business_day import business_date
from kasse.money import plain
from pos_bridge.activity import BASE_PATH
from pos_bridge.models import BridgeSettings, InboundCall, ParkedSale
from pos_bridge.pages.log_filter import STATUSES
from tenants.admin import (
    FencedForm,
    ReadOnlyAdmin,
    TenantFencedAdmin,
    TenantFilter,
    fence_of,
    local_time,
)


class BridgeSettingsForm(FencedForm[BridgeSettings]):
    def clean(self) -> dict[str, Any] | None:
        """A default that is none of the campground's rates would never be used, and nobody would see why."""
        cleaned = super().clean()
        tenant = self.cleaned_data.get("tenant") or (self.instance.tenant if self.instance.pk else None)
        rate = self.cleaned_data.get("default_vat_rate")
        if tenant and rate is not None:
            today = business_date(timezone.now(), zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
            check_rate(rate, rates_on(tenant, today))
        return cleaned


def check_rate(rate: Decimal, holding: Iterable[Decimal]) -> None:
    """Refuse a rate that does not hold.

    Raises:
        ValidationError: names those that do.
    """
    if rate not in holding:
        known = ", ".join(f"{plain(each)} %" for each in sorted(holding))
        raise ValidationError(
            {"default_vat_rate": ValidationError(_("Today's rates are: %(known)s"), params={"known": known or "–"})}
        )


@admin.register(BridgeSettings)
class BridgeSettingsAdmin(TenantFencedAdmin[BridgeSettings]):
    form = BridgeSettingsForm
    fields = ["tenant", "enabled", "default_vat_rate"]
    list_display = ["tenant", "enabled", "default_vat_rate"]
    list_filter = ["enabled"]
    list_select_related = ["tenant"]
    ordering = ["tenant__name"]


class StatusFilter(admin.SimpleListFilter):
    """A fixed list: to ask the log for its statuses would read all of it."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(str(status), str(status)) for status in STATUSES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        return queryset.filter(status=int(value)) if value in map(str, STATUSES) else queryset


class KeyFilter(admin.SimpleListFilter):
    """Keys in sight, by prefix."""

    title = _("key")
    parameter_name = "key"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        fence = fence_of(request)
        seen = Q(tenant__gt=0) if fence.everything else Q(tenant__in=fence.seen)
        keys = ApiKey.objects.across_tenants().filter(seen)
        return [(key.prefix, str(key)) for key in keys.order_by("name", "pk")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(key_prefix=self.value()) if self.value() else queryset


@admin.register(InboundCall)
class InboundCallAdmin(ReadOnlyAdmin[InboundCall]):
    """The activity log. Calls that no key has signed belong to no campground: superusers see them."""

    list_display = [
        "time",
        "status",
        "outcome",
        "error_code",
        "asked",
        "external_ref",
        "key_prefix",
        "latency_ms",
        "tenant",
    ]
    list_filter = [("tenant", TenantFilter), "outcome", StatusFilter, KeyFilter]
    list_select_related = ["tenant"]
    search_fields = ["external_ref", "request_id"]
    ordering = ["-at"]
    fieldsets = [
        (
            None,
            {"fields": ["time", "method", "path", "status", "outcome", "error_code", "error_field", "external_ref"]},
        ),
        (_("Caller"), {"fields": ["tenant", "api_key", "key_prefix", "remote_address"]}),
        (_("Call"), {"fields": ["request_id", "latency_ms", "request_bytes", "calls"]}),
    ]

    @admin.display(description=_("time"), ordering="at")
    def time(self, call: InboundCall) -> str:
        return local_time(call.at, call.tenant)

    @admin.display(description=_("call"))
    def asked(self, call: InboundCall) -> str:
        """Method and path, without what all paths begin with; how many, where a row stands for many."""
        path = call.path.removeprefix(BASE_PATH) or call.path
        return f"{call.method} {path}" + (f" × {call.calls}" if call.calls > 1 else "")


@admin.register(ParkedSale)
class ParkedSaleAdmin(ReadOnlyAdmin[ParkedSale]):
    """What waits for a decision. Deciding is done on the campground's own pages, not here."""

    list_display = ["last_received", "external_ref", "reason", "times_received", "decided", "tenant"]
    list_display_links = ["last_received", "external_ref"]
    list_filter = [("tenant", TenantFilter), ("decided_at", admin.EmptyFieldListFilter)]
    list_select_related = ["tenant"]
    search_fields = ["external_ref"]
    ordering = ["-last_received_at"]
    fieldsets = [
        (None, {"fields": ["tenant", "external_ref", "reason", "decided", "stored", "api_key"]}),
        (_("What the till sent"), {"fields": ["compared", "sent"]}),
        (_("Time"), {"fields": ["first_received", "last_received", "times_received"]}),
    ]

    @admin.display(description=_("decided"))
    def decided(self, parked: ParkedSale) -> str:
        return local_time(parked.decided_at, parked.tenant)

    @admin.display(description=_("first received"))
    def first_received(self, parked: ParkedSale) -> str:
        return local_time(parked.first_received_at, parked.tenant)

    @admin.display(description=_("last received"), ordering="last_received_at")
    def last_received(self, parked: ParkedSale) -> str:
        return local_time(parked.last_received_at, parked.tenant)

    @admin.display(description=_("differences"))
    def compared(self, parked: ParkedSale) -> SafeString:
        shown = ([field, as_text(stored), as_text(sent)] for field, stored, sent in parked.differences)
        return table_of([_t("Field"), _t("In the ledger"), _t("As sent")], shown)

    @admin.display(description=_("payload"))
    def sent(self, parked: ParkedSale) -> SafeString:
        text = json.dumps(json.loads(parked.payload), indent=2, ensure_ascii=False) if parked.payload else "–"
        return format_html("<pre>{}</pre>", text)


def as_text(value: Any) -> str:
    """A value as it stands in JSON, texts without their quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
