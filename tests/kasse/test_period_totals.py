from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kasse.day_figures import totals_of_day
from kasse.models import LineKind, PaymentMethod, Source
from kasse.net import RateTotal, by_rate
from kasse.period_totals import (
    DayTakings,
    PeriodTotals,
    Takings,
    change_of,
    period_totals,
    sum_of_rates,
    takings_by_day,
    takings_by_hour,
    takings_until,
)
from kasse.periods import A_DAY, Span
from kasse.totals import Counted, DayTotals, MixedCurrencies, day_totals
from tenants.models import Tenant
from tests.kasse.sales import DAY, NOON
from tests.kasse.selling import close, sell, tomorrow

LAST = DAY + 4 * A_DAY
SPAN = Span(DAY, LAST)
ONE = Span(DAY, DAY)
TEN = Takings(1, Decimal("10.00"))
SALES = st.fixed_dictionaries(
    {
        "day": st.integers(0, 4).map(lambda number: DAY + A_DAY * number),
        "amount": st.sampled_from(["12.50", "-3.35", "0.00", "7.77", "101.05", "0.05"]),
        "source": st.sampled_from(Source),
        "method": st.sampled_from([PaymentMethod.CASH, PaymentMethod.TWINT, PaymentMethod.CARD]),
        "rate": st.sampled_from([None, "2.6", "3.8", "8.1"]),
        "category": st.sampled_from(["Shop", "Restaurant", ""]),
        "kind": st.sampled_from([LineKind.SALE, LineKind.SALE, LineKind.DISCOUNT, LineKind.VOUCHER_SALE]),
        "tip": st.sampled_from(["0.00", "2.00"]),
        "rounding": st.sampled_from(["0.00", "0.02", "-0.01"]),
    }
)


def gathered(days: list[DayTotals], part: str) -> dict[Any, Any]:
    """A part of each day, put together under what it is about."""
    found: dict[Any, Any] = {}
    for key, value in (pair for day in days for pair in getattr(day, part).items()):
        found[key] = found.get(key, Counted()) + value
    return found


def rates_of(tenant: Tenant, span: Span) -> dict[Decimal | None, RateTotal]:
    """The rates of each day as its own page gives them, put together."""
    found: dict[Decimal | None, list[RateTotal]] = {}
    for figures in (totals_of_day(tenant, day) for day in span.days):
        for rate in (*by_rate(figures.net_lines), *by_rate(figures.late_lines)):
            found.setdefault(rate.vat_rate, []).append(rate)
    return {key: replace(sum_of_rates(rates), vat_rate=key) for key, rates in found.items()}


def assert_is_the_sum_of(totals: PeriodTotals, days: list[DayTotals]) -> None:
    assert totals.sales == sum((day.sales for day in days), Counted())
    assert totals.refunds == sum((day.refunds for day in days), Counted())
    assert totals.takings.amount == sum((day.total_amount for day in days), Decimal(0))
    assert totals.rounding_amount == sum((day.rounding_amount for day in days), Decimal(0))
    assert totals.tip_amount == sum((day.tip_amount for day in days), Decimal(0))
    assert {each.method: each.paid for each in totals.payments} == gathered(days, "by_method")
    kept = [line for day in days for line in day.lines if line.kind != LineKind.VOUCHER_SALE]
    assert sum((each.amount for each in totals.categories.values()), Decimal(0)) == sum(
        (line.sold.amount for line in kept), Decimal(0)
    )
    for category, sold in totals.categories.items():
        assert sold == sum((line.sold for line in kept if line.category == category), Counted())


