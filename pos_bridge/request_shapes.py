"""What a till may send, as JSON Schema: derived from the fields that check it, told in words for its maker.

The extensions at the end register themselves with drf-spectacular when this module is imported.
"""

# mypy: untyped-calls-exclude=drf_spectacular

from __future__ import annotations

from typing import Any, TypeAlias, cast

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from rest_framework import serializers

from kasse.models import LARGEST_RECEIPT
from pos_bridge import patterns
from pos_bridge.contract import SaleSerializer
from pos_bridge.fields import METADATA_KEYS, ExactField
from pos_bridge.request_words import SALE_IN_WORDS, WORDS

Schema: TypeAlias = dict[str, Any]

# What drf-spectacular adds to a text that may be empty; our patterns let it be empty themselves.
EMPTY_TEXT = {"type": "string", "maxLength": 0}


def ref(kind: str, name: str) -> Schema:
    """A pointer to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


class SerializerInWords(OpenApiSerializerExtension):
    """A serializer's schema with a sentence for each field."""

    target_class = serializers.Serializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        schema = cast(Schema, auto_schema._map_serializer(self.target, direction, bypass_extensions=True))  # noqa: SLF001 (the library's own way to say "as without this extension")
        fields = schema["properties"]
        for name, field in fields.items():
            shape = field["oneOf"][0] if EMPTY_TEXT in field.get("oneOf", ()) else field
            fields[name] = {**shape, "description": WORDS[type(self.target)][name]}
            rows = self.target.fields[name]
            if isinstance(rows, serializers.ListSerializer):
                fields[name] |= {"minItems": 0 if rows.allow_empty else 1, "maxItems": cast(Any, rows).max_length}
        return schema


class SaleInWords(SerializerInWords):
    """What concerns a sale as a whole."""

    target_class = SaleSerializer
    match_subclasses = False
    priority = 1

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        schema = super().map_serializer(auto_schema, direction)
        fields = schema["properties"]
        fields["currency"] |= {"pattern": patterns.CURRENCY, "minLength": 3, "maxLength": 3, "examples": ["CHF"]}
        mixed = {"properties": {"payment_method": {"const": "MIXED"}}, "required": ["payment_method"]}
        needs_payments = {"properties": {"payments": {"type": "array"}}, "required": ["payments"]}
        return {**schema, "description": SALE_IN_WORDS, "if": mixed, "then": needs_payments}


class FieldShape(OpenApiSerializerFieldExtension):
    """The shape of one of our own fields; those with a ``name`` share a component."""

    name: str | None = None

    def get_name(self) -> str | None:
        return self.name

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        return self.shape()

    def shape(self) -> Schema:
        """JSON Schema without the description, and without ``null``."""
        raise NotImplementedError


class TextShape(FieldShape):
    """A JSON string."""

    target_class = "pos_bridge.fields.TextField"

    def shape(self) -> Schema:
        return {"type": "string", "pattern": patterns.TEXT, "maxLength": self.target.max_length or 255}


class ReferenceShape(FieldShape):
    """The till's own reference."""

    target_class = "pos_bridge.fields.ReferenceField"
    name = "Reference"

    def shape(self) -> Schema:
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": patterns.REFERENCE,
            "description": "A till's own name for a sale: printable characters of any script, without a blank or a "
            "slash at either end. A leading dot and characters beyond the Basic Multilingual Plane are taken too; `.` "
            "and `..` are not.",
            "examples": ["seeblick-2026-04-29-T-1"],
        }


class TillNameShape(ReferenceShape):
    """Which device of a key sold something: like a reference, but shorter, and a component of its own."""

    target_class = "pos_bridge.fields.TillNameField"
    name = "TillName"

    def shape(self) -> Schema:
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": self.target.max_length,
            "pattern": patterns.REFERENCE,
            "description": "A till's own name for one of its devices; printable like a reference.",
            "examples": ["Kiosk 2"],
        }


class ReceiptShape(FieldShape):
    """A running receipt number."""

    target_class = "pos_bridge.fields.ReceiptField"

    def shape(self) -> Schema:
        return {"type": "integer", "minimum": 1, "maximum": LARGEST_RECEIPT, "examples": [1041]}


class ExactShape(FieldShape):
    """A decimal as text; a quantity also as a whole number."""

    target_class = ExactField
    match_subclasses = True

    def shape(self) -> Schema:
        field: ExactField = self.target
        pattern = patterns.decimal(places=field.places, negative=field.min_value is None, zero=field.allow_zero)
        text = {"type": "string", "pattern": pattern}
        if field.allow_zero:
            return {**text, "examples": ["12.50"]}
        sold = {"type": "integer", "minimum": 1, "maximum": 99_999_999}
        returned = {"type": "integer", "minimum": -99_999_999, "maximum": -1}
        return {"anyOf": [sold, returned, text], "examples": [2, "0.5"]}


class CountShape(FieldShape):
    """How many."""

    target_class = "pos_bridge.telling.CountField"
    priority = 1

    def shape(self) -> Schema:
        return {"type": "integer", "minimum": 0, "maximum": 99_999_999, "examples": [42]}


class VatRateShape(FieldShape):
    """A rate in percent."""

    target_class = "pos_bridge.contract.VatRateField"
    priority = 1

    def shape(self) -> Schema:
        return {"type": "string", "pattern": patterns.RATE, "examples": ["8.1", "2.6", "3.8"]}


class ChoiceShape(FieldShape):
    """One of the codes; the same choices share a component."""

    target_class = "pos_bridge.fields.StrictChoiceField"

    def get_name(self) -> str:
        return {"payment_method": "PaymentMethod", "method": "Tender", "kind": "LineKind"}[self.target.field_name]

    def shape(self) -> Schema:
        return {"type": "string", "enum": list(self.target.choices)}


class InstantShape(FieldShape):
    """An RFC 3339 instant with its offset."""

    target_class = "pos_bridge.fields.InstantField"
    name = "Instant"

    def shape(self) -> Schema:
        return {
            "type": "string",
            "format": "date-time",
            "pattern": patterns.INSTANT,
            "description": "RFC 3339 with an offset, from the year 2000 on. Beyond microseconds is cut off.",
            "examples": ["2026-04-29T08:14:32Z", "2026-04-29T10:14:32+02:00"],
        }


class QueryInstantShape(FieldShape):
    """The same in a query string."""

    target_class = "pos_bridge.queries.QueryInstantField"

    def shape(self) -> Schema:
        return ref("schemas", InstantShape.name)


class DayShape(FieldShape):
    """A calendar day."""

    target_class = "pos_bridge.fields.DayField"

    def shape(self) -> Schema:
        return {"type": "string", "format": "date", "pattern": patterns.CALENDAR_DAY, "examples": ["2026-04-29"]}


class SwitchShape(FieldShape):
    """``true`` or ``false``."""

    target_class = "pos_bridge.queries.SwitchField"

    def shape(self) -> Schema:
        return {"type": "boolean"}


class MetadataShape(FieldShape):
    """A small object."""

    target_class = "pos_bridge.fields.MetadataField"

    def shape(self) -> Schema:
        text = {"type": "string", "pattern": patterns.TEXT}
        largest = 10**15 - 1
        number = {"type": "integer", "minimum": -largest, "maximum": largest}
        return {
            "type": "object",
            "maxProperties": METADATA_KEYS,
            "propertyNames": {"pattern": patterns.TEXT},
            "additionalProperties": {"anyOf": [text, number, {"type": ["boolean", "null"]}]},
        }
