"""The registers of people and their roles."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tenants.admin import Fence, TenantFencedAdmin, TenantFilter, fence_of
from tenants.models import Membership, User
from tenants.trail_admin import TracedAdmin
from tenants.trail_models import trace


@admin.register(Membership)
class MembershipAdmin(TenantFencedAdmin[Membership]):
    """Who works where. People are typed, not chosen: a list would show those of other campgrounds."""

    may_delete = True
    list_display = ["username", "role", "tenant"]
    list_filter = [("tenant", TenantFilter), "role"]
    list_select_related = ["tenant", "user"]
    search_fields = ["user__username"]
    ordering = ["user__username"]

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[Any]:
        return ["tenant", "username", "role"] if obj else ["tenant", "user", "role"]

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[Any]:
        return ["tenant", "username"] if obj else []

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "user":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.ModelChoiceField(
            addable_people(fence_of(request)),
            to_field_name="username",
            widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
            label=_("User name"),
            help_text=_("As typed when signing in. Accounts are made by the operator."),
            error_messages={"invalid_choice": _("Nobody with this user name can be added here.")},
        )

    @admin.display(description=_("user name"), ordering="user__username")
    def username(self, membership: Membership) -> str:
        return membership.user.get_username()


def addable_people(fence: Fence) -> QuerySet[User]:
    """Whom a person may give a role at their campground.

    Whoever works at a campground out of sight, and superusers, are answered for like names that do not exist:
    only the operator lets one person work at two campgrounds.
    """
    if fence.everything:
        return User.objects.all()
    elsewhere = Membership.objects.exclude(tenant__in=fence.managed).values("user")
    return User.objects.filter(is_active=True, is_superuser=False).exclude(pk__in=elsewhere)


class MembershipsOfUser(admin.TabularInline[Membership, User]):
    """Somebody's roles, on the page of the person."""

    model = Membership
    extra = 0


@admin.register(User)
class UserAdmin(TracedAdmin[User], auth_admin.UserAdmin[User]):
    """People, for superusers alone. Nobody is deleted: what they minted and revoked would lose its name."""

    fieldsets = [
        (None, {"fields": ["username", "set_password"]}),
        (_("Personal info"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Permissions"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["username", "is_staff", "usable_password", "password1", "password2"]})
    ]
    readonly_fields = ["set_password", "last_login", "date_joined"]
    list_display = ["username", "email", "first_name", "last_name", "is_active", "is_superuser"]
    list_filter = ["is_staff", "is_superuser", "is_active"]
    filter_horizontal = []
    inlines = [MembershipsOfUser]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """May sign in here; without a role there is nothing to be seen."""
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """A role that is given or taken here leaves its trace as in its own register."""
        super().save_formset(request, form, formset, change)
        changed = [row for row, _fields in formset.changed_objects]
        deeds = {"added": formset.new_objects, "changed": changed, "deleted": formset.deleted_objects}
        for deed, rows in deeds.items():
            for row in rows:
                trace(row.tenant, f"admin.{deed}", row, register=str(row._meta.verbose_name))

    @admin.display(description=_("Password"))
    def set_password(self, user: User) -> SafeString:
        """Instead of the stock field, which shows the beginning of the hash."""
        return format_html('<a href="../password/">{}</a>', _("Set another password"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return fence_of(request).everything

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return fence_of(request).everything

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return fence_of(request).everything

    def has_add_permission(self, request: HttpRequest) -> bool:
        return fence_of(request).everything

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# Rights come from memberships; a group would promise some that nobody reads.
admin.site.unregister(Group)
