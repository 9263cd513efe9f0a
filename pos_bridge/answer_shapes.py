"""What the service answers, as JSON Schema, and the headers that go with it.

Tight in what is there, open to what may come: new fields, error codes and enum values are compatible at any
time, so codes are described by their look and today's values stand beside.

Source: wire contract, sections 2 to 4 and 6.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kasse.models import TENDERS, LineKind, PaymentMethod, Source, Status
from pos_bridge import patterns
from pos_bridge.kinds import KINDS
from pos_bridge.request_shapes import Schema, ref

INSTANT: Schema = {"type": "string", "format": "date-time", "pattern": patterns.UTC_INSTANT}
AMOUNT: Schema = {"type": "string", "pattern": patterns.AMOUNT_ANSWERED}
SUM: Schema = {"type": "string", "pattern": patterns.SUM_ANSWERED}
PRICE: Schema = {"type": "string", "pattern": patterns.PRICE_ANSWERED}
RATE: Schema = {"type": "string", "pattern": patterns.RATE_ANSWERED}
CURRENCY: Schema = {"type": "string", "pattern": patterns.CURRENCY}
TEXT: Schema = {"type": "string"}
LINK: Schema = {"type": ["string", "null"], "format": "uri"}


def one_of(codes: Iterable[str]) -> Schema:
    """A code of which more may come: a client must not break on a new one."""
    known = ", ".join(f"`{code}`" for code in codes)
    return {"type": "string", "pattern": "^[A-Za-z_]+$", "description": f"Today one of {known}; more may come."}


def nullable(schema: Schema) -> Schema:
    """The same, or ``null``."""
    return {**schema, "type": [schema["type"], "null"]}


def in_words(schema: Schema, words: str) -> Schema:
    """The same with a description."""
    return {**schema, "description": words}


def record(description: str, fields: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object whose fields are always there, but for ``optional`` ones."""
    required = [name for name in fields if name not in optional]
    return {"type": "object", "description": description, "properties": fields, "required": required}


def rows_of(name: str) -> Schema:
    """A list of a component."""
    return {"type": "array", "items": ref("schemas", name)}


def page_of(name: str) -> Schema:
    """One page of a list."""
    return record(
        "One page of a list; the same links stand in the `Link` header.",
        {
            "count": in_words({"type": "integer", "minimum": 0}, "On all pages together."),
            "next": in_words(LINK, "The next page; `null` on the last."),
            "previous": in_words(LINK, "The page before; `null` on the first."),
            "results": {**rows_of(name), "maxItems": 200},
        },
    )


SALE = record(
    "A stored sale: the same body when it comes, when it is sent again, and when it is read back.",
    {
        "id": in_words({"type": "string", "format": "uuid"}, "Ours."),
        "external_ref": in_words({"type": "string", "minLength": 1, "maxLength": 255}, "The till's own reference."),
        "source": one_of(Source.values),
        "status": one_of(Status.values),
        "payment_method": one_of(PaymentMethod.values),
        "currency": CURRENCY,
        "total_amount": in_words(AMOUNT, "VAT included, without the tip; negative for a refund."),
        "rounding_amount": in_words(AMOUNT, "Cash rounding, as sent or as booked."),
        "tip_amount": in_words(AMOUNT, "Outside `total_amount`."),
        "items": {**rows_of("SaleItem"), "minItems": 1, "maxItems": 500},
        "payments": {**rows_of("SalePayment"), "minItems": 1, "maxItems": 50},
        "refund_of": in_words(nullable(TEXT), "The till's reference of the original sale, if it named one."),
        "till_id": in_words(nullable(TEXT), "Which device of the key sold it, if it was said."),
        "receipt_seq": in_words(nullable({"type": "integer", "minimum": 1}), "The till's running number, if sent."),
        "occurred_at": in_words(INSTANT, "The till's clock."),
        "business_date": in_words({"type": "string", "format": "date"}, "The day for which it counts."),
        "received_at": in_words(INSTANT, "The service's clock when it first came."),
        "metadata": in_words({"type": "object"}, "As sent; empty if nothing was."),
        "warnings": in_words(rows_of("Warning"), "Only when something is to be said to whoever has just posted."),
    },
    optional=("warnings",),
)

