"""Products and VAT rates: what tills can sell, kept by the people of the campground."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from catalogue.models import Product, VatRate
from tenants.admin import TenantFencedAdmin, TenantFilter


@admin.register(Product)
class ProductAdmin(TenantFencedAdmin[Product]):
    """A product is switched off rather than deleted, so that tills learn of it."""

    fields: ClassVar = ["tenant", "sku", "name", "category", "unit_price", "vat_rate", "active"]
    list_display: ClassVar = ["sku", "name", "category", "unit_price", "vat_rate", "active", "tenant"]
    list_display_links: ClassVar = ["sku", "name"]
    list_filter: ClassVar = [("tenant", TenantFilter), "active", "category"]
    list_select_related: ClassVar = ["tenant"]
    search_fields: ClassVar = ["sku", "name"]
    ordering: ClassVar = ["sku"]


@admin.register(VatRate)
class VatRateAdmin(TenantFencedAdmin[VatRate]):
    """What has been sold keeps its rate, whatever happens here."""

    may_delete = True
    fields: ClassVar = ["tenant", "rate", "label", "valid_from", "valid_until"]
    list_display: ClassVar = ["rate", "label", "valid_from", "valid_until", "tenant"]
    list_select_related: ClassVar = ["tenant"]
    ordering: ClassVar = ["-valid_from", "-rate"]
