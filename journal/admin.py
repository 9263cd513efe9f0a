"""Journals, revisions and attempts, to look at. Settings and accounts have pages of their own, which seal passwords."""

from __future__ import annotations

from django.contrib import admin

from journal.models import Attempt, Journal, Revision
from tenants.admin import ReadOnlyAdmin, TenantFilter


@admin.register(Journal)
class JournalAdmin(ReadOnlyAdmin[Journal]):
    list_display = ["business_date", "supplement", "sale_count", "currency", "opened_at", "tenant"]
    list_filter = [("tenant", TenantFilter)]
    list_select_related = ["tenant"]
    date_hierarchy = "business_date"
    ordering = ["-business_date", "-supplement"]


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin[Revision]):
    list_display = ["reference", "journal", "state", "sap_number", "reversal_number", "posted_at", "tenant"]
    list_filter = [("tenant", TenantFilter), "state", "flavor"]
    list_select_related = ["tenant", "journal"]
    search_fields = ["reference", "sap_number", "reversal_number"]
    ordering = ["-pk"]


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin[Attempt]):
    list_display = ["at", "revision", "deed", "outcome", "number", "sentence", "tenant"]
    list_filter = [("tenant", TenantFilter), "deed", "outcome"]
    list_select_related = ["tenant", "revision"]
    ordering = ["-pk"]