SALE_ITEM = record(
    "One line.",
    {
        "description": {"type": "string", "minLength": 1, "maxLength": 255},
        "quantity": in_words({"type": "number"}, "Never 0; up to 3 places."),
        "unit_price": PRICE,
        "line_total": AMOUNT,
        "sku": in_words(TEXT, "Empty if none was sent."),
        "vat_rate": in_words(
            nullable(RATE), "In percent: as sent, the product's, or the default; `null` if nobody knows."
        ),
        "category": in_words(TEXT, "Empty if none was sent."),
        "kind": one_of(LineKind.values),
    },
)

SALE_PAYMENT = record("One tender.", {"method": one_of(TENDERS), "amount": AMOUNT, "tip_amount": AMOUNT})

WARNING = record(
    "Something a till should know about a sale that was taken all the same.",
    {
        "code": one_of(["differs_from_stored", "large_rounding", "rounding_booked", "unknown_field"]),
        "field": in_words(TEXT, "Such as `items[1].description`."),
        "message": TEXT,
        "stored": {"description": "With `differs_from_stored`: the value that stays."},
        "sent": {"description": "With `differs_from_stored`: the value that was sent now."},
    },
    optional=("stored", "sent"),
)

PRODUCT = record(
    "Something a till can sell.",
    {
        "id": {"type": "integer", "minimum": 1},
        "sku": {"type": "string", "minLength": 1, "maxLength": 64},
        "name": {"type": "string", "maxLength": 255},
        "category": {"type": "string", "maxLength": 80},
        "unit_price": in_words(AMOUNT, "VAT included."),
        "vat_rate": in_words(RATE, "In percent."),
        "currency": CURRENCY,
        "active": in_words({"type": "boolean"}, "`false`: no longer sold."),
        "updated_at": INSTANT,
    },
)

CAMPGROUND = record(
    "The campground to which the key belongs.",
    {
        "slug": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": 63},
        "name": TEXT,
        "zone": in_words(TEXT, "The time zone in which its days begin and end."),
    },
)

PONG = record(
    "Who the caller is to the service, and what the service's clock says.",
    {
        "tenant": ref("schemas", "Campground"),
        "currency": CURRENCY,
        "key_prefix": in_words({"type": "string", "pattern": "^ckt?_[A-Za-z0-9]{8}$"}, "The public start of the key."),
        "test": in_words({"type": "boolean"}, "Whether it is a test key: nothing that it sends counts."),
        "scopes": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+:[a-z]+$"}, "minItems": 1},
        "expires_at": in_words({**INSTANT, "type": ["string", "null"]}, "When the key ends; null means never."),
        "server_time": INSTANT,
    },
)

SUM_FACTS: dict[str, Schema] = {
    "expected": in_words(SUM, "What the parts add up to."),
    "actual": in_words(AMOUNT, "What was sent."),
    "difference": in_words(SUM, "`actual` minus `expected`."),
}

MOST = in_words({"type": "integer", "minimum": 1}, "With `too_many`: how many rows one call may bring.")

FAULT = record(
    "One fault.",
    {
        "field": in_words(nullable(TEXT), "Such as `items[1].quantity`; `null` where no field is at fault."),
        "code": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "message": TEXT,
        **SUM_FACTS,
        "server_time": in_words(INSTANT, "With `occurred_at_in_future`."),
        "most": MOST,
        "stored": {"description": "With `differs`: the value that stays."},
        "sent": {"description": "With `differs`: the value that was refused."},
    },
    optional=(*SUM_FACTS, "server_time", "most", "stored", "sent"),
)

