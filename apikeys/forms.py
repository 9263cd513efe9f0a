"""The form that mints a key: one for the admin and for the campground's own pages."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apikeys.minting import LATEST, Minted, mint_once
from apikeys.models import ApiKey, Scope
from tenants.models import Tenant


class MintForm(forms.ModelForm[ApiKey]):
    """What a new key is to be. ``expires_at`` is typed on the campground's wall clock."""

    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("pos:write posts sales; pos:read reads them back and lists products. Most tills need both."),
    )
    expires_at = forms.DateTimeField(
        label=_("Expires"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("In the campground's time zone; empty means never."),
    )

    class Meta:
        model = ApiKey
        fields: ClassVar = ["name", "scopes", "expires_at", "budget"]
        labels: ClassVar = {"name": _("Name"), "budget": _("Calls per hour")}
        help_texts: ClassVar = {
            "name": _("Where the token will live, such as “Lightspeed shop till”."),
            "budget": _("At most so many calls in any hour; empty means no limit."),
        }

    @property
    def owner(self) -> Tenant | None:
        """The campground whose key it will be, and on whose clock it ends."""
        return self.cleaned_data.get("tenant")

    def clean(self) -> dict[str, Any] | None:
        """Read the wall clock, and refuse a key that would be dead when it is born."""
        cleaned = super().clean()
        expires_at = self.cleaned_data.get("expires_at")
        if self.owner and expires_at:
            typed = timezone.make_naive(expires_at)
            self.cleaned_data["expires_at"] = typed.replace(tzinfo=self.owner.zone_info)
            if self.cleaned_data["expires_at"] <= timezone.now():
                self.add_error("expires_at", ValidationError(_("This lies in the past."), code="past"))
            elif self.cleaned_data["expires_at"] >= LATEST:
                too_late = self.fields["expires_at"].error_messages["invalid"]
                self.add_error("expires_at", ValidationError(too_late, code="invalid"))
        return cleaned


class OnceForm(MintForm):
    """The same on a campground's own page: its campground is known, and it mints once, however often it is sent."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"scopes": Scope.values})
        super().__init__(*args, **kwargs)
        self.tenant = tenant

    @property
    def owner(self) -> Tenant:
        return self.tenant

    def mint(self) -> Minted:
        """Mint what the form asks for; it must be valid.

        Raises:
            FormUsed: this very form has minted a key before.
        """
        return mint_once(tenant=self.tenant, at=timezone.now(), **self.cleaned_data)
