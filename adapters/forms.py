"""What staff enter for a connection: its name, whose it is, its words for payments, its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adapters.connections import entrust
from adapters.models import Connection
from adapters.vendor import SecretField, Vendor
from kasse.paying import METHODS

MOST_WORDS = 100
TAKEN = _("Another connection has this name.")
KEPT = _("Leave it empty to keep the one that is stored.")


class ConnectionForm(forms.ModelForm[Connection]):
    """The settings of a connection, as far as its vendor needs them."""

    methods = forms.CharField(
        label=_("Ways of paying"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=_("One a line, as the till calls it = as we do. For example: Kaffeekasse = VOUCHER"),
    )

    class Meta:
        model = Connection
        fields = ("name", "scope", "currency", "language", "default_vat_rate")

    def __init__(self, *args: Any, vendor: Vendor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.vendor = vendor
        self.secret_names = [secret.name for secret in vendor.secrets]
        self._leave_out_what_the_vendor_knows()
        for secret in vendor.secrets:
            self.fields[secret.name] = self._secret_field(secret)

    def _leave_out_what_the_vendor_knows(self) -> None:
        vendor = self.vendor
        self.fields["scope"].label = vendor.scope_label
        self.fields["scope"].required = vendor.scope_needed
        self.fields["scope"].help_text = vendor.scope_help
        if not vendor.scope_label:
            del self.fields["scope"]
        if vendor.knows_currency:
            del self.fields["currency"]
        if not vendor.speaks_at_till:
            del self.fields["language"]
        if vendor.knows_methods:
            self.fields["methods"].initial = "\n".join(f"{a} = {b}" for a, b in self.instance.methods.items())
        else:
            del self.fields["methods"]

    def _secret_field(self, secret: SecretField) -> forms.CharField:
        stored = bool(self.instance.pk and self.instance.sealed_secrets)
        return forms.CharField(
            label=secret.label,
            required=not stored,
            max_length=5000,
            strip=True,
            help_text=KEPT if stored else secret.help_text,
            widget=(forms.PasswordInput if secret.hidden else forms.TextInput)(attrs={"autocomplete": "off"}),
        )

    def clean_name(self) -> str:
        """Each name once for a vendor.

        Raises:
            ValidationError: another connection of this campground has it.
        """
        name = str(self.cleaned_data["name"])
        others = Connection.objects.of(self.instance.tenant).filter(vendor=self.vendor.code, name=name)
        if others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(TAKEN, code="taken")
        return name

    def clean_methods(self) -> Mapping[str, str]:
        """The words, in lower case, each with the method it means.

        Raises:
            ValidationError: a line is none of that form.
        """
        words: dict[str, str] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["methods"].splitlines())):
            word, _sign, method = (part.strip() for part in line.rpartition("="))
            if not word or method.upper() not in METHODS:
                raise forms.ValidationError(
                    _("Not understood: %(line)s. Ways of paying are: %(known)s."),
                    code="method",
                    params={"line": line[:60], "known": ", ".join(METHODS)},
                )
            words[word.casefold()] = method.upper()
        if len(words) > MOST_WORDS:
            raise forms.ValidationError(_("That is too many."), code="too_many")
        return words

    def fill(self, connection: Connection) -> Connection:
        """The connection with what was entered; ``save()`` is the caller's."""
        if "methods" in self.cleaned_data:
            connection.methods = dict(self.cleaned_data["methods"])
        told = {name: self.cleaned_data[name] for name in self.secret_names if self.cleaned_data.get(name)}
        if told:
            entrust(connection, **told)
            connection.trouble, connection.trouble_since = "", None
            if not self.vendor.scope_label:
                # The vendor said whose till it is, and is asked again: the new key may be somebody else's.
                connection.scope = ""
        return connection

    @property
    def columns(self) -> list[str]:
        """What has been entered, and nothing that the scheduler may be writing at the same time."""
        secrets = ["sealed_secrets", "trouble", "trouble_since", "scope"] if self.tells_secrets else []
        return list({*self.cleaned_data} - {*self.secret_names} | {*secrets})

    @property
    def tells_secrets(self) -> bool:
        """Whether a secret was entered, and the vendor should be tried at once."""
        return any(self.cleaned_data.get(name) for name in self.secret_names)
