"""What the service answers to many sales at once and about a day, as JSON Schema; see ``answer_shapes``."""

from __future__ import annotations

from kasse.models import LARGEST_RECEIPT, TENDERS
from pos_bridge.answer_shapes import (
    AMOUNT,
    CURRENCY,
    INSTANT,
    RATE,
    SUM,
    TEXT,
    in_words,
    nullable,
    one_of,
    page_of,
    record,
    rows_of,
)
from pos_bridge.batch import Fate
from pos_bridge.gaps import MOST_MISSING
from pos_bridge.models import Verdict
from pos_bridge.reconciling import LISTS
from pos_bridge.request_shapes import Schema, ref


def _listed(description: str, fields: dict[str, Schema]) -> Schema:
    """A list of small objects."""
    return {"type": "array", "items": record("One row.", fields), "maxItems": 10_000, "description": description}


NOT_STORED: Schema = {
    "type": "object",
    "description": "In a dry run: the sale as it would be stored, with no `id`.",
    "properties": {"id": {"type": "null"}, "external_ref": TEXT},
    "required": ["id", "external_ref"],
    "additionalProperties": True,
}
TOLD_BODY: Schema = {
    "anyOf": [ref("schemas", "Sale"), ref("schemas", "Problem"), NOT_STORED],
    "description": "What it would have got alone.",
}

DRY_RUN = record(
    "What would become of a sale; nothing is stored.",
    {
        "dry_run": {"const": True},
        "result": one_of(Fate),
        "status": in_words({"type": "integer", "minimum": 200, "maximum": 599}, "What it would get if it were meant."),
        "body": TOLD_BODY,
    },
)

BATCH_RESULT = record(
    "What became of one sale of a batch.",
    {
        "external_ref": in_words(nullable(TEXT), "As sent; `null` if there is none to be told."),
        "result": one_of(Fate),
        "status": in_words({"type": "integer", "minimum": 200, "maximum": 599}, "What it would have got alone."),
        "body": TOLD_BODY,
    },
)

COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": LARGEST_RECEIPT}

BATCH_ANSWER = record(
    "What became of the sales of a batch, in the order in which they were sent.",
    {
        "results": {**rows_of("BatchResult"), "minItems": 1, "maxItems": 100},
        "counts": record("How many of each.", {fate.value: COUNT for fate in Fate}),
        "dry_run": {"const": True, "description": "Only in a dry run: nothing is stored."},
        "warnings": in_words(rows_of("Warning"), "Only when something is to be said of the batch itself."),
    },
    optional=("dry_run", "warnings"),
)

SUMMARY = record(
    "What the outside sales of a day have come to, refunds with their sign.",
    {
        "business_date": {"type": "string", "format": "date"},
        "mine": in_words({"type": "boolean"}, "Whether only what this key has brought is counted."),
        "currency": CURRENCY,
        "count": COUNT,
        "total_amount": SUM,
        "rounding_amount": SUM,
        "tip_amount": in_words(SUM, "Outside `total_amount`."),
        "payments": rows_of("MethodTotal"),
        "vat_rates": rows_of("VatTotal"),
    },
)

METHOD_TOTAL = record(
    "The payments of one method.",
    {"method": one_of(TENDERS), "count": COUNT, "amount": SUM, "tip_amount": SUM},
)

VAT_TOTAL = record(
    "The lines of one VAT rate, VAT included.",
    {"vat_rate": in_words(nullable(RATE), "In percent; `null` if nobody knows."), "count": COUNT, "amount": SUM},
)

TOLD_SUM = record("So many sales, and what they come to.", {"count": COUNT, "total_amount": SUM})
REFERENCE_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 255}

RECONCILIATION = record(
    "The till's day beside ours. All lists empty: `complete`.",
    {
        "id": in_words({"type": "string", "format": "uuid"}, "Of what is kept."),
        "business_date": {"type": "string", "format": "date"},
        "at": INSTANT,
        "compared": one_of(["transactions", "totals"]),
        "verdict": one_of(Verdict.values),
        "yours": ref("schemas", "ToldSum"),
        "ours": ref("schemas", "ToldSum"),
        "counts": record("How many rows each list has.", dict.fromkeys(LISTS, COUNT)),
        "missing_here": {
            "type": "array",
            "items": REFERENCE_TEXT,
            "maxItems": 10_000,
            "description": "Not stored anywhere at the campground: to be sent.",
        },
        "unknown_to_you": _listed("Here, and not told of.", {"external_ref": REFERENCE_TEXT, "total_amount": AMOUNT}),
        "amount_differs": _listed(
            "Stored with another total.", {"external_ref": REFERENCE_TEXT, "yours": AMOUNT, "ours": AMOUNT}
        ),
        "other_day": _listed(
            "Stored, but for another day.",
            {"external_ref": REFERENCE_TEXT, "business_date": {"type": "string", "format": "date"}},
        ),
        "totals_differ": _listed(
            "Figures that differ, where only totals were told.",
            {"what": TEXT, "yours": {"type": ["string", "integer"]}, "ours": {"type": ["string", "integer"]}},
        ),
        "warnings": in_words(rows_of("Warning"), "Only when something is to be said."),
    },
    optional=("warnings",),
)

GAP = record(
    "Receipts that are missing: numbers that a till has left out, and never brought.",
    {
        "mine": in_words({"type": "boolean"}, "Whether they are this key's till's."),
        "till_id": in_words(nullable(TEXT), "Which device, if it said so."),
        "first": in_words(NUMBER, "The first that is missing."),
        "last": in_words(NUMBER, "The last that is missing; often the same."),
        "count": in_words({**NUMBER, "maximum": MOST_MISSING}, "How many that are."),
        "sold_after": in_words(INSTANT, "When the sale before them was sold, by the till's clock."),
        "sold_before": in_words(INSTANT, "When the sale behind them was sold, by the till's clock."),
        "noticed_at": in_words(INSTANT, "When the later of these two came, by the service's clock."),
    },
)
GAPS_AS_A_WHOLE: dict[str, Schema] = {
    "looked_from": in_words(INSTANT, "Sales before this instant, by the till's clock, were not looked at."),
    "leaps": in_words(COUNT, "How often more than 500 numbers are left out at once, which is not listed."),
}
GAPS = page_of("Gap")

MANY_SCHEMAS: dict[str, Schema] = {
    "DryRun": DRY_RUN,
    "SaleOrDryRun": {"anyOf": [ref("schemas", "Sale"), ref("schemas", "DryRun")]},
    "BatchAnswer": BATCH_ANSWER,
    "BatchResult": BATCH_RESULT,
    "Summary": SUMMARY,
    "MethodTotal": METHOD_TOTAL,
    "VatTotal": VAT_TOTAL,
    "ToldSum": TOLD_SUM,
    "Reconciliation": RECONCILIATION,
    "Gap": GAP,
    "GapPage": {
        **GAPS,
        "properties": GAPS["properties"] | GAPS_AS_A_WHOLE,
        "required": [*GAPS["required"], *GAPS_AS_A_WHOLE],
    },
}
