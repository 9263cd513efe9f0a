"""Debit and credit: pure, and right to the Rappen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.accounts import DEFAULTS, Account, Chart, candidates_of, rate_word, revenue_key, word_of
from journal.postings import Posting, Revenue, Takings, Tender, Unbalanced, post_takings
from kasse.money import ZERO
from kasse.net import vat_within

CHF = Decimal
DEFAULT = Chart({})
A_DAY = Takings(
    revenue=(
        Revenue("Shop", CHF("2.60"), net=CHF("9.75"), vat=CHF("0.25")),
        Revenue("Restaurant", CHF("8.10"), net=CHF("18.50"), vat=CHF("1.50")),
        Revenue("", None, net=CHF("5.00"), vat=ZERO),
    ),
    tenders=(
        Tender("FRONT_DESK", "CASH", CHF("34.98")),
        Tender("EXTERNAL_POS", "CARD", CHF("50.00"), tip=CHF("2.00")),
    ),
    vouchers_sold=CHF("50.00"),
    rounding=CHF("-0.02"),
)


def by_key(lines: tuple[Posting, ...]) -> dict[str, tuple[str, Decimal, Decimal]]:
    return {line.key: (line.account, line.debit, line.credit) for line in lines}


class TestPostTakings:
    def test_debits_what_was_paid_and_credits_what_it_was_for(self) -> None:
        assert by_key(post_takings(A_DAY, DEFAULT)) == {
            "tender.front_desk.cash": ("1000", CHF("34.98"), ZERO),
            "tender.external_pos.card": ("1090", CHF("52.00"), ZERO),
            "rounding": ("3800", CHF("0.02"), ZERO),
            "revenue.shop.2.6": ("3200", ZERO, CHF("9.75")),
            "revenue.restaurant.8.1": ("3000", ZERO, CHF("18.50")),
            "revenue.other.unknown": ("1099", ZERO, CHF("5.00")),
            "vat.2.6": ("2200", ZERO, CHF("0.25")),
            "vat.8.1": ("2200", ZERO, CHF("1.50")),
            "vouchers": ("2030", ZERO, CHF("50.00")),
            "tips": ("2210", ZERO, CHF("2.00")),
        }

    def test_of_refunds_alone_is_the_mirror_of_the_same_sales(self) -> None:
        refunded = Takings(
            revenue=tuple(replace(each, net=-each.net, vat=-each.vat) for each in A_DAY.revenue),
            tenders=tuple(replace(each, amount=-each.amount, tip=-each.tip) for each in A_DAY.tenders),
            vouchers_sold=-A_DAY.vouchers_sold,
            rounding=-A_DAY.rounding,
        )
        sold, back = post_takings(A_DAY, DEFAULT), post_takings(refunded, DEFAULT)

        assert by_key(back) == {line.key: (line.account, line.credit, line.debit) for line in sold}

    def test_of_nothing_is_nothing(self) -> None:
        cancelled = Takings(
            revenue=(Revenue("Shop", CHF("2.60"), net=ZERO, vat=ZERO),), tenders=(Tender("FRONT_DESK", "CASH", ZERO),)
        )

        assert post_takings(Takings(), DEFAULT) == ()
        assert post_takings(cancelled, DEFAULT) == ()

    def test_refuses_what_does_not_add_up_and_says_by_how_much(self) -> None:
        with pytest.raises(Unbalanced) as refused:
            post_takings(replace(A_DAY, rounding=CHF("-0.03")), DEFAULT)

        assert (refused.value.debit, refused.value.credit) == (CHF("87.01"), CHF("87.00"))
        assert "0.01" in str(refused.value)

    def test_tells_apart_what_nobody_has_mapped(self) -> None:
        paid_otherwise = replace(A_DAY, tenders=(Tender("FRONT_DESK", "OTHER", CHF("84.98"), CHF("2.00")),))

        lines = post_takings(paid_otherwise, DEFAULT)

        assert {line.key: line.account for line in lines if line.unmapped} == {
            "tender.front_desk.other": "1099",
            "revenue.other.unknown": "1099",
        }

    def test_has_debit_first(self) -> None:
        sides = [bool(line.debit) for line in post_takings(A_DAY, DEFAULT)]

        assert sides == sorted(sides, reverse=True)


AMOUNTS = st.decimals(-99_999, 99_999, places=2)
RATES = st.sampled_from([CHF("8.10"), CHF("2.60"), CHF("3.80"), CHF("0.00")])
CATEGORIES = st.sampled_from(["Shop", "Restaurant", "Service", "Getränke & Eis", ""])


@st.composite
def days(draw: st.DrawFn) -> Takings:
    """A day that adds up, as the ledger's constraints have it."""
    revenue = []
    for category, rate, gross in draw(st.lists(st.tuples(CATEGORIES, st.none() | RATES, AMOUNTS), max_size=8)):
        vat = ZERO if rate is None else vat_within(gross, rate)
        revenue.append(Revenue(category, rate, gross - vat, vat))
    vouchers, rounding = draw(AMOUNTS), draw(st.decimals(-1, 1, places=2))
    total = sum((each.net + each.vat for each in revenue), ZERO) + vouchers + rounding
    # Where money goes back, a tip may go back with it.
    by_card, tip = draw(AMOUNTS), draw(AMOUNTS)
    tenders = (Tender("FRONT_DESK", "CASH", total - by_card), Tender("EXTERNAL_POS", "CARD", by_card, tip))
    return Takings(tuple(revenue), tenders, vouchers, rounding)


