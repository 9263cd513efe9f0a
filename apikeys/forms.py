"""The forms of keys: to mint, to change and to replace one; for the admin and for the campground's own pages."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apikeys.changing import change_key
from apikeys.minting import LATEST, Minted, mint_once, once
from apikeys.models import ApiKey, Scope
from apikeys.networks import NotANetwork, read_networks
from apikeys.replacing import replace_key
from tenants.models import Tenant
from tenants.rehearsals import open_rehearsal


class NetworksField(forms.CharField):
    """Networks, one on a line."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=3000, **kwargs)
        self.widget.attrs |= {"rows": 3, "spellcheck": "false", "autocomplete": "off"}

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        try:
            return read_networks(super().clean(value))
        except NotANetwork as wrong:
            raise ValidationError(
                _("This is no network: %(text)s. Write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48."),
                code="network",
                params={"text": wrong.text},
            ) from None


class KeyForm(forms.ModelForm[ApiKey]):
    """What all of them ask for. ``expires_at`` is typed on the campground's wall clock."""

    expires_at = forms.DateTimeField(
        label=_("Expires"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("In the campground's time zone; empty means never."),
    )

    class Meta:
        model = ApiKey
        fields: ClassVar = ["expires_at"]
        labels: ClassVar = {"name": _("Name"), "budget": _("Calls per hour")}
        help_texts: ClassVar = {
            "name": _("Where the token will live, such as “Lightspeed shop till”."),
            "budget": _("At most so many calls in any hour; empty means no limit."),
        }

    @property
    def owner(self) -> Tenant | None:
        """The campground whose key it is, and on whose clock it ends."""
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


class TermsForm(KeyForm):
    """All that can be said of a key, and said anew later."""

    networks = NetworksField(
        label=_("Only from these networks"),
        help_text=_("Addresses from which the till calls the internet, one on a line; empty means from everywhere."),
    )

    class Meta(KeyForm.Meta):
        fields: ClassVar = ["name", "expires_at", "budget", "networks"]


class MintForm(TermsForm):
    """What a new key is to be."""

    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("pos:write posts sales; pos:read reads them back and lists products. Most tills need both."),
    )

    class Meta(TermsForm.Meta):
        fields: ClassVar = ["name", "scopes", "expires_at", "budget", "networks"]


class OnceForm(MintForm):
    """The same on a campground's own page: its campground is known, and it mints once, however often it is sent."""

    is_test = forms.BooleanField(
        label=_("Test key, to try a till out"),
        required=False,
        help_text=_("All works as with any key, but what it sends is kept apart and never counts."),
    )
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
        wanted = {**self.cleaned_data}
        tenant = open_rehearsal(self.tenant) if wanted.pop("is_test") else self.tenant
        return mint_once(tenant=tenant, at=timezone.now(), **wanted)


class ChangeForm(TermsForm):
    """What can be changed of a key that lives, on its campground's own page."""

    @property
    def owner(self) -> Tenant:
        return self.instance.tenant

    def change(self) -> ApiKey:
        """Change the key as the form asks; it must be valid.

        Raises:
            KeyEnded, KeyReplaced: see ``changing.change_key()``.
        """
        return change_key(self.instance, at=timezone.now(), **self.cleaned_data)


class ReplaceForm(KeyForm):
    """How a key is to be replaced; it mints once, however often it is sent."""

    leaked = forms.BooleanField(
        label=_("End the old key now: somebody else may have its token"),
        required=False,
        help_text=_("The till is refused until it has the new token. Otherwise it sells on meanwhile."),
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        # A key that was to end is followed by one that lives as long.
        ends = timezone.now() + (key.expires_at - key.created_at) if key.expires_at else None
        kwargs.setdefault("initial", {"expires_at": ends})
        super().__init__(*args, **kwargs)
        self.key = key

    @property
    def owner(self) -> Tenant:
        return self.key.tenant

    def replace(self) -> Minted:
        """Replace the key as the form asks; it must be valid.

        Raises:
            FormUsed: this very form has minted a key before.
            KeyEnded, KeyReplaced: see ``replacing.replace_key()``.
        """
        told = self.cleaned_data
        deed = partial(replace_key, self.key, expires_at=told["expires_at"], leaked=told["leaked"], at=timezone.now())
        return once(deed, tenant=self.key.tenant, form_id=told["form_id"])
