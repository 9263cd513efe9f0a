"""The admin's fence: people see the rows of their campgrounds, and change what their role there lets them.

Django's own model permissions play no part here. A member may look; a ``tenant_admin`` may add and change where a
register allows it; a superuser may do so at every campground. Deleting is off unless a register switches it on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from tenants.access import tenants_of
from tenants.models import Role, Tenant
from tenants.swiss import on_clock
from tenants.trail_admin import TracedAdmin

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Fence:
    """The ids of the campgrounds that a person sees, and of those whose rows they may change."""

    everything: bool
    seen: frozenset[int]
    managed: frozenset[int]

    def lets_see(self, tenant: int | None) -> bool:
        """Whether the rows of a campground are in sight; a row of none is for superusers."""
        return self.everything or tenant in self.seen

    def lets_change(self, tenant: int | None) -> bool:
        """Whether the rows of a campground may be changed."""
        return self.everything or tenant in self.managed


def fence_of(request: HttpRequest) -> Fence:
    """Whoever asks, looked up once for each request: pages ask it dozens of times."""
    fence: Fence | None = getattr(request, "fence", None)
    if fence is None:
        user = request.user
        fence = Fence(
            everything=user.is_active and user.is_superuser,
            seen=frozenset(tenants_of(user).values_list("pk", flat=True)),
            managed=frozenset(tenants_of(user, Role.TENANT_ADMIN).values_list("pk", flat=True)),
        )
        request.fence = fence  # type: ignore[attr-defined]
    return fence


def local_time(instant: datetime | None, tenant: Tenant | None) -> str:
    """An instant on the campground's wall clock, where there is one; a dash for none."""
    if instant is None:
        return "–"
    local = on_clock(instant, tenant.zone_info if tenant else timezone.get_current_timezone())
    return formats.date_format(local, "SHORT_DATE_FORMAT") + formats.date_format(local, " H:i:s")


class TenantFilter(admin.RelatedFieldListFilter):
    """Campgrounds to choose from in a sidebar: the stock filter would name all of them."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        seen = {"pk__in": fence_of(request).seen}
        return list(field.get_choices(include_blank=False, ordering=("name",), limit_choices_to=seen))


class FencedForm(forms.ModelForm[M]):
    """Checks unique keys with the campground, which every one of them begins with and no form lets change."""

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded if "tenant" in self.fields else excluded - {"tenant"}


class TenantFencedAdmin(TracedAdmin[M]):
    """Base of every register: rows, choices and rights end at the fence."""

    owner: ClassVar[str] = "tenant_id"
    """The attribute that holds the id of a row's campground."""
    may_delete: ClassVar[bool] = False

    form: type[forms.ModelForm[M]] = FencedForm
    show_full_result_count = False
    list_filter = [("tenant", TenantFilter)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        """Of a rehearsal nobody sees anything here: what is tried out stands on the page of its test key."""
        rows, fence = super().get_queryset(request), fence_of(request)
        if fence.everything:
            return rows.exclude(**{f"{self.owner}__lt": 0})
        return rows.filter(**{f"{self.owner}__in": fence.seen})

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> list[Any]:
        """A row stays with its campground for ever."""
        readonly = super().get_readonly_fields(request, obj)
        return ["tenant", *readonly] if obj and self.owner == "tenant_id" else [*readonly]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choices end at the campgrounds whose rows the person may change; so do values in a forged POST."""
        rows = kwargs.get("queryset", db_field.related_model._default_manager.all())
        kwargs["queryset"] = choices_within(fence_of(request), rows)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Lists without the buttons that would edit a campground from within the form of a product."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Without a column that would say the same in every row."""
        fence = fence_of(request)
        shown = super().get_list_display(request)
        return [name for name in shown if name != "tenant" or fence.everything or len(fence.seen) > 1]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever has one campground need not choose it."""
        managed = fence_of(request).managed
        only = {"tenant": next(iter(managed))} if len(managed) == 1 else {}
        return {**only, **super().get_changeform_initial_data(request)}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        fence = fence_of(request)
        return fence.lets_see(getattr(obj, self.owner)) if obj else fence.everything or bool(fence.seen)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        fence = fence_of(request)
        return fence.lets_change(getattr(obj, self.owner)) if obj else fence.everything or bool(fence.managed)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self.may_delete and self.has_change_permission(request, obj)


def choices_within(fence: Fence, rows: QuerySet[Any]) -> QuerySet[Any]:
    """What a person may choose among ``rows``; of rows that belong to no campground, nothing."""
    if rows.model is Tenant:
        rows = rows.order_by("name")
    if fence.everything:
        return rows
    if rows.model is Tenant:
        return rows.filter(pk__in=fence.managed)
    owned = any(field.name == "tenant" for field in rows.model._meta.fields)
    return rows.filter(tenant__in=fence.managed) if owned else rows.none()


class ReadOnlyAdmin(TenantFencedAdmin[M]):
    """A register to look things up in: nobody adds, changes or deletes, superusers neither."""

    show_facets = admin.ShowFacets.NEVER
    """Counting a million rows for each choice of a sidebar is no help to anyone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class TenantAdmin(TenantFencedAdmin[Tenant]):
    """Campgrounds. The project registers it, together with the deed that opens one."""

    owner = "pk"
    fields = ["name", "slug", "zone", "cutoff_hour", "currency", "is_active"]
    operators_fields = ["slug", "currency", "is_active"]
    list_display = ["name", "slug", "zone", "cutoff_hour", "currency", "people", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug"]
    ordering = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        return super().get_queryset(request).annotate(people=Count("memberships"))

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[Any]:
        """Tills and books hang on host name and currency: those are the operator's."""
        return [] if fence_of(request).everything else self.operators_fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return fence_of(request).everything

    @admin.display(description=_("people"), ordering="people")
    def people(self, tenant: Tenant) -> int:
        return int(tenant.people)  # type: ignore[attr-defined]


# The register of people, where Django looks for it.
import tenants.people_admin  # noqa: E402, F401
