"""What the admin is called, and the register of campgrounds with the deed that opens one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from campone.opening import open_campground
from kasse.models import Transaction
from tenants.admin import TenantAdmin
from tenants.models import Tenant

admin.site.site_header = admin.site.site_title = format_lazy("CampOne · {}", _("External POS bridge"))
admin.site.index_title = _("Administration")
admin.site.site_url = None


@admin.register(Tenant)
class CampgroundAdmin(TenantAdmin):
    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[Any]:
        """Amounts in the ledger carry no rate of exchange: with the first sale the currency is settled."""
        readonly = super().get_readonly_fields(request, obj)
        if obj is None or "currency" in readonly or not Transaction.objects.of(obj).exists():
            return readonly
        return [*readonly, "currency"]

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            open_campground(obj)
