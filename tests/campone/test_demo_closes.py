"""The demo's closed days: counted as a reception would, and left to its visitors from yesterday on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from campone.demo.campgrounds import PLANS, SEEBLICK, open_campgrounds
from campone.demo.closes import close_days, coins_of
from campone.demo.history import fill_days
from kasse.closing_models import DailyClose
from kasse.late import late_sales
from tenants.models import Tenant

AT = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def seeblick(db: None) -> Tenant:
    """The demo's Seeblick after nine days."""
    tenants = open_campgrounds(at=AT)
    for plan in PLANS:
        fill_days(plan, tenants[plan.slug], days=9, at=AT, seed=1)
    return tenants[SEEBLICK.slug]


class TestClosedDays:
    def test_are_all_but_yesterday_and_today(self, seeblick: Tenant) -> None:
        assert close_days(SEEBLICK, seeblick, at=AT) == 7

        closes = DailyClose.objects.order_by("z_number")
        assert [close.business_date for close in closes] == [
            AT.date() - timedelta(days=days) for days in range(8, 1, -1)
        ]
        assert {close.tenant for close in closes} == {seeblick}
        assert {close.closed_by.username for close in closes if close.closed_by} == {"seeblick"}
        assert all(close.closed_at < AT for close in closes)

    def test_were_counted_with_one_slip_a_week(self, seeblick: Tenant) -> None:
        close_days(SEEBLICK, seeblick, at=AT)

        variances = [close.variance for close in DailyClose.objects.order_by("z_number")]

        assert sorted(variances) == [Decimal("-0.50"), *[Decimal(0)] * 6]
        assert DailyClose.objects.earliest("z_number").opening_float == Decimal("200.00")

    def test_are_closed_once(self, seeblick: Tenant) -> None:
        close_days(SEEBLICK, seeblick, at=AT)

        assert close_days(SEEBLICK, seeblick, at=AT) == 0
        fill_days(SEEBLICK, seeblick, days=9, at=AT + timedelta(days=1), seed=1)
        assert close_days(SEEBLICK, seeblick, at=AT + timedelta(days=1)) == 1
        assert not any(late_sales(seeblick, close.business_date).exists() for close in DailyClose.objects.all())

    def test_that_somebody_else_has_closed_are_left_alone(self, seeblick: Tenant) -> None:
        close_days(SEEBLICK, seeblick, at=AT - timedelta(days=2))
        before = set(DailyClose.objects.values_list("pk", flat=True))

        close_days(SEEBLICK, seeblick, at=AT)

        assert before < set(DailyClose.objects.values_list("pk", flat=True))


class TestCoins:
    @pytest.mark.parametrize("amount", ["0.00", "0.05", "1389.95", "12.34"])
    def test_are_what_was_counted(self, amount: str) -> None:
        assert coins_of(Decimal(amount), "CHF").amount == Decimal(amount)

    def test_are_none_of_a_currency_without(self) -> None:
        assert coins_of(Decimal("12.34"), "SEK").other == Decimal("12.34")
