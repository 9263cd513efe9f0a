"""Sales as well-known tills make them, said in our contract: their amounts and structure, our own texts.

A vendor's tip that lies inside its amount is taken out of it; a gross price that has more than two places
keeps four of them, and what that leaves in the total is rounding.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.till import Body, Till, body_of

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


@pytest.fixture(params=SAMPLES, ids=lambda path: path.stem)
def sale(request: pytest.FixtureRequest) -> Body:
    """One sample after the other."""
    document: Body = json.loads(request.param.read_text(encoding="utf-8"))
    return document


class TestAVendorsSale:
    def test_is_recorded_to_the_rappen(self, till: Till, sale: Body) -> None:
        answer = till.post(sale)

        assert answer.status_code == 201, answer.content
        assert money_in(body_of(answer)) == money_in(sale)
        assert "warnings" not in body_of(answer)

    def test_reads_back_as_it_was_taken(self, till: Till, sale: Body) -> None:
        taken = body_of(till.post(sale))

        assert body_of(till.read_back(sale["external_ref"])) == taken
        assert taken["refund_of"] == sale.get("refund_of")
        assert taken["metadata"] == sale.get("metadata", {})
        assert [item["description"] for item in taken["items"]] == [item["description"] for item in sale["items"]]

    def test_is_there_once_however_often_it_is_sent(self, till: Till, sale: Body) -> None:
        first = till.post(sale)

        retry = till.post(sale)

        assert retry.status_code == 200
        assert body_of(retry) == body_of(first)


class TestTheSamples:
    def test_cover_refunds_tips_rounding_and_split_payments(self) -> None:
        sales = [json.loads(path.read_text(encoding="utf-8")) for path in SAMPLES]

        assert len(sales) >= 6
        assert any(Decimal(each["total_amount"]) < 0 for each in sales)
        assert any("tip_amount" in each for each in sales)
        assert any("rounding_amount" in each for each in sales)
        assert any(each["payment_method"] == "MIXED" for each in sales)


def money_in(sale: Body) -> dict[str, Any]:
    """All that is money in a sale, sent or answered, in one form."""
    tip = Decimal(sale.get("tip_amount", "0"))
    alone = {"method": sale["payment_method"], "amount": sale["total_amount"], "tip_amount": str(tip)}
    return {
        "total": Decimal(sale["total_amount"]),
        "rounding": Decimal(sale.get("rounding_amount", "0")),
        "tip": tip,
        "items": [
            (Decimal(str(item["quantity"])), Decimal(item["unit_price"]), Decimal(item["line_total"]))
            for item in sale["items"]
        ],
        "payments": [
            (each["method"], Decimal(each["amount"]), Decimal(each.get("tip_amount", "0")))
            for each in sale.get("payments", [alone])
        ],
    }
