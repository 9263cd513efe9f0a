"""Keys in the admin: minted, looked up, revoked. A raw token is on one page, once; a hash is on none.

The token goes from ``mint_key()`` into the answer to the POST that asked for it, and nowhere else: no session, no
message, no history entry holds it, and no address leads back to that page.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apikeys.forms import MintForm
from apikeys.minting import Minted, mint_key
from apikeys.models import ApiKey
from apikeys.states import STATES, with_state
from tenants.admin import FencedForm, TenantFencedAdmin, TenantFilter, fence_of, local_time


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class FencedMintForm(MintForm, FencedForm[ApiKey]):
    """With the campground to choose, among those where the person may change things."""


@admin.register(ApiKey)
class ApiKeyAdmin(TenantFencedAdmin[ApiKey]):
    list_display = ["name", "key_state", "prefix", "scope_list", "last_used", "expires", "tenant"]
    list_filter = [("tenant", TenantFilter), StateFilter]
    list_select_related = ["tenant"]
    search_fields = ["name", "prefix"]
    ordering = ["-created_at"]
    actions = ["revoke_keys"]
    mint_fields = ["tenant", "name", "scopes", "expires_at", "budget", "networks"]
    fixed_fields = [
        "prefix",
        "scope_list",
        "budget",
        "network_list",
        "created",
        "replaces",
        "expires",
        "last_used",
        "key_state",
        "revoked",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return with_state(super().get_queryset(request), at=timezone.now())

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """The stock answer lets an address filter by any column: a hash could be guessed letter by letter."""
        return not lookup.startswith("token_hash") and super().lookup_allowed(lookup, value, request)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[Any]:
        return ["tenant", "name", *self.fixed_fields] if obj else self.mint_fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[Any]:
        """Of a key that exists, only the name can change: what it may do was promised when it was minted."""
        return ["tenant", *self.fixed_fields] if obj else []

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **{"form": FencedForm if obj else FencedMintForm, **kwargs})

    # Minting ----------------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        context = {"title": _("Create new key"), **one_button, **(extra_context or {})}
        return super().add_view(request, form_url, context)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Mint a new key; of one that exists, save the name alone, so that no race can undo a revocation."""
        if change:
            obj.save(update_fields=["name"])
            return
        wanted = {name: form.cleaned_data[name] for name in self.mint_fields}
        minted = mint_key(**wanted, at=timezone.now())
        obj.pk, obj.prefix = minted.key.pk, minted.key.prefix
        request.minted = minted  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The one page that shows the token; it is rendered after the key is committed, and may not be kept."""
        minted: Minted = request.minted  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Copy the token now"),
            "opts": self.opts,
            "key": minted.key,
            "token": minted.token,
            "facts": [
                (_("campground"), minted.key.tenant),
                (_("name"), minted.key.name),
                (_("prefix"), minted.key.prefix),
                (_("scopes"), self.scope_list(minted.key)),
                (_("expires"), self.expires(minted.key)),
            ],
            "api_url": f"{settings.PUBLIC_URL}{reverse('transactions').rstrip('/')}/",
        }
        return TemplateResponse(request, "apikeys/minted.html", context, headers={"Cache-Control": "no-store"})

    # Revoking ---------------------------------------------------------------------------------------

    @admin.action(description=_("Revoke selected keys"), permissions=["change"])
    def revoke_keys(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Ask first, then end the keys; those a person may only look at, and those that are ended, are left out."""
        fence = fence_of(request)
        live = queryset.filter(revoked_at=None).select_related("tenant")
        keys = [key for key in live if fence.lets_change(key.tenant_id)]
        if not keys:
            self.message_user(request, _("There is nothing to revoke among these keys."), messages.WARNING)
            return None
        if "confirmed" not in request.POST:
            return self._ask(request, keys)
        for key in keys:
            key.revoke(at=timezone.now())
            self.log_change(request, key, _t("Revoked."))
        done = ngettext("%d key is revoked.", "%d keys are revoked.", len(keys)) % len(keys)
        self.message_user(request, done, messages.SUCCESS)
        return None

    def _ask(self, request: HttpRequest, keys: list[ApiKey]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Revoke these keys?"),
            "opts": self.opts,
            "keys": [(key, self.last_used(key)) for key in keys],
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "apikeys/revoke.html", context)

    # Columns ----------------------------------------------------------------------------------------

    @admin.display(description=_("state"), ordering="state")
    def key_state(self, key: ApiKey) -> Any:
        return STATES[key.state]  # type: ignore[attr-defined]

    @admin.display(description=_("scopes"))
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(sorted(key.scopes))

    @admin.display(description=_("networks"))
    def network_list(self, key: ApiKey) -> str:
        return ", ".join(key.networks)

    @admin.display(description=_("created"))
    def created(self, key: ApiKey) -> str:
        return local_time(key.created_at, key.tenant)

    @admin.display(description=_("last used"), ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return local_time(key.last_used_at, key.tenant)

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        return local_time(key.expires_at, key.tenant)

    @admin.display(description=_("revoked"))
    def revoked(self, key: ApiKey) -> str:
        return local_time(key.revoked_at, key.tenant)
