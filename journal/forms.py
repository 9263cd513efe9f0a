"""What people fill in: how the books are kept, which account an amount goes to, what they have found in SAP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from journal.accounts import DEFAULTS, Account
from journal.labels import label_of
from journal.opening_doors import keep_password
from journal.settings_models import ACCOUNT, Flavor, JournalSettings
from tenants.outgoing import BadAddress, require_callable
from tenants.swiss import day_text

EARLIEST = date(2020, 1, 1)
PLACES = ("flavor", "url", "company", "username")
"""Where the password goes to. Whoever changes one of them has to know it, or could have it sent to themselves."""


class SettingsForm(forms.ModelForm[JournalSettings]):
    """How a campground's books are kept. The password is only ever taken in."""

    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown again. Left empty, the one that is stored stays."),
    )

    class Meta:
        model = JournalSettings
        fields: ClassVar = [
            "enabled",
            "first_date",
            "posting_hour",
            "block_unmapped",
            "flavor",
            "environment",
            "url",
            "company",
            "username",
            "company_currency",
            "cost_centre",
            "may_look_up",
        ]
        widgets: ClassVar = {"first_date": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}

    def clean_first_date(self) -> date:
        """Not by mistake in another century: each day since would get a journal of its own."""
        first: date = self.cleaned_data["first_date"]
        if first < EARLIEST:
            raise ValidationError(_("Not before %(day)s.") % {"day": day_text(EARLIEST)})
        return first

    def clean_url(self) -> str:
        """An address that may be called; none where there is no SAP."""
        url = str(self.cleaned_data["url"]).strip()
        try:
            if url:
                require_callable(url)
        except BadAddress as error:
            raise ValidationError(str(error)) from None
        return url

    def clean(self) -> dict[str, Any]:
        """With SAP, everything that leads there is needed, and the password with it whenever that has changed."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("flavor") in {None, Flavor.FILES}:
            return cleaned
        for name in ("url", "company", "username"):
            if name in cleaned and not cleaned[name]:
                self.add_error(name, _("SAP needs this."))
        if not cleaned.get("password") and (not self.instance.sealed_password or set(PLACES) & set(self.changed_data)):
            self.add_error("password", _("Enter the password for this address and user."))
        return cleaned

    def save(self, commit: bool = True) -> JournalSettings:
        """The settings, with a password that was entered sealed into them; a former test says nothing any more."""
        settings = super().save(commit=False)
        if password := self.cleaned_data["password"]:
            keep_password(settings, password)
        if password or set(PLACES) & set(self.changed_data):
            settings.tested_at, settings.test_sentence = None, ""
        settings.save()
        return settings


class MappingForm(forms.Form):
    """An account and a tax code for each key; left empty, the default holds."""

    def __init__(self, keys: Iterable[str], own: Mapping[str, Account], data: Any = None) -> None:
        super().__init__(data)
        self.keys = tuple(keys)
        self._own = own
        for key in self.keys:
            mapped = own.get(key, Account(""))
            label = label_of(key)
            self.fields[f"account-{key}"] = forms.CharField(
                required=False,
                max_length=15,
                initial=mapped.number,
                validators=[ACCOUNT],
                widget=_box(_("Account: %s") % label, placeholder=DEFAULTS.get(key, ""), size="8"),
            )
            self.fields[f"tax-{key}"] = forms.CharField(
                required=False,
                max_length=8,
                initial=mapped.tax_code,
                validators=[ACCOUNT],
                widget=_box(_("Tax code: %s") % label, size="4"),
            )

    def rows(self) -> list[dict[str, Any]]:
        """For the page: each key with its fields."""
        return [
            {
                "key": key,
                "label": label_of(key),
                "default": DEFAULTS.get(key, ""),
                "account": self[f"account-{key}"],
                "tax": self[f"tax-{key}"],
            }
            for key in self.keys
        ]

    def clean(self) -> dict[str, Any]:
        """A tax code stands beside an account."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for key in self.keys:
            if cleaned.get(f"tax-{key}") and not cleaned.get(f"account-{key}", "-"):
                self.add_error(f"account-{key}", _("A tax code needs an account beside it."))
        return cleaned

    def mapping(self) -> dict[str, Account]:
        """What was filled in. What came up since the page was made had no box, and stays as it is."""
        data = self.cleaned_data
        absent = {key for key in self.keys if f"account-{key}" not in self.data}
        filled = {key: Account(data[f"account-{key}"], data[f"tax-{key}"]) for key in self.keys}
        filled |= {key: self._own[key] for key in absent if key in self._own}
        return {key: account for key, account in filled.items() if account.number}


def _box(name: str, **attributes: str) -> forms.TextInput:
    """A box in a table, whose heading tells those who see what it is, and its name those who hear."""
    return forms.TextInput(attrs={"aria-label": name, **attributes})


class ConfirmForm(forms.Form):
    """A deed that is not done by mistake."""

    sure = forms.BooleanField(label=_("Yes, reverse this journal in the books."))


class SettleForm(forms.Form):
    """What somebody has found in SAP under our reference."""

    found = forms.ChoiceField(
        label=_("What does SAP say?"),
        choices=[("there", _("It is there, under this document number:")), ("absent", _("It is not there."))],
        widget=forms.RadioSelect,
    )
    number = forms.RegexField(
        r"^[0-9]{1,10}\Z",
        label=_("Document number"),
        required=False,
        error_messages={"invalid": _("Digits only, 10 at most.")},
    )

    def clean(self) -> dict[str, Any]:
        """What is there has a number, what is not has none."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("found") == "there" and not cleaned.get("number") and "number" not in self.errors:
            self.add_error("number", _("Enter the document number."))
        return cleaned

    @property
    def number_found(self) -> str:
        """The document's number; empty if there is none."""
        return str(self.cleaned_data["number"]) if self.cleaned_data["found"] == "there" else ""