class TestEveryDay:
    @given(takings=days())
    def test_balances(self, takings: Takings) -> None:
        lines = post_takings(takings, DEFAULT)

        assert sum((line.debit for line in lines), ZERO) == sum((line.credit for line in lines), ZERO)
        assert all((line.debit > 0) != (line.credit > 0) for line in lines)
        assert all(line.debit >= 0 and line.credit >= 0 for line in lines)

    @given(takings=days())
    def test_loses_no_rappen_of_any_kind(self, takings: Takings) -> None:
        amounts = {line.key: line.amount for line in post_takings(takings, DEFAULT)}

        def of(kind: str) -> Decimal:
            return sum((amount for key, amount in amounts.items() if key.startswith(kind)), ZERO)

        assert -of("revenue.") == sum((each.net for each in takings.revenue), ZERO)
        assert -of("vat.") == sum((each.vat for each in takings.revenue), ZERO)
        assert of("tender.") == sum((each.amount + each.tip for each in takings.tenders), ZERO)
        assert -of("tips") == sum((each.tip for each in takings.tenders), ZERO)
        assert -of("vouchers") == takings.vouchers_sold
        assert -of("rounding") == takings.rounding

    @given(takings=days())
    def test_is_the_same_whatever_the_order(self, takings: Takings) -> None:
        turned = replace(takings, revenue=takings.revenue[::-1], tenders=takings.tenders[::-1])

        assert post_takings(turned, DEFAULT) == post_takings(takings, DEFAULT)


class TestAccounts:
    @pytest.mark.parametrize(
        ("own", "account"),
        [
            ({}, "3200"),
            ({"revenue.*.*": "3100"}, "3100"),
            ({"revenue.*.2.6": "3102", "revenue.*.*": "3100"}, "3102"),
            ({"revenue.shop.*": "3210", "revenue.*.2.6": "3102"}, "3210"),
            ({"revenue.shop.2.6": "3226", "revenue.shop.*": "3210"}, "3226"),
        ],
    )
    def test_are_looked_for_from_the_particular_to_the_general(self, own: dict[str, str], account: str) -> None:
        chart = Chart({key: Account(number) for key, number in own.items()})

        assert chart.account_of("revenue.shop.2.6") == Account(account)

    def test_of_a_source_come_before_those_of_a_method(self) -> None:
        chart = Chart({"tender.external_pos.cash": Account("1001")})

        assert chart.account_of("tender.external_pos.cash") == Account("1001")
        assert chart.account_of("tender.front_desk.cash") == Account("1000")

    def test_are_never_guessed_where_the_vat_is_unknown(self) -> None:
        assert DEFAULT.account_of("revenue.shop.unknown") is None
        assert Chart({"revenue.*.unknown": Account("3290")}).account_of("revenue.shop.unknown") == Account("3290")

    def test_of_the_campground_win_over_every_default(self) -> None:
        """Whoever maps all revenue to one account means all of it."""
        chart = Chart({"revenue.*.*": Account("3000")})

        assert chart.account_of("revenue.service.8.1") == Account("3000")
        assert DEFAULT.account_of("revenue.service.8.1") == Account("3400")

    def test_have_a_default_for_every_kind(self) -> None:
        for key in ("tips", "vouchers", "rounding", "vat.8.1", "tender.front_desk.twint", "revenue.x.0", "unmapped"):
            assert DEFAULT.account_of(key) is not None, key

    def test_are_numbers_of_the_swiss_chart(self) -> None:
        assert all(len(number) == 4 and number.isdecimal() for number in DEFAULTS.values())


class TestKeys:
    @pytest.mark.parametrize(
        ("category", "word"),
        [("Shop", "shop"), ("Getränke & Eis", "getränke-eis"), ("  ", "other"), ("a.b*c", "a-b-c"), ("ÉTÉ", "été")],
    )
    def test_hold_a_category_as_one_word(self, category: str, word: str) -> None:
        assert word_of(category) == word

    @given(st.text(max_size=80), st.none() | RATES)
    def test_can_be_taken_apart_whatever_a_category_is_called(self, category: str, rate: Decimal | None) -> None:
        kind, word, rest = revenue_key(category, rate).split(".", 2)

        assert (kind, rest) == ("revenue", rate_word(rate))
        assert word
        assert word != "*"
        assert candidates_of(revenue_key(category, rate))[0] == revenue_key(category, rate)

    def test_write_rates_as_the_law_does(self) -> None:
        assert [rate_word(CHF(rate)) for rate in ("8.10", "0.00", "10.00", "2.65")] == ["8.1", "0", "10", "2.65"]
