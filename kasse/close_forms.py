"""What is typed in when a day is closed: notes and coins, the float, a reason."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from kasse.cash import DENOMINATIONS, CountedCash
from kasse.closing import Preview
from kasse.closing_models import CashDeskSettings
from kasse.money import ZERO, plain
from tenants.swiss import money_text

MOST_PIECES = 99_999
LARGEST = Decimal("99999999.99")
LONGEST_REASON = 1000


# Python's own readers take 1e3, 1_000 and ten scripts' digits as well: nobody types these, so somebody has erred.
AMOUNT = re.compile(r"-?([0-9]+|[0-9]{1,3}(['’\u2009\u00a0\u202f ][0-9]{3})+)?([.,]([0-9]*|-|–))?")
PIECES = re.compile(r"-?[0-9]*")


class AmountField(forms.DecimalField):
    """An amount as a Swiss hand writes it: 1'234.50, 1’234,50, 12.-; no more than two places, never below zero."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "sum"})

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=ZERO, max_value=LARGEST, decimal_places=2, **options)

    def to_python(self, value: Any) -> Any:
        """Without what groups thousands, and with a point."""
        if isinstance(value, str):
            value = value.strip()
            if not AMOUNT.fullmatch(value):
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
            value = re.sub(r"['’\s]", "", value).replace(",", ".").removesuffix(".-").removesuffix(".–")
        amount = super().to_python(value)
        return None if amount is None else amount + ZERO


class PiecesField(forms.IntegerField):
    """How many of a note or coin."""

    def to_python(self, value: Any) -> Any:
        """A whole number in plain digits."""
        if isinstance(value, str) and not PIECES.fullmatch(value.strip()):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class CloseForm(forms.Form):
    """The count of an evening.

    ``taken_seen`` and ``opening_seen`` are what the day's page showed: the cash taken, and the float before it. The
    float is not shown where it is asked for.
    """

    other = AmountField(
        required=False, label=_("Counted as a sum"), help_text=_("Rolls of coins, or all of it if you like.")
    )
    float_left = AmountField(
        required=False,
        label=_("Float left in the drawer"),
        help_text=_("What tomorrow begins with. Left empty, the float stays as it was."),
    )
    variance_reason = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        label=_("Reason for the variance"),
        help_text=_("Needed if what you counted is not what was expected."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    taken_seen = forms.DecimalField(required=False, decimal_places=2, widget=forms.HiddenInput)
    opening_seen = forms.DecimalField(required=False, decimal_places=2, widget=forms.HiddenInput)
    final = forms.BooleanField(label=_("I have counted. I know that a saved close can never be changed."))

    def __init__(self, *args: Any, seen: Preview, checking: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen = seen
        self.values = DENOMINATIONS.get(seen.totals.currency, ())
        for value in self.values:
            self.fields[name_of(value)] = _pieces_field(value, seen.totals.currency)
        if seen.is_first:
            self.fields["first_float"] = AmountField(
                label=_("Float in the morning"),
                help_text=_("This is the first close: what was in the drawer when the day began? Later ones know."),
            )
        if checking:
            self.fields["final"].required = False

    @property
    def pieces(self) -> list[tuple[Decimal, forms.BoundField]]:
        """A field for each note and coin."""
        return [(value, self[name_of(value)]) for value in self.values]

    @property
    def first_float_field(self) -> forms.BoundField | None:
        """The field of the very first float, where it is asked for."""
        return self["first_float"] if self.seen.is_first else None

    @property
    def counted(self) -> CountedCash:
        """What was counted; of a valid form."""
        counts = {value: self.cleaned_data[name_of(value)] or 0 for value in self.values}
        return CountedCash.of(counts, other=self.cleaned_data["other"] or ZERO)

    @property
    def first_float(self) -> Decimal:
        """What was typed in as the very first float, where it is asked for."""
        return self.cleaned_data.get("first_float") or ZERO

    @property
    def expected_seen(self) -> Decimal | None:
        """What the page showed as expected, with the first float as it was typed in since."""
        taken: Decimal | None = self.cleaned_data["taken_seen"]
        opening: Decimal | None = self.cleaned_data["opening_seen"]
        if opening is None:
            opening = self.first_float if self.seen.is_first else self.seen.drawer.opening_float
        return None if taken is None else opening + taken


class CashDeskSettingsForm(forms.ModelForm[CashDeskSettings]):
    """The switch of a campground."""

    class Meta:
        model = CashDeskSettings
        fields = ["external_cash_in_drawer"]


def name_of(value: Decimal) -> str:
    """The field of a note or coin, by its value in Rappen."""
    return f"pieces_{int(value * 100)}"


def _pieces_field(value: Decimal, currency: str) -> PiecesField:
    shown = money_text(value)
    attributes = {"inputmode": "numeric", "min": 0, "data-rappen": int(value * 100), "class": "sum"}
    return PiecesField(
        required=False,
        label=f"{currency} {shown}",
        validators=[MinValueValidator(0), MaxValueValidator(MOST_PIECES)],
        widget=forms.NumberInput(attrs={**attributes, "data-value": plain(value, places=2)}),
    )
