from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kasse.money import FIVE_RAPPEN, is_cash_rounding, is_multiple_of, plain

AMOUNTS = st.decimals(-99_999_999, 99_999_999, places=2)


class TestCashRounding:
    @pytest.mark.parametrize("difference", ["-0.02", "-0.01", "0.00", "0.01", "0.02"])
    @pytest.mark.parametrize("total", ["0.00", "0.05", "12.50", "12.55", "-12.50", "-0.05", "99999999.95"])
    def test_is_at_most_2_rappen_on_a_payable_total(self, total: str, difference: str) -> None:
        assert is_cash_rounding(total=Decimal(total), difference=Decimal(difference))

    @pytest.mark.parametrize("difference", ["-0.03", "0.03", "0.05", "1.00"])
    def test_is_never_more(self, difference: str) -> None:
        assert not is_cash_rounding(total=Decimal("12.50"), difference=Decimal(difference))

    @pytest.mark.parametrize("total", ["12.51", "12.52", "12.53", "12.54", "-12.51", "0.01"])
    def test_does_not_end_on_a_total_that_no_coin_pays(self, total: str) -> None:
        assert not is_cash_rounding(total=Decimal(total), difference=Decimal("0.01"))

    @given(AMOUNTS)
    def test_explains_the_nearest_payable_total_of_any_lines_and_no_other(self, lines: Decimal) -> None:
        payable = (lines / FIVE_RAPPEN).quantize(Decimal(1)) * FIVE_RAPPEN

        for total in (payable - FIVE_RAPPEN, payable, payable + FIVE_RAPPEN):
            assert is_cash_rounding(total=total, difference=total - lines) == (total == payable)


class TestIsMultipleOf:
    @given(st.integers(-2_000_000_000, 2_000_000_000), st.integers(0, 4))
    def test_counts_whole_steps_of_either_sign(self, steps: int, rest: int) -> None:
        amount = steps * FIVE_RAPPEN + Decimal(rest).scaleb(-2)

        assert is_multiple_of(amount, FIVE_RAPPEN) == (rest == 0)


class TestPlain:
    @pytest.mark.parametrize(
        ("number", "places", "text"),
        [
            ("2.500", 0, "2.5"), ("2.000", 0, "2"), ("3.5", 2, "3.50"), ("3.6125", 2, "3.6125"), ("3.6000", 2, "3.60"),
            ("0", 0, "0"), ("0", 2, "0.00"), ("0.000", 2, "0.00"), ("-0.5", 2, "-0.50"), ("1E+5", 2, "100000.00"),
            ("1E-4", 2, "0.0001"), ("100", 0, "100"), ("99999999.99", 2, "99999999.99"),
        ],
    )  # fmt: skip
    def test_writes_at_least_so_many_places_and_no_exponent(self, number: str, places: int, text: str) -> None:
        assert plain(Decimal(number), places=places) == text

    @given(st.decimals(-99_999_999, 99_999_999, places=4), st.integers(0, 4))
    def test_loses_nothing(self, number: Decimal, places: int) -> None:
        text = plain(number, places=places)

        assert Decimal(text) == number
        assert len(text.partition(".")[2]) >= places

    @given(AMOUNTS, st.integers(0, 5))
    def test_writes_equal_numbers_alike(self, number: Decimal, zeros: int) -> None:
        assert plain(number.quantize(Decimal(1).scaleb(-2 - zeros)), places=2) == plain(number, places=2)
