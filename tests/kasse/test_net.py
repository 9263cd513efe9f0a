"""Rappen by Rappen: VAT once for each rate, parts that add up, and no order that matters."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kasse.models import LineKind
from kasse.net import VOUCHER_SOLD, NetLine, RateTotal, by_rate, net_of, vat_within
from kasse.totals import Counted, LineTotal

CENT = Decimal("0.01")
AMOUNTS = st.one_of(
    st.decimals("-20.00", "20.00", places=2), st.decimals("-99999999.99", "99999999.99", places=2), st.just(Decimal(0))
).map(lambda amount: amount + 0)  # as integers of Rappen, which know no negative nothing
RATES = st.sampled_from([None, *map(Decimal, ("0.00", "2.60", "3.80", "8.10", "2.50", "7.70", "100.00"))])
LINES = st.builds(
    lambda rate, category, kind, amount: line(amount, rate, category, kind),
    RATES,
    st.sampled_from(["", "Backwaren", "Gas", "Glacé"]),
    st.sampled_from(LineKind),
    AMOUNTS,
)
DAYS = st.lists(LINES, max_size=12)


def line(
    amount: Decimal | str, rate: Decimal | str | None = "8.10", category: str = "", kind: LineKind = LineKind.SALE
) -> LineTotal:
    return LineTotal(
        vat_rate=None if rate is None else Decimal(rate),
        category=category,
        kind=kind,
        sold=Counted(1, Decimal(amount).quantize(CENT)),
    )


def exact_vat(gross: Decimal, rate: Decimal) -> Fraction:
    return Fraction(gross) * Fraction(rate) / (100 + Fraction(rate))


def half_up(exact: Fraction) -> Decimal:
    """By another way than the code under test: many digits of a decimal, then its own rounding."""
    digits = Decimal(exact.numerator) / Decimal(exact.denominator)
    return digits.quantize(CENT, ROUND_HALF_UP)


def vats(*lines: LineTotal) -> list[str]:
    return [str(each.vat) for each in net_of(lines)]


def mirrored(each: LineTotal) -> LineTotal:
    return LineTotal(each.vat_rate, each.category, each.kind, Counted(1, 0 - each.sold.amount))


class TestNetOf:
    def test_takes_the_vat_out_of_what_the_guest_paid(self) -> None:
        assert net_of([line("10.81", "8.10", "Gas")]) == (
            NetLine(
                vat_rate=Decimal("8.10"),
                category="Gas",
                kind=LineKind.SALE,
                gross=Decimal("10.81"),
                net=Decimal("10.00"),
                vat=Decimal("0.81"),
            ),
        )

    def test_rounds_once_for_the_day_not_once_for_each_line(self) -> None:
        # 0.10 at 8.1 % holds 0.00749 of VAT: a Rappen each if rounded alone, two for all three together.
        assert str(vat_within(Decimal("0.10"), Decimal("8.1"))) == "0.01"
        assert vats(line("0.10", category="a"), line("0.10", category="b"), line("0.10", category="c")) == [
            "0.01",
            "0.01",
            "0.00",
        ]

    def test_gives_the_rappen_to_the_largest_remainders(self) -> None:
        # 1.00 holds 7.493 Rappen, 1.05 holds 7.868, 0.90 holds 6.744; of 22.105 twenty-two are to give.
        assert vats(line("1.00", category="a"), line("1.05", category="b"), line("0.90", category="c")) == [
            "0.07",
            "0.08",
            "0.07",
        ]

    def test_counts_refunds_in_before_it_rounds(self) -> None:
        sold, back = net_of([line("5.50"), line("-5.50", category="Kaffee")])

        assert sold.vat + back.vat == 0
        assert (sold.vat, back.vat) == (Decimal("0.41"), Decimal("-0.41"))

    def test_never_guesses_a_rate(self) -> None:
        unknown, exempt = net_of([line("12.50", None), line("12.50", "0.00")])

        assert (unknown.vat_rate, unknown.net, unknown.vat) == (None, Decimal("12.50"), Decimal("0.00"))
        assert (exempt.vat_rate, exempt.net, exempt.vat) == (Decimal("0.00"), Decimal("12.50"), Decimal("0.00"))

    def test_leaves_a_voucher_sold_whole_and_outside_revenue(self) -> None:
        voucher, coffee = net_of([line("50.00", kind=LineKind.VOUCHER_SALE), line("5.50")])

        assert (voucher.net, voucher.vat, voucher.is_revenue) == (Decimal("50.00"), Decimal("0.00"), False)
        assert (coffee.vat, coffee.is_revenue) == (Decimal("0.41"), True)

    @pytest.mark.parametrize("kind", [kind for kind in LineKind if kind is not LineKind.VOUCHER_SALE])
    def test_taxes_every_other_kind_alike(self, kind: LineKind) -> None:
        assert vats(line("10.81", kind=kind)) == ["0.81"]

    def test_of_nothing_is_nothing(self) -> None:
        assert net_of([]) == ()
        assert by_rate([]) == ()

    def test_knows_a_voucher_by_its_name(self) -> None:
        assert VOUCHER_SOLD == LineKind.VOUCHER_SALE


class TestAnyDay:
    @given(DAYS)
    def test_has_exact_sums(self, lines: list[LineTotal]) -> None:
        found = net_of(lines)

        assert [each.gross for each in found] == [each.sold.amount for each in lines]
        assert all(each.net + each.vat == each.gross for each in found)
        for total in by_rate(found):
            taxed = sum(
                (each.sold.amount for each in lines if each.vat_rate == total.vat_rate and each.kind != VOUCHER_SOLD),
                Decimal(0),
            )
            assert total.gross == taxed
            assert total.vat == (0 if total.vat_rate is None else half_up(exact_vat(taxed, total.vat_rate)))
            assert total.net == total.gross - total.vat

    @given(DAYS)
    def test_gives_no_line_a_whole_rappen_too_much_or_too_little(self, lines: list[LineTotal]) -> None:
        for each in net_of(lines):
            if each.vat_rate is not None and each.is_revenue:
                assert abs(Fraction(each.vat) - exact_vat(each.gross, each.vat_rate)) < Fraction(CENT)

    @given(DAYS, st.randoms(use_true_random=False))
    def test_is_the_same_in_any_order(self, lines: list[LineTotal], chance: Random) -> None:
        shuffled = list(lines)
        chance.shuffle(shuffled)

        assert sorted(map(repr, net_of(shuffled))) == sorted(map(repr, net_of(lines)))
        assert by_rate(net_of(shuffled)) == by_rate(net_of(lines))

    @given(DAYS)
    def test_of_refunds_is_the_mirror_image_of_the_same_day_of_sales(self, lines: list[LineTotal]) -> None:
        sales = net_of(lines)
        refunds = net_of([mirrored(each) for each in lines])

        assert [(-each.gross, -each.net, -each.vat) for each in refunds] == [
            (each.gross, each.net, each.vat) for each in sales
        ]

    @given(st.lists(st.builds(line, AMOUNTS, st.just("8.10")), min_size=1, max_size=12))
    def test_takes_nothing_for_a_line_without_a_remainder(self, lines: list[LineTotal]) -> None:
        whole = [each for each in net_of(lines) if (exact_vat(each.gross, Decimal("8.1")) * 100).denominator == 1]
        assume(whole)

        assert all(
            each.vat == Decimal(0) or Fraction(each.vat) == exact_vat(each.gross, Decimal("8.1")) for each in whole
        )

    @given(DAYS)
    def test_shows_two_places_and_never_a_negative_nothing(self, lines: list[LineTotal]) -> None:
        for each in net_of(lines):
            for amount in (each.gross, each.net, each.vat):
                assert amount.as_tuple().exponent == -2
                assert str(amount) != "-0.00"

    @given(DAYS)
    def test_lists_rates_lowest_first_and_the_unknown_last(self, lines: list[LineTotal]) -> None:
        rates = [each.vat_rate for each in by_rate(net_of(lines))]
        known = [rate for rate in rates if rate is not None]

        assert known == sorted(set(known))
        assert None not in rates[:-1]


class TestByRate:
    def test_adds_up_revenue_and_leaves_vouchers_out(self) -> None:
        lines = [
            line("10.81", category="Gas"),
            line("50.00", kind=LineKind.VOUCHER_SALE),
            line("-5.50"),
            line("3", None),
        ]

        assert by_rate(net_of(lines)) == (
            RateTotal(Decimal("8.10"), gross=Decimal("5.31"), net=Decimal("4.91"), vat=Decimal("0.40")),
            RateTotal(None, gross=Decimal("3.00"), net=Decimal("3.00"), vat=Decimal("0.00")),
        )


class TestVatWithin:
    @given(AMOUNTS, st.decimals("0", "100", places=2))
    def test_is_rounded_half_away_from_zero(self, gross: Decimal, rate: Decimal) -> None:
        assert vat_within(gross, rate) == half_up(exact_vat(gross, rate))

    @pytest.mark.parametrize(
        ("gross", "vat"), [("0.01", "0.01"), ("-0.01", "-0.01"), ("0.03", "0.02"), ("-0.03", "-0.02")]
    )
    def test_of_half_a_rappen_is_a_whole_one(self, gross: str, vat: str) -> None:
        assert str(vat_within(Decimal(gross), Decimal(100))) == vat
