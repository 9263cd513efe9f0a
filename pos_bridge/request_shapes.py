"""What a till may send, as JSON Schema: derived from the fields that check it, told in words for its maker.

The extensions at the end register themselves with drf-spectacular when this module is imported.
"""

# mypy: untyped-calls-exclude=drf_spectacular

from __future__ import annotations

from typing import Any, TypeAlias, cast

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from rest_framework import serializers

from pos_bridge import patterns
from pos_bridge.contract import ItemSerializer, PaymentSerializer, SaleSerializer
from pos_bridge.fields import METADATA_KEYS, ExactField
from pos_bridge.queries import ProductQuery, TransactionQuery

Schema: TypeAlias = dict[str, Any]

# What drf-spectacular adds to a text that may be empty; our patterns let it be empty themselves.
EMPTY_TEXT = {"type": "string", "maxLength": 0}

SALE_IN_WORDS = """One finished sale or refund, as a till sends it.

What these rules cannot say, and the service checks all the same:

- Σ `items[].line_total` + `rounding_amount` = `total_amount` = Σ `payments[].amount`, exactly. One kindness: in \
`CASH`, where no `rounding_amount` is sent, the total is a multiple of 0.05 and no more than 0.02 is missing or over, \
the difference is booked as rounding.
- Payments that name another method than `payment_method` need `MIXED`. Their tips add up to `tip_amount`, or are \
left out.
- `occurred_at` is at most 5 minutes ahead of the service's clock.
- `currency` is the campground's; `vat_rate` is one of its rates on that day.
- `metadata` is no larger than 2 KiB, the whole body no larger than 256 KiB.

Amounts are also taken as JSON numbers, with at most the same places and never with an exponent; they are read as \
exact decimals. Text is safer: many programs write 0.1 + 0.2 as 0.30000000000000004. Unknown fields are ignored and \
named in `warnings`. `null` is the same as leaving out."""

WORDS: dict[type[serializers.Serializer[Any]], dict[str, str]] = {
    SaleSerializer: {
        "external_ref": "The till's own reference, case-sensitive, unique at the campground for ever: by it a retry is "
        "recognised.",
        "payment_method": "How it was paid; `MIXED` with `payments`.",
        "total_amount": "What the guest owed, VAT included, without the tip; negative for a refund.",
        "items": "The lines.",
        "occurred_at": "When it was sold, by the till's clock.",
        "currency": "Only as a check: it must be the campground's.",
        "rounding_amount": "Cash rounding to 5 Rappen: total minus lines. Booked on its own.",
        "tip_amount": "Outside `total_amount`; never revenue.",
        "payments": "How it was paid, where that was in several ways. Amounts net of change.",
        "refund_of": "The till's reference of the original sale. Kept and shown; it links nothing, and may point "
        "nowhere.",
        "sent_at": "The till's clock when it sends: shows how far it is off.",
        "metadata": "Kept and given back. Objects and lists as values are taken too; numbers have at most 15 digits.",
    },
    ItemSerializer: {
        "description": "What was sold.",
        "quantity": "Up to 3 places, not 0; negative for what was returned.",
        "unit_price": "VAT included.",
        "line_total": "VAT included. This counts; it may differ from quantity times price, by a discount.",
        "sku": "The article's number; with it the catalogue gives a VAT rate that is not sent.",
        "vat_rate": "In percent: one of the campground's rates on that day. Left out, it is the product's, else the "
        "campground's default.",
        "category": "The till's own group of goods.",
        "kind": "`SALE` unless said otherwise.",
    },
    PaymentSerializer: {
        "method": "How this part was paid.",
        "amount": "Net of change, without the tip.",
        "tip_amount": "The part of the tip that was paid so.",
    },
    TransactionQuery: {
        "business_date": "The day for which a sale counts.",
        "occurred_from": "Sold at this instant or later, by the till's clock; a `+` is written `%2B`.",
        "occurred_to": "Sold at this instant or earlier, by the till's clock.",
        "received_since": "Arrived at this instant or later, by the service's clock.",
        "payment_method": "Paid in this way.",
        "external_ref": "The one sale with this reference.",
    },
    ProductQuery: {
        "include_inactive": "`true` adds those that are switched off.",
        "updated_since": "What was changed at this instant or later, with those switched off since.",
    },
}


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
        return schema


class SaleInWords(SerializerInWords):
    """What concerns a sale as a whole."""

    target_class = SaleSerializer
    match_subclasses = False
    priority = 1

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        schema = super().map_serializer(auto_schema, direction)
        fields = schema["properties"]
        for name in ("items", "payments"):
            rows = self.target.fields[name]
            fields[name] |= {"minItems": 1, "maxItems": rows.max_length}
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
