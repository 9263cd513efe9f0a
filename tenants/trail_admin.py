"""What is done in the administration, in the audit trail: its own log can be deleted there."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from tenants.models import Tenant, User
from tenants.trail_models import trace

M = TypeVar("M", bound=Model)


class TracedAdmin(admin.ModelAdmin[M]):
    """A register that leaves a trace, in the trail of the row's campground."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._trace("admin.added", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._trace("admin.changed", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            self._trace("admin.deleted", row, "")
        return super().log_deletions(request, queryset)

    def _trace(self, deed: str, row: M, message: Any) -> None:
        for owner in owners_of(row):
            trace(owner, deed, row, register=str(self.opts.verbose_name), said=message)


def owners_of(row: Model) -> list[Tenant]:
    """The campgrounds that a row concerns; a person is one of each campground where they work."""
    if isinstance(row, User):
        return list(Tenant.objects.filter(memberships__user=row))
    owner = row if isinstance(row, Tenant) else getattr(row, "tenant", None)
    return [] if owner is None else [owner]
