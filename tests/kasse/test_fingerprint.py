from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kasse.fingerprint import fingerprint_of, money_facts
from kasse.models import TENDERS, LineKind, PaymentMethod
from kasse.sales import NewItem, NewPayment, NewSale
from tests.kasse.sales import DAY, MORNING, breakfast, coffee, croissant, paid

AMOUNTS = st.decimals(-99_999_999, 99_999_999, places=2)
FEW = st.sampled_from([Decimal("-1.00"), Decimal("0.00"), Decimal("1.00"), Decimal("10.00")])
QUANTITIES = st.sampled_from([Decimal(1), Decimal(10), Decimal("0.1"), Decimal("-1.5")])
ITEMS = st.lists(st.tuples(QUANTITIES, FEW), min_size=1, max_size=4)
PAYMENTS = st.lists(
    st.tuples(st.sampled_from([PaymentMethod.CASH, PaymentMethod.CARD]), FEW, FEW), min_size=1, max_size=3
)


def fingerprint(sale: NewSale, day: date = DAY) -> str:
    return fingerprint_of(money_facts(sale, business_date=day))


def sale_of(
    items: list[tuple[Decimal, Decimal]], payments: list[tuple[PaymentMethod, Decimal, Decimal]], **more: Any
) -> NewSale:
    return breakfast(
        items=tuple(croissant(quantity=quantity, line_total=amount) for quantity, amount in items),
        payments=tuple(NewPayment(method=method, amount=amount, tip_amount=tip) for method, amount, tip in payments),
        **more,
    )


def spelt_otherwise(number: Decimal, zeros: int) -> Decimal:
    """The same number with more zeros at its end."""
    return number.quantize(Decimal(1).scaleb(-4 - zeros))


class TestTheFingerprint:
    def test_of_a_version_never_changes(self) -> None:
        assert fingerprint(breakfast()) == "v1:b6b04f2d15af26a915ec03e7ecc74bfbe208e7eacb55d419b38be82844818d78"

    @given(
        st.permutations([croissant(), coffee(), coffee(), croissant(line_total=Decimal(0))]),
        st.permutations([paid("1"), paid("2"), paid("2")]),
    )
    def test_has_no_order(self, items: list[NewItem], payments: list[NewPayment]) -> None:
        in_order = breakfast(
            items=(croissant(), coffee(), coffee(), croissant(line_total=Decimal(0))),
            payments=(paid("1"), paid("2"), paid("2")),
        )

        assert fingerprint(breakfast(items=tuple(items), payments=tuple(payments))) == fingerprint(in_order)

    @given(AMOUNTS, st.integers(0, 4))
    def test_knows_no_spelling_of_numbers(self, amount: Decimal, zeros: int) -> None:
        plain = breakfast(
            total_amount=amount,
            rounding_amount=amount,
            items=(coffee(line_total=amount, quantity=amount),),
            payments=(paid(str(amount)),),
        )
        other = spelt_otherwise(amount, zeros)
        spelt = breakfast(
            total_amount=other,
            rounding_amount=other,
            items=(coffee(line_total=other, quantity=other),),
            payments=(paid(str(other)),),
        )

        assert fingerprint(plain) == fingerprint(spelt)

    @given(st.text(max_size=20), st.timedeltas(timedelta(hours=-8), timedelta(hours=8)), AMOUNTS)
    def test_sees_neither_texts_nor_the_time_within_the_day(self, text: str, later: timedelta, price: Decimal) -> None:
        line = replace(
            croissant(),
            description=text,
            unit_price=price,
            sku=text,
            category=text,
            kind=LineKind.DISCOUNT,
            vat_rate=Decimal("8.1"),
        )
        other = breakfast(
            items=(line, coffee()),
            refund_of=text,
            metadata={text: text},
            occurred_at=MORNING + later,
            sent_at=MORNING,
            external_ref=text,
        )

        assert fingerprint(other) == fingerprint(breakfast())

    @pytest.mark.parametrize(
        "changes",
        [
            {"total_amount": Decimal("12.51")},
            {"total_amount": Decimal("-12.50")},
            {"rounding_amount": Decimal("0.01")},
            {"tip_amount": Decimal("0.01")},
            {"currency": "EUR"},
            {"payment_method": PaymentMethod.CARD},
            {"payment_method": PaymentMethod.MIXED},
            {"items": (croissant(),)},
            {"items": (croissant(), coffee(), coffee())},
            {"items": (croissant(quantity=Decimal("2.001")), coffee())},
            {"items": (croissant(quantity=Decimal(-2)), coffee())},
            {"items": (croissant(line_total=Decimal("5.50")), coffee(line_total=Decimal("7.00")))},
            {"payments": (paid("12.50", PaymentMethod.CARD),)},
            {"payments": (paid("12.50", tip="0.01"),)},
            {"payments": (paid("12.00"), paid("0.50"))},
            {"payments": ()},
        ],
    )
    def test_changes_with_all_that_is_money(self, changes: dict[str, Any]) -> None:
        assert fingerprint(breakfast(**changes)) != fingerprint(breakfast())

    def test_changes_with_the_business_day(self) -> None:
        assert fingerprint(breakfast(), DAY + timedelta(days=1)) != fingerprint(breakfast(), DAY)

    @given(ITEMS, ITEMS, PAYMENTS, PAYMENTS)
    def test_is_equal_for_equal_money_and_for_no_other(
        self,
        items: list[tuple[Decimal, Decimal]],
        other_items: list[tuple[Decimal, Decimal]],
        payments: list[tuple[PaymentMethod, Decimal, Decimal]],
        other_payments: list[tuple[PaymentMethod, Decimal, Decimal]],
    ) -> None:
        same_money = Counter(items) == Counter(other_items) and Counter(payments) == Counter(other_payments)

        same_fingerprint = fingerprint(sale_of(items, payments)) == fingerprint(sale_of(other_items, other_payments))

        assert same_fingerprint == same_money

    @given(AMOUNTS, AMOUNTS, st.sampled_from(["total_amount", "rounding_amount", "tip_amount"]))
    def test_tells_any_two_amounts_apart(self, one: Decimal, other: Decimal, field: str) -> None:
        same = fingerprint(breakfast(**{field: one})) == fingerprint(breakfast(**{field: other}))

        assert same == (one == other)

    def test_tells_every_method_apart(self) -> None:
        assert len({fingerprint(breakfast(payments=(paid("12.50", method),))) for method in TENDERS}) == len(TENDERS)
