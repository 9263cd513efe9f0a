"""Fields as strict as the wire contract; Django REST framework's own are lenient where money is at stake.

Its ``DecimalField`` takes ``1e3``, ``1_0`` and full-width digits, its ``DateTimeField`` a date without an
offset. Here a text must match a pattern of ASCII characters before it becomes a number or an instant.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from kasse.models import LARGEST_RECEIPT
from pos_bridge.strict_json import Literal

METADATA_KEYS = 20
METADATA_BYTES = 2048
# How much of a wrong value an answer repeats.
ECHOED = 40

RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LONGEST_REFERENCE = 255
LONGEST_TILL = 64
EARLIEST = datetime(2000, 1, 1, tzinfo=timezone.utc)
# Control and format characters (those that turn the reading direction among them), surrogates, line ends.
UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class TextField(serializers.CharField):
    """A JSON string, kept to the character: not trimmed, and no number read as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or isinstance(data, Literal):
            self.fail("invalid")
        return super().to_internal_value(data)


class ReferenceField(TextField):
    """The till's own reference: 1 to 255 printable characters that survive a URL path."""

    default_error_messages = {
        "unprintable": "Control and invisible characters are not allowed.",
        "surrounding_blanks": "Must not begin or end with a blank.",
        "dots_only": "Must not be “.” or “..”.",
        "outer_slash": "Must not begin or end with “/”.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": LONGEST_REFERENCE, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        fault = fault_in_reference(text)
        if fault:
            self.fail(fault)
        return text


class TillNameField(ReferenceField):
    """Which device of a key sold something: 1 to 64 characters of which the same holds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": LONGEST_TILL, **kwargs})


def fault_in_reference(text: str) -> str | None:
    """The code of what is wrong with a reference, or None; its length is checked elsewhere."""
    # The quick test is the stricter one: it takes foreign blanks and unassigned characters for unprintable, too.
    if not text.isprintable() and any(unicodedata.category(character) in UNPRINTABLE for character in text):
        return "unprintable"
    if text != text.strip():
        return "surrounding_blanks"
    if text in {".", ".."}:
        return "dots_only"
    if text.startswith("/") or text.endswith("/"):
        return "outer_slash"
    return None


class ExactField(serializers.Field):  # type: ignore[type-arg]
    """A number or its text, with at most 8 digits before the point and ``places`` after it; exact."""

    default_error_messages = {
        "invalid": "A valid number is required.",
        "max_places": "Ensure that there are no more than {places} decimal places.",
        "max_whole_digits": "Ensure that there are no more than 8 digits before the decimal point.",
        "min_value": "Ensure this value is greater than or equal to {min_value}.",
        "zero": "Must not be 0.",
    }
    SHAPE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")

    def __init__(self, *, places: int, min_value: int | None = None, allow_zero: bool = True, **kwargs: Any) -> None:
        self.places = places
        self.min_value = min_value
        self.allow_zero = allow_zero
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not self.SHAPE.fullmatch(data):
            self.fail("invalid")
        whole, _, fraction = data.lstrip("-").partition(".")
        if len(fraction) > self.places:
            self.fail("max_places", places=self.places)
        if len(whole) > 8:
            self.fail("max_whole_digits")
        # Adding zero turns −0 into 0.
        return self._within_bounds(Decimal(data) + 0)

    def _within_bounds(self, number: Decimal) -> Decimal:
        if self.min_value is not None and number < self.min_value:
            self.fail("min_value", min_value=self.min_value)
        if not self.allow_zero and number == 0:
            self.fail("zero")
        return number

    def to_representation(self, value: Any) -> Any:
        return str(value)


class MoneyField(ExactField):
    """An amount with at most two places."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(places=2, **kwargs)


class ReceiptField(serializers.Field):  # type: ignore[type-arg]
    """A till's running receipt number: a whole number from 1, or its text; zeros may lead it."""

    default_error_messages = {"invalid": "Not a whole number from 1 to 9007199254740991."}
    SHAPE = re.compile(r"[0-9]{1,16}")

    def to_internal_value(self, data: Any) -> int:
        number = int(data) if isinstance(data, str) and self.SHAPE.fullmatch(data) else 0
        if not 1 <= number <= LARGEST_RECEIPT:
            self.fail("invalid")
        return number

    def to_representation(self, value: Any) -> Any:
        return value


class InstantField(serializers.Field):  # type: ignore[type-arg]
    """An RFC 3339 instant with its offset, from 2000 on."""

    default_error_messages = {
        "invalid": "Not an RFC 3339 instant with an offset, such as 2026-04-29T08:14:32Z.",
        "before_2000": "Must not be before the year 2000.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        instant = read_instant(data) if isinstance(data, str) and not isinstance(data, Literal) else None
        if instant is None:
            self.fail("invalid")
        if instant < EARLIEST:
            self.fail("before_2000")
        return instant

    def to_representation(self, value: Any) -> Any:
        return str(value)


def read_instant(text: str) -> datetime | None:
    """The instant in UTC, or None where the text is not exactly RFC 3339. Beyond microseconds is cut off.

    An instant whose UTC lies outside the years 1 to 9999 is none that any sale could have.
    """
    if RFC3339.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


class DayField(serializers.Field):  # type: ignore[type-arg]
    """A calendar day, YYYY-MM-DD."""

    default_error_messages = {"invalid": "Not a day, such as 2026-04-29."}

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str) or not DAY.fullmatch(data):
            self.fail("invalid")
        try:
            return date.fromisoformat(data)
        except ValueError:
            self.fail("invalid")

    def to_representation(self, value: Any) -> Any:
        return str(value)


class StrictChoiceField(serializers.ChoiceField):
    """One of the codes, exactly as written."""

    default_error_messages = {"not_a_string": "Not a valid string."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("not_a_string")
        if data not in self.choices:
            self.fail("invalid_choice", input=data if len(data) <= ECHOED else f"{data[:ECHOED]}…")
        return data


class MetadataField(serializers.Field):  # type: ignore[type-arg]
    """An object kept and given back: at most 20 keys and 2 KiB."""

    default_error_messages = {
        "invalid": "Not an object.",
        "too_many_keys": "No more than 20 keys.",
        "too_large": "No more than 2 KiB.",
        "number": "Numbers here have at most 15 digits and no exponent; send others as text.",
    }
    NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        if len(data) > METADATA_KEYS:
            self.fail("too_many_keys")
        kept: dict[str, Any] = self._kept(data)
        if len(json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()) > METADATA_BYTES:
            self.fail("too_large")
        return kept

    def _kept(self, value: Any) -> Any:
        if isinstance(value, Literal):
            return self._number(value)
        if isinstance(value, dict):
            return {key: self._kept(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._kept(each) for each in value]
        return value

    def _number(self, text: str) -> int | float:
        """Only what a float gives back unchanged: both databases and every reader agree on it."""
        if not self.NUMBER.fullmatch(text) or sum(character.isdigit() for character in text) > 15:
            self.fail("number")
        # Adding zero turns −0.0, which one database keeps and the other does not, into 0.0.
        return float(text) + 0.0 if "." in text else int(text)

    def to_representation(self, value: Any) -> Any:
        return value
