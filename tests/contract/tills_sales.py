"""Sales as tills draw them up: all fields, present, null or absent, and sums that are right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from kasse.models import TENDERS, LineKind
from tests.contract.spelling import Literal as Bare
from tests.contract.spelling import tree_of
from tests.till import Body

CENTS = st.integers(-9_999_999, 9_999_999).map(lambda number: Decimal(number).scaleb(-2))
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\t\n\r"), max_size=40)
ORDINARY = st.sampled_from(
    ["Croissant", "Käse 10:30", "«Röschti»", 'Bier "hell"', "C:\\Kasse", "焼き鳥", "🥐 frisch", "a/b"]
)
REFERENCES = st.sampled_from(["T-1", "a/b:c=d", "Beleg 7", "焼-1", "T\\1", 'T"1', "x" * 255, "🥐", "..1", "%2F"])
RATES = st.sampled_from(["8.1", "2.6", "3.8", "0", "-0", "0.00", "8.10", "7.7", "2.5"])
INSTANTS = st.sampled_from(
    ["2026-04-29T08:14:32Z", "2026-04-29T10:14:32+02:00", "2026-04-28t23:59:59.123456z", "2023-12-31T23:30:00-05:00"]
)
METHODS = st.sampled_from([method.value for method in TENDERS])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | ORDINARY | TEXTS | st.sampled_from([0.5, -1.25, 2.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Absent (``...``), null, or a value."""
    return st.just(...) | st.none() | values


def with_what_is_sent(fields: dict[str, Any]) -> Body:
    return {name: value for name, value in fields.items() if value is not ...}


def numbers(values: st.SearchStrategy[Decimal]) -> st.SearchStrategy[Any]:
    """As text, or as a JSON number."""
    return st.builds(lambda number, bare: Bare(number) if bare else str(number), values, st.booleans())


LINES = st.fixed_dictionaries(
    {
        "description": (ORDINARY | TEXTS).filter(bool),
        "quantity": numbers(st.sampled_from([Decimal(text) for text in ("1", "-1", "2.500", "0.001", "99999999")])),
        "unit_price": numbers(st.sampled_from([Decimal(text) for text in ("3.5", "0.0001", "-7", "0", "12.3456")])),
        "line_total": CENTS,
        "sku": optional(st.sampled_from(["", "CROI", "x" * 64])),
        "vat_rate": optional(RATES),
        "category": optional(st.sampled_from(["", "Backwaren: süss"])),
        "kind": optional(st.sampled_from(LineKind.values)),
    }
)

RECEIPTS = st.sampled_from([Decimal(1), Decimal(1041), Decimal(2**53 - 1)])


@st.composite
def sales(draw: st.DrawFn) -> Any:
    """A sale that adds up, in order but for a rate that may have ended."""
    lines = draw(st.lists(LINES, min_size=1, max_size=4))
    rounding = draw(optional(st.sampled_from([Decimal("0.02"), Decimal("-0.07"), Decimal("-0.00")])))
    extra = rounding if isinstance(rounding, Decimal) else Decimal(0)
    total = sum((line["line_total"] for line in lines), extra)
    spelt = draw(st.sampled_from([str, Bare]))
    tip = draw(optional(st.sampled_from(["0", "-0.00", "1.5"])))
    method, payments = draw(st.sampled_from([payments_alone, payments_in_two]))(draw, total, spelt, tip)
    return tree_of(
        with_what_is_sent(
            {
                "external_ref": draw(REFERENCES),
                "payment_method": method,
                "total_amount": spelt(total),
                "items": [with_what_is_sent({**line, "line_total": spelt(line["line_total"])}) for line in lines],
                "occurred_at": draw(INSTANTS),
                "currency": draw(optional(st.just("CHF"))),
                "rounding_amount": spelt(rounding) if isinstance(rounding, Decimal) else rounding,
                "tip_amount": tip,
                "payments": payments,
                "refund_of": draw(optional(st.sampled_from(["", "T-0", "a:b"]))),
                "till_id": draw(optional(st.sampled_from(["", "Kiosk 2", "Küche: Fenster"]))),
                "receipt_seq": draw(optional(numbers(RECEIPTS))),
                "sent_at": draw(optional(INSTANTS)),
                "metadata": draw(optional(st.dictionaries(TEXTS, JSON_VALUES, max_size=3))),
            }
        )
    )


def payments_alone(draw: st.DrawFn, total: Decimal, spelt: Any, tip: Any) -> tuple[str, Any]:
    """One method, its payment said or not."""
    method = draw(METHODS)
    return method, draw(optional(st.just([{"method": method, "amount": spelt(total)}])))


def payments_in_two(draw: st.DrawFn, total: Decimal, spelt: Any, tip: Any) -> tuple[str, Any]:
    """Two payments, the tip with the first of them, or with none."""
    first, part = draw(st.tuples(METHODS, CENTS))
    second = draw(METHODS)
    tips = {"tip_amount": tip} if isinstance(tip, str) and draw(st.booleans()) else {}
    payments = [{"method": first, "amount": spelt(part), **tips}, {"method": second, "amount": spelt(total - part)}]
    return ("MIXED" if first != second else first), payments