class TestPeriodTotals:
    @given(sales=st.lists(SALES, max_size=9), closed=st.sets(st.integers(0, 4)), late=st.lists(SALES, max_size=3))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_are_the_sums_of_their_days(
        self,
        seeblick: Tenant,
        waldrand: Tenant,
        sales: list[dict[str, Any]],
        closed: set[int],
        late: list[dict[str, Any]],
    ) -> None:
        with transaction.atomic():
            for sale in sales:
                sell(seeblick, **sale)
                sell(waldrand, "99.00", day=sale["day"])
            last = max(closed, default=-1)
            with_sales = {(sale["day"] - DAY).days for sale in sales}
            for number in range(min(closed, default=0), last + 1):
                if number in closed | with_sales:
                    close(seeblick, DAY + A_DAY * number)
            for sale in late:
                sell(seeblick, **sale)
            figures = [totals_of_day(seeblick, day) for day in SPAN.days]

            totals, _ = period_totals(seeblick, SPAN)

            days = [each for figure in figures for each in (figure.totals, figure.late) if each is not None]
            assert_is_the_sum_of(totals, days)
            assert_is_the_sum_of(totals, [day_totals(seeblick, day) for day in SPAN.days])
            assert {rate.vat_rate: rate for rate in totals.rates} == rates_of(seeblick, SPAN)
            parts = [period_totals(seeblick, Span(day, day))[0] for day in SPAN.days]
            assert sum((part.takings.amount for part in parts), Decimal(0)) == totals.takings.amount
            assert totals.revenue == sum_of_rates(part.revenue for part in parts)
            assert totals.late.amount == sum((each.late.total_amount for each in figures if each.late), Decimal(0))
            assert totals.revenue.gross + totals.vouchers.amount + totals.rounding_amount == totals.takings.amount
            by_day = takings_by_day(seeblick, SPAN, then=NOON)
            assert totals.by_day == {
                day: {source: each.whole for source, each in by_source.items()} for day, by_source in by_day.items()
            }
            transaction.set_rollback(True)

    def test_of_an_open_day_hold_what_day_totals_say(self, seeblick: Tenant, waldrand: Tenant) -> None:
        for rate, category, source in (
            ("8.1", "Shop", Source.EXTERNAL_POS),
            ("2.6", "Backwaren", Source.FRONT_DESK),
            (None, "", Source.FRONT_DESK),
        ):
            sell(seeblick, "12.50", rate=rate, category=category, source=source, tip="1.00")
            sell(waldrand)
        sell(seeblick, "-5.00", method=PaymentMethod.TWINT)

        totals, _ = period_totals(seeblick, ONE)

        assert [part.totals for part in totals.parts] == [day_totals(seeblick, DAY)]

    def test_round_vat_once_for_each_rate_and_day(self, seeblick: Tenant) -> None:
        """0.07 at 8.1% holds 0.0052 of VAT: a Rappen each day, and three in three days, not two."""
        for number in range(3):
            sell(seeblick, "0.07", day=tomorrow(days=number))

        totals, _ = period_totals(seeblick, SPAN)

        assert (totals.revenue.gross, totals.revenue.vat) == (Decimal("0.21"), Decimal("0.03"))

    def test_read_a_closed_day_from_its_close_and_show_apart_what_came_late(self, seeblick: Tenant) -> None:
        sell(seeblick, "10.00")
        close(seeblick, counted="10.00")
        sell(seeblick, "2.50")

        totals, _ = period_totals(seeblick, ONE)

        assert totals.takings == Takings(2, Decimal("12.50"))
        assert totals.late == Takings(1, Decimal("2.50"))
        assert [part.is_late for part in totals.parts] == [False, True]

    def test_count_a_day_that_was_passed_over_as_late(self, seeblick: Tenant) -> None:
        close(seeblick)
        close(seeblick, tomorrow(days=2))
        sell(seeblick, "2.50", day=tomorrow())

        totals, _ = period_totals(seeblick, Span(tomorrow(), tomorrow()))

        assert totals.late == totals.takings == Takings(1, Decimal("2.50"))

    def test_say_what_other_spans_took(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "10.00")
        sell(seeblick, "-1.00")
        sell(waldrand, "99.00", day=tomorrow(days=-1))

        _, others = period_totals(seeblick, Span(LAST, LAST), (ONE, Span(DAY - A_DAY, DAY - A_DAY)))

        assert others == (Takings(1, Decimal("9.00")), None)

    def test_never_add_up_two_currencies(self, seeblick: Tenant) -> None:
        sell(seeblick, "10.00")
        seeblick.currency = "EUR"
        sell(seeblick, "10.00", day=tomorrow())

        with pytest.raises(MixedCurrencies, match="CHF, EUR"):
            period_totals(seeblick, SPAN)

    def test_compare_with_nothing_in_another_currency(self, seeblick: Tenant) -> None:
        sell(seeblick, "10.00")
        seeblick.currency = "EUR"
        sell(seeblick, "10.00", day=tomorrow())

        _, others = period_totals(seeblick, Span(tomorrow(), tomorrow()), (ONE,))

        assert others == (None,)

    def test_ask_no_more_of_many_days_than_of_one(self, seeblick: Tenant, django_assert_max_num_queries: Any) -> None:
        for number in range(5):
            sell(seeblick, "10.00", day=tomorrow(days=number))
        close(seeblick, counted="10.00")
        sell(seeblick, "10.00")

        with django_assert_max_num_queries(3):
            period_totals(seeblick, SPAN, (Span(DAY - 5 * A_DAY, DAY - A_DAY),))

    def test_of_nothing_are_nothing(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(waldrand)

        totals, _ = period_totals(seeblick, SPAN)

        assert (totals.takings, totals.currency, totals.rates, totals.by_day) == (Takings(), "CHF", (), {})


class TestTakingsByHour:
    def test_are_on_the_campgrounds_clock(self, seeblick: Tenant, waldrand: Tenant) -> None:
        """Sold at 13:00 in UTC: 15:00 in summer, 14:00 in winter."""
        sell(seeblick, "10.00")
        sell(seeblick, "-1.00", source=Source.EXTERNAL_POS)
        sell(seeblick, "5.00", day=date(2026, 1, 15))
        sell(waldrand, "99.00")

        assert takings_by_hour(seeblick, Span(date(2026, 1, 1), LAST)) == {
            (14, Source.FRONT_DESK): Takings(1, Decimal("5.00")),
            (15, Source.FRONT_DESK): Takings(1, Decimal("10.00")),
            (15, Source.EXTERNAL_POS): Takings(0, Decimal("-1.00")),
        }


class TestTakingsUntil:
    def test_leave_out_what_was_sold_after(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "10.00")
        sell(waldrand, "99.00")
        one = datetime(2026, 4, 29, 13, tzinfo=UTC)

        assert takings_until(seeblick, {DAY: one}, currency="CHF") == {DAY: Takings(1, Decimal("10.00"))}
        assert takings_until(seeblick, {DAY: one - timedelta(seconds=1)}, currency="CHF") == {}

    def test_are_of_one_currency(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "10.00")
        seeblick.currency = "EUR"
        sell(seeblick, "4.00")

        assert takings_until(seeblick, {DAY: NOON + A_DAY}, currency="EUR") == {DAY: Takings(1, Decimal("4.00"))}


class TestTakingsByDay:
    def test_are_of_the_currency_that_the_campground_has_now(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "99.00")
        seeblick.currency = "EUR"
        sell(seeblick, "10.00")

        assert takings_by_day(seeblick, SPAN, then=NOON) == {DAY: {Source.FRONT_DESK: DayTakings(TEN, Takings())}}

    def test_say_what_a_day_had_come_to_by_then(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "10.00")
        sell(seeblick, "-1.00", source=Source.EXTERNAL_POS)
        sell(waldrand, "99.00")

        for then, front_desk, till in ((NOON, Takings(), Takings()), (NOON + A_DAY, TEN, Takings(0, Decimal("-1.00")))):
            assert takings_by_day(seeblick, SPAN, then=then) == {
                DAY: {
                    Source.FRONT_DESK: DayTakings(TEN, front_desk),
                    Source.EXTERNAL_POS: DayTakings(Takings(0, Decimal("-1.00")), till),
                }
            }


class TestChangeOf:
    @pytest.mark.parametrize(
        ("now", "before", "percent"),
        [("110", "100", "10.0"), ("0", "80", "-100.0"), ("2", "3", "-33.3"), ("1", "0", None), ("1", "-5", None)],
    )
    def test_is_in_percent_of_what_was(self, now: str, before: str, percent: str | None) -> None:
        assert change_of(Decimal(now), Decimal(before)) == (None if percent is None else Decimal(percent))
