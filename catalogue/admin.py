"""Products and VAT rates: what tills can sell, kept by the people of the campground."""

from __future__ import annotations

from django.contrib import admin

from catalogue.models import Product, VatRate
from tenants.admin import TenantFencedAdmin, TenantFilter


@admin.register(Product)
class ProductAdmin(TenantFencedAdmin[Product]):
    """A product is switched off rather than deleted, so that tills learn of it."""

    fields = ["tenant", "sku", "name", "category", "unit_price", "vat_rate", "active"]
    list_display = ["sku", "name", "category", "unit_price", "vat_rate", "active", "tenant"]
    list_display_links = ["sku", "name"]
    list_filter = [("tenant", TenantFilter), "active", "category"]
    list_select_related = ["tenant"]
    search_fields = ["sku", "name"]
    ordering = ["sku"]


@admin.register(VatRate)
class VatRateAdmin(TenantFencedAdmin[VatRate]):
    """What has been sold keeps its rate, whatever happens here."""

    may_delete = True
    fields = ["tenant", "rate", "label", "valid_from", "valid_until"]
    list_display = ["rate", "label", "valid_from", "valid_until", "tenant"]
    list_select_related = ["tenant"]
    ordering = ["-valid_from", "-rate"]