PROBLEM = record(
    "What went wrong, for three readers: `detail` or lists of messages by field, as Django REST framework's clients "
    "know them; RFC 9457; and one short sentence for the cashier.",
    {
        "detail": in_words(
            TEXT,
            "The code again. Where fields are at fault their names stand in its place, each with its "
            "messages; what concerns no field is under `non_field_errors`.",
        ),
        "type": in_words({"type": "string", "format": "uri"}, "Where the code is explained."),
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {
            "type": "string",
            "pattern": "^[a-z0-9_]+$",
            "description": "Stable: a published code never changes its meaning. Today one of "
            + ", ".join(f"`{code}`" for code in KINDS)
            + "; more may come.",
        },
        "errors": in_words(rows_of("Fault"), "All faults at once."),
        "retryable": in_words({"type": "boolean"}, "Whether the same request may succeed later."),
        "request_id": in_words(
            {"type": "string", "minLength": 1, "maxLength": 64}, "To be named when asking for help."
        ),
        "cashier_message": in_words({"type": "string", "minLength": 1, "maxLength": 50}, "In the caller's language."),
        "id": in_words({"type": "string", "format": "uuid"}, "With `external_ref_conflict`: the stored sale."),
        "address": in_words(
            {"type": "string"}, "With `address_not_allowed`: from where the call came; empty if that is not known."
        ),
        "required_scope": in_words(TEXT, "With `insufficient_scope`: one of these scopes, parted by blanks."),
        "server_time": in_words(INSTANT, "With `occurred_at_in_future`: the service's clock."),
        "most": MOST,
        **SUM_FACTS,
    },
    optional=("detail", "id", "address", "required_scope", "server_time", "most", *SUM_FACTS),
)

SCHEMAS: dict[str, Schema] = {
    "Sale": SALE,
    "SaleItem": SALE_ITEM,
    "SalePayment": SALE_PAYMENT,
    "SalePage": page_of("Sale"),
    "Warning": WARNING,
    "Product": PRODUCT,
    "ProductPage": page_of("Product"),
    "Campground": CAMPGROUND,
    "Pong": PONG,
    "Problem": PROBLEM,
    "Fault": FAULT,
}


def header(description: str, example: str, **schema: Any) -> Schema:
    """A header of an answer."""
    return {"description": description, "schema": {"type": "string", **schema}, "example": example}


HEADERS: dict[str, Schema] = {
    "X-Request-Id": header(
        "Names this call in the activity log: the caller's own, if it sent a well-formed one.",
        "4f9d2c1be07a48d3a6c5f18e92b7d035",
        pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$",
    ),
    "X-Api-Key-Expires": header(
        "When the key ends; only within its last 30 days. Ask the campground's staff for its successor.",
        "2026-12-31T23:00:00Z",
        format="date-time",
    ),
    "Location": header(
        "Where the sale can be read back.",
        "https://api.campone.example/api/v1/public/pos/transactions/seeblick-2026-04-29-T-1/",
        format="uri",
    ),
    "X-Test-Key": header("The key is a test key: nothing that it sends counts.", "true", const="true"),
    "Idempotent-Replayed": header("The sale was there already; nothing was written.", "true", const="true"),
    "ETag": header(
        "Strong; send it back as `If-None-Match`.", '"9b2d4c6e8f0a1b3c5d7e9f0a1b2c3d4e"', pattern='^"[^"]+"$'
    ),
    "Link": header(
        "RFC 8288: the pages `next` and `prev`, where there are such.",
        '<https://api.campone.example/api/v1/public/pos/transactions/?page=2>; rel="next"',
    ),
    "Retry-After": header("Seconds to wait.", "1", pattern="^[1-9][0-9]*$"),
    "WWW-Authenticate": header("What is asked for.", "Bearer", const="Bearer"),
    "Allow": header("The methods that this path takes.", "GET, HEAD"),
}
