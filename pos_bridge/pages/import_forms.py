"""What is asked of whoever imports sales: a file, what its columns hold, what its words for payments mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey
from kasse.models import TENDERS
from pos_bridge.explaining import Text
from pos_bridge.importing.columns import Column, Layout
from pos_bridge.importing.laying_out import PREFIX, letters_of
from pos_bridge.importing.receipts import meaning_of, payment_words
from pos_bridge.importing.tables import MOST_BYTES, Row
from pos_bridge.importing.words import COLUMNS, FILES
from tenants.models import Tenant

SAMPLES = 3
MOST_WORDS = 30


class UploadForm(forms.Form):
    """A file of past sales."""

    file = forms.FileField(
        label=_("CSV file or Excel workbook"),
        help_text=_("At most 20'000 rows and 10 MB. Nothing is imported until you have seen what is in it."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        allow_empty_file=True,
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise ValidationError(str(FILES["too_large"]), code="too_large")
        return file


class SettingsForm(forms.Form):
    """Where the titles stand, of which till the sales are, and how their references begin."""

    header = forms.IntegerField(
        label=_("Row of the titles"),
        required=False,
        min_value=0,
        help_text=_("As the file counts its rows; 0 where there is none. The columns are guessed anew."),
    )

    key = forms.ModelChoiceField(
        ApiKey.objects.none(),
        label=_("Till"),
        required=False,
        empty_label=_("none of these"),
        help_text=_("Lists and totals name it. A till whose key is revoked may be chosen too."),
    )
    beginning = forms.RegexField(
        PREFIX,
        label=_("References begin with"),
        max_length=30,
        help_text=_("Then come the day and the receipt number. Two tills with the same numbers need two beginnings."),
    )

    def __init__(self, data: QueryDict | None, *, tenant: Tenant, **initial: Any) -> None:
        super().__init__(data, initial=initial)
        field: Any = self.fields["key"]
        field.queryset = ApiKey.objects.of(tenant).order_by("name", "pk")
        field.label_from_instance = lambda key: f"{key.name} ({key.prefix}…)"


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column of the file: its letter, its title, what stands in its first rows, and what it is taken to hold."""

    name: str
    letter: str
    title: str
    samples: list[str]
    chosen: str


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A word for payments in the file, and the method it is taken for."""

    name: str
    word: str
    chosen: str


def column_rows(rows: Sequence[Row], layout: Layout) -> list[ColumnRow]:
    """The columns of a file, as the form shows them."""
    first = [row.cells for row in rows[layout.header + 1 :][:SAMPLES]]
    width = max(len(layout.titles), *(len(cells) for cells in first))
    held = {place: column.value for column, place in layout.columns.items()}
    return [
        ColumnRow(
            name=f"column-{place}",
            letter=letters_of(place),
            title=layout.titles[place] if place < len(layout.titles) else "",
            samples=[cells[place] for cells in first if place < len(cells) and cells[place]],
            chosen=held.get(place, ""),
        )
        for place in range(width)
    ]


def payment_rows(rows: Sequence[Row], layout: Layout) -> list[PaymentRow]:
    """The words for payments in a file; those that nobody knows come first."""
    found = [(word, meaning_of(word, layout) or "") for word in payment_words(rows, layout)]
    found.sort(key=lambda pair: bool(pair[1]))
    return [PaymentRow(f"payment-{word}", word, method) for word, method in found[:MOST_WORDS]]


def column_choices() -> list[tuple[str, Text]]:
    """What a column may hold."""
    return [("", "–"), *((column.value, COLUMNS[column]) for column in Column)]


def payment_choices() -> list[tuple[str, Text]]:
    """What a word for payments may mean."""
    return [("", "–"), *((method.value, method.label) for method in TENDERS)]


class ColumnTwice(Exception):
    """Two columns are said to hold the same."""


def columns_in(data: QueryDict, layout: Layout) -> dict[Column, int | None]:
    """What was chosen for each column; what was chosen for none stands nowhere.

    Raises:
        ColumnTwice: two columns cannot hold the same.
    """
    found: dict[Column, int | None] = dict.fromkeys(layout.columns)
    for name, place in _numbered(data):
        held = next((column for column in Column if column == data[name]), None)
        if held is None:
            continue
        if found.get(held) is not None:
            raise ColumnTwice(held)
        found[held] = place
    return found


def payments_in(data: QueryDict) -> dict[str, str]:
    """What was said of words for payments."""
    named = ((name.removeprefix("payment-"), str(data[name])) for name in data if name.startswith("payment-"))
    return {word: method for word, method in named if method in set(TENDERS) and word.isprintable()}


def _numbered(data: QueryDict) -> Iterator[tuple[str, int]]:
    for name in data:
        place = name.removeprefix("column-")
        if place != name and place.isascii() and place.isdecimal() and len(place) < 4:
            yield name, int(place)
