"""The quick reader of sales and the strict one, side by side."""

from __future__ import annotations

from pos_bridge.contract import Checked, check_sale, read_sale
from pos_bridge.examples import example_terms
from pos_bridge.faults import Refused
from pos_bridge.strict_json import Malformed, read_json

TERMS = example_terms()


def strictly(body: bytes) -> Checked | None:
    """What the strict reader and the serializers make of a body; None where they refuse it."""
    try:
        document = read_json(body)
        return check_sale(document, TERMS) if isinstance(document, dict) else None
    except (Malformed, Refused):
        return None


def assert_read_alike(body: bytes) -> None:
    """To the last digit: ``repr`` tells 1 from 1.0 and True, and 1.5 from 1.50."""
    quickly = read_sale(body, TERMS)
    if quickly is not None:
        assert (quickly, repr(quickly)) == ((strict := strictly(body)), repr(strict))
