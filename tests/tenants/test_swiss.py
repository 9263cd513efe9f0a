"""Amounts, days and times as a Swiss campground writes them."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.swiss import (
    day_text,
    moment_text,
    money_text,
    number_text,
    on_clock,
    percent_text,
    price_text,
    time_text,
)

MORNING = datetime(2026, 4, 29, 8, 14, 32, tzinfo=ZoneInfo("Europe/Zurich"))


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            ("1234.5", "1'234.50"),
            ("-12.50", "-12.50"),
            ("0", "0.00"),
            ("-0.00", "0.00"),
            ("12345678.9", "12'345'678.90"),
        ],
    )
    def test_has_two_places_and_apostrophes(self, amount: str, text: str) -> None:
        assert money_text(Decimal(amount)) == text

    @given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
    def test_can_be_read_back(self, amount: Decimal) -> None:
        assert Decimal(money_text(amount).replace("'", "")) == amount


class TestNumbers:
    @pytest.mark.parametrize(
        ("number", "text"),
        [(Decimal("2.000"), "2"), (Decimal("0.375"), "0.375"), (1250, "1'250"), (Decimal(100), "100")],
    )
    def test_end_where_they_say_no_more(self, number: Decimal | int, text: str) -> None:
        assert number_text(number) == text

    @pytest.mark.parametrize(
        ("price", "text"),
        [("3.5000", "3.50"), ("4", "4.00"), ("0.0875", "0.0875"), ("-1234.5", "-1'234.50"), ("0.1250", "0.125")],
    )
    def test_unit_prices_have_two_places_or_as_many_as_they_need(self, price: str, text: str) -> None:
        assert price_text(Decimal(price)) == text

    def test_rates_are_written_as_in_the_law(self) -> None:
        assert [percent_text(Decimal(rate)) for rate in ("8.10", "2.60", "0.00")] == ["8.1%", "2.6%", "0%"]


class TestDaysAndTimes:
    def test_have_points_and_two_digits(self) -> None:
        assert day_text(date(2026, 4, 9)) == "09.04.2026"
        assert moment_text(MORNING) == "29.04.2026 08:14:32"
        assert time_text(MORNING) == "08:14"


class TestOnAClock:
    def test_an_instant_is_told_in_its_zone(self) -> None:
        assert on_clock(MORNING, ZoneInfo("Atlantic/Azores")).hour == 6

    @pytest.mark.parametrize(("year", "zone"), [(9999, "Pacific/Kiritimati"), (1, "America/New_York")])
    def test_at_the_ends_of_the_calendar_it_is_told_as_it_is(self, year: int, zone: str) -> None:
        end = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 23 if year > 1 else 0, tzinfo=timezone.utc)

        assert on_clock(end, ZoneInfo(zone)) is end
