"""Whatever a Zettle purchase holds, and however it comes: one purchase is one sale, and the sums agree."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.balancing import shares_of
from adapters.neutral import NeutralSale, Terms
from adapters.payloads import document_in, read_body, text_of
from adapters.zettle.mapping import map_event

TERMS = Terms(currency="CHF")


def sale_in(document: Any) -> NeutralSale:
    """The one sale of a message or a purchase, by the way each goes."""
    (sale,) = map_event(document_in(text_of(read_body(json.dumps(document).encode()))), TERMS)
    return sale


@st.composite
def purchases(draw: st.DrawFn) -> dict[str, Any]:
    """A purchase with discounts of both kinds and a tip, sold or given back, paid as its rows say."""
    sign = draw(st.sampled_from([1, -1]))
    rows, due = [], 0
    for _ in range(draw(st.integers(1, 5))):
        price, pieces, off = draw(st.integers(0, 20_000)), draw(st.integers(1, 9)), draw(st.integers(0, 300))
        off = min(off, price * pieces)
        row = {"name": "Glace", "unitPrice": price, "quantity": str(sign * pieces), "type": "PRODUCT"}
        rate = draw(st.sampled_from([2.6, 8.1, "8.1", 0, None]))
        rows.append({**row, "vatPercentage": rate, "discountValue": draw(st.sampled_from([off, -off]))})
        due += price * pieces - off
    whole = draw(st.integers(0, due))
    tip = draw(st.integers(0, 900)) if sign > 0 else 0
    uuid = draw(st.uuids())
    purchase = {
        "purchaseUuid": str(uuid),
        "currency": "CHF",
        "amount": sign * (due - whole) + tip,
        "timestamp": draw(st.sampled_from([1777450472000, "1777450472000"])),
        "products": rows,
        "discounts": [{"name": "Stammgast", "value": draw(st.sampled_from([whole, -whole]))}] if whole else [],
        "payments": [{"type": "IZETTLE_CARD", "amount": sign * (due - whole) + tip, "gratuityAmount": tip}],
        "purchaseNumber": draw(st.sampled_from([7, "7"])),
    }
    return dict(draw(st.permutations(list(purchase.items()))))


class TestAPurchase:
    @given(purchases())
    def test_adds_up_with_every_discount(self, purchase: dict[str, Any]) -> None:
        sale = sale_in(purchase)

        payment = purchase["payments"][0]
        assert sale.total == Decimal(payment["amount"] - payment["gratuityAmount"]) / 100
        assert sum(line.line_total for line in sale.lines) == sale.total
        assert not sale.rounding
        assert not sale.review
        assert sale.tip == Decimal(payment["gratuityAmount"]) / 100

    @given(purchases())
    def test_fetched_is_the_one_of_the_message(self, purchase: dict[str, Any]) -> None:
        message = {"eventName": "PurchaseCreated", "payload": purchase, "timestamp": "x"}
        uuid = purchase["purchaseUuid"]
        raw = bytes.fromhex(uuid.replace("-", ""))
        rest = {name: value for name, value in purchase.items() if name != "purchaseUuid"}
        short = {**rest, "purchaseUUID": urlsafe_b64encode(raw).decode().rstrip("=")}

        assert sale_in(message) == sale_in(purchase) == sale_in({**rest, "purchaseUUID1": uuid}) == sale_in(short)


class TestShares:
    @given(st.integers(-10_000, 10_000), st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=8))
    def test_are_all_there_is(self, amount: int, weights: list[int]) -> None:
        assert sum(shares_of(amount, weights)) == amount

    @given(st.integers(0, 10_000), st.lists(st.integers(1, 5_000), min_size=1, max_size=8))
    def test_are_each_less_than_one_away_from_what_is_exact(self, amount: int, weights: list[int]) -> None:
        for share, weight in zip(shares_of(amount, weights), weights, strict=True):
            assert abs(share - Decimal(amount * weight) / sum(weights)) < 1

    @given(st.integers(0, 10_000), st.lists(st.integers(1, 5_000), min_size=1, max_size=8))
    def test_are_the_same_the_other_way_round(self, amount: int, weights: list[int]) -> None:
        back = shares_of(-amount, [-weight for weight in weights])

        assert sum(back) == -amount
        assert all(share <= 0 for share in back)

    def test_give_the_largest_remainder_the_last_one(self) -> None:
        assert shares_of(10, [1, 1, 1]) == [4, 3, 3]
        assert shares_of(249, [666, 1834]) == [66, 183]
        assert shares_of(5, [0, 0]) == [3, 2]
        assert shares_of(100, [300, -100]) == [100, 0]
