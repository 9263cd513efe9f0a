"""What a cell of a file says: amounts, days, times and rates as people here write them, and nothing guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_bridge.importing.cells import Unreadable, moment_in, number_in, rate_in

ODD = ["", "abc", "1e3", "12.5.0", "1'23.50", "12'34", "NaN", "∞", "١٢", "1_000", "0x10", "--3", "1,23,4", "=1+1"]
ODD += ["EUR 12.50", "€ 3", "12 CHF 3", "12345678901.00", "0.12345678901"]
ZURICH = ZoneInfo("Europe/Zurich")
AMOUNTS = st.decimals(min_value="-9999999.99", max_value="9999999.99", places=2)
DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31))
SECONDS = st.times().map(lambda at: at.replace(microsecond=0))


def grouped(amount: Decimal, thousands: str, point: str) -> str:
    return f"{amount:,.2f}".replace(",", "\0").replace(".", point).replace("\0", thousands)


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("12.50", "12.50"),
            ("12,50", "12.50"),
            ("12,5", "12.5"),
            ("1'234.50", "1234.50"),
            ("1’234.50", "1234.50"),
            ("1 234,50", "1234.50"),
            ("1.234,50", "1234.50"),
            ("1,234.50", "1234.50"),
            ("1.234.567", "1234567"),
            ("CHF 12.–", "12"),
            ("Fr. 12.--", "12"),
            ("12.50 CHF", "12.50"),
            ("12.-", "12"),
            ("-3.50", "-3.50"),
            ("−3.50", "-3.50"),
            ("3.50-", "-3.50"),
            ("(3.50)", "-3.50"),
            ("CHF -3.50", "-3.50"),
            ("-CHF 3.50", "-3.50"),
            ("-0.00", "0.00"),
            ("+3.50", "3.50"),
            ("1.234", "1.234"),
        ],
    )
    def test_are_read_as_written_here(self, text: str, number: str) -> None:
        assert number_in(text, currency="CHF") == Decimal(number)

    @pytest.mark.parametrize("text", ODD)
    def test_that_nobody_can_be_sure_of_are_refused(self, text: str) -> None:
        with pytest.raises(Unreadable, match="not_a_number"):
            number_in(text, currency="CHF")

    def test_in_the_campgrounds_own_currency_are_read(self) -> None:
        assert number_in("€ 3,50", currency="EUR") == Decimal("3.50")
        assert number_in("GBP 3.50", currency="GBP") == Decimal("3.50")

    @given(AMOUNTS, st.sampled_from(["'", "’", " ", ".", ""]), st.sampled_from([",", "."]))
    def test_come_back_whatever_parts_them(self, amount: Decimal, thousands: str, point: str) -> None:
        if thousands != point:
            assert number_in(grouped(amount, thousands, point), currency="CHF") == amount

    @given(st.text(max_size=30))
    def test_no_text_breaks_it(self, text: str) -> None:
        try:
            number = number_in(text, currency="CHF")
        except Unreadable:
            return
        assert any(digit in text for digit in "0123456789")
        assert abs(number) < 10**10


class TestMoments:
    @pytest.mark.parametrize(
        ("day", "clock"),
        [
            ("29.04.2026 18:05", ""),
            ("29.4.26 18:05", ""),
            ("29.04.2026, 18:05:00", ""),
            ("Mi, 29.04.2026 18:05", ""),
            ("29/04/2026 18.05", ""),
            ("29-04-2026 18h05", ""),
            ("2026-04-29 18:05", ""),
            ("2026-04-29T18:05:00", ""),
            ("2026-04-29T18:05:00.123", ""),
            ("2026-04-29T16:05:00Z", ""),
            ("2026-04-29 18:05:00 +02:00", ""),
            ("2026-04-29T18:05:00+0200", ""),
            ("29.04.2026 6:05 PM", ""),
            ("29.04.2026", "18:05"),
            ("29.04.2026", "18:05 Uhr"),
            ("2026-04-29", "6:05 pm"),
            ("29.04.2026 00:00:00", "18:05:00"),
        ],
    )
    def test_are_on_the_campgrounds_clock(self, day: str, clock: str) -> None:
        moment = moment_in(day, clock, ZURICH)

        assert moment.day == date(2026, 4, 29)
        assert moment.at.replace(microsecond=0) == datetime(2026, 4, 29, 16, 5, tzinfo=UTC)

    def test_without_a_time_are_midday(self) -> None:
        assert moment_in("29.04.2026", "", ZURICH).at == datetime(2026, 4, 29, 12, tzinfo=ZURICH)

    def test_with_an_offset_belong_to_the_day_on_the_campgrounds_wall(self) -> None:
        assert moment_in("2026-04-29T23:30:00Z", "", ZURICH).day == date(2026, 4, 30)

    @pytest.mark.parametrize(
        "day", ["", "32.04.2026", "29.13.2026", "2026-02-30", "heute", "46141", "29.04", "1.1.1", "0001-01-01"]
    )
    def test_that_are_none_are_refused(self, day: str) -> None:
        with pytest.raises(Unreadable, match="not_a_day"):
            moment_in(day, "", ZURICH)

    @pytest.mark.parametrize("clock", ["25:00", "18:60", "abends", "13:00 pm", "0:10 am", "18:05 +99:00"])
    def test_with_a_time_that_is_none_are_refused(self, clock: str) -> None:
        with pytest.raises(Unreadable, match="not_a_time"):
            moment_in("29.04.2026", clock, ZURICH)

    @given(DAYS, SECONDS, st.sampled_from(["%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %I:%M:%S %p"]))
    def test_come_back_in_every_spelling(self, day: date, clock: time, spelling: str) -> None:
        at = datetime.combine(day, clock, tzinfo=ZURICH)

        assert moment_in(at.strftime(spelling), "", ZURICH).at == at

    @given(st.text(max_size=30), st.text(max_size=12))
    def test_no_text_breaks_it(self, day: str, clock: str) -> None:
        try:
            moment = moment_in(day, clock, ZURICH)
        except Unreadable:
            return
        assert moment.at.tzinfo is not None


class TestRates:
    @pytest.mark.parametrize("text", ["8.1", "8,1", "8.1%", "8.10 %", "MWST 8.1%", "8.1% TVA"])
    def test_are_in_percent(self, text: str) -> None:
        assert rate_in(text) == Decimal("8.1")

    @pytest.mark.parametrize("text", ["", "-", "-8.1", "A1 8.1%", "frei", "8.1/2.6"])
    def test_that_could_be_two_things_are_refused(self, text: str) -> None:
        with pytest.raises(Unreadable, match="not_a_rate"):
            rate_in(text)
