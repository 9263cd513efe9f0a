"""Whatever stands anywhere in a vendor's payload: a sale that adds up, or a reason. Never a fault of ours."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.neutral import Terms, Unmappable
from adapters.payloads import document_in, read_body, text_of
from adapters.vendors import VENDORS
from catalogue.exact_decimals import units_of
from kasse.models import LineKind, PaymentMethod
from pos_bridge.strict_json import Malformed
from tests.adapters.samples import samples_of

WORDS = ["", " ", "x", "2026-04-29", "ä" * 300, "a\nb", "\0", "\ud800"]
TEXTS = [*WORDS, "-1", "0", "1e3", "1E-7", "٣", "NaN", "-0", "9" * 400]
NAMES = ["id", "amount", "x"]
NUMBERS = [0, -1, 1, 0.001, -0.0, 1e-12, 1e300, 123456789012, 0.1, 99999999.99, -5]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.sampled_from(TEXTS) | st.sampled_from(NUMBERS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
    max_leaves=4,
)


def places_in(document: Any) -> list[tuple[Any, Any]]:
    """Every container in a document with each of its keys."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
        found += [(node, key) for key in keys]
        waiting += [node[key] for key in keys]
    return found


@pytest.mark.parametrize("code", VENDORS)
class TestAPayload:
    @settings(max_examples=300, deadline=None)
    @given(data=st.data())
    def test_with_anything_anywhere_is_a_sale_or_has_a_reason(self, code: str, data: st.DataObject) -> None:
        document = copy.deepcopy(json.loads(data.draw(st.sampled_from(samples_of(code))).read_text()))
        for _ in range(data.draw(st.integers(1, 3))):
            node, key = data.draw(st.sampled_from(places_in(document)))
            node[key] = data.draw(ANYTHING)

        try:
            kept = document_in(text_of(read_body(json.dumps(document).encode())))
            sales = VENDORS[code].map_event(kept, Terms(currency="CHF"))
        except (Malformed, Unmappable):
            return

        for sale in sales:
            assert sum(line.line_total for line in sale.lines) + sale.rounding == sale.total
            assert sum(tender.amount for tender in sale.tenders) == sale.total
            PaymentMethod(sale.method)
            assert all(0 < len(name) <= 255 for name in sale.names)
            for line in sale.lines:
                LineKind(line.kind)
                assert units_of(line.quantity, 3) != 0
                units_of(line.line_total, 2)
                units_of(line.unit_price, 4)
                assert line.vat_rate is None or 0 <= units_of(line.vat_rate, 2) <= 10_000
