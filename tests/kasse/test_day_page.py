"""The page of day totals: who may look, which periods it takes, and figures to the Rappen."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kasse.models import LineKind, PaymentMethod, Source
from kasse.patience import TookTooLong
from kasse.totals import day_totals
from tenants.models import Role, Tenant
from tenants.swiss import money_text
from tests.factories import member
from tests.kasse.sales import DAY
from tests.kasse.selling import close, evening, sell, tomorrow
from tests.pages import has, signed_in, text_of

PAGE = "/kasse/tagestotale"
YESTERDAY = DAY - timedelta(days=1)
MARKUP = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def half_past_nine() -> Any:
    """It is the evening of the day."""
    with patch("kasse.day_pages.timezone.now", return_value=evening()):
        yield


@pytest.fixture
def staff(seeblick: Tenant, waldrand: Tenant) -> Client:
    return signed_in(member(seeblick))


def compared(answer: Any, relation: str) -> list[str]:
    """The figures of a line of the comparison."""
    found = re.search(rf'data-relation="{relation}">(.*?)</tr>', answer.content.decode(), re.DOTALL)
    assert found, relation
    cells = re.findall(r'<td class="sum[^>]*>(.*?)</td>', found[1], re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in cells]


class TestThePageOfDayTotals:
    def test_is_for_those_who_work_there(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick)
        for role in Role:
            client = Client()
            client.force_login(member(seeblick, role))
            assert text_of(client.get(PAGE), "takings") == "12.50"

        assert Client().get(PAGE)["Location"].startswith("/anmelden")

    def test_shows_nothing_of_the_neighbours(self, staff: Client, waldrand: Tenant) -> None:
        sell(waldrand, "99.00")

        answer = staff.get(PAGE)

        assert text_of(answer, "takings") == "0.00"
        assert has(answer, "nothing")
        assert "99.00" not in answer.content.decode()

    def test_shows_what_day_totals_say_to_the_rappen(self, staff: Client, seeblick: Tenant) -> None:
        for amount, source, rate in (
            ("12.50", Source.EXTERNAL_POS, "8.1"),
            ("1234.05", Source.FRONT_DESK, "3.8"),
            ("-7.77", Source.EXTERNAL_POS, "2.6"),
            ("3.30", Source.FRONT_DESK, None),
        ):
            sell(seeblick, amount, source=source, rate=rate, tip="0.50", rounding="0.02")
        sell(seeblick, "50.00", kind=LineKind.VOUCHER_SALE, method=PaymentMethod.TWINT)
        totals = day_totals(seeblick, DAY)

        answer = staff.get(PAGE)

        assert text_of(answer, "takings") == money_text(totals.total_amount)
        assert text_of(answer, "tips") == money_text(totals.tip_amount)
        assert text_of(answer, "row-refunds").endswith(money_text(totals.refunds.amount))
        assert text_of(answer, "row-vouchers").endswith("1 50.00")
        assert text_of(answer, "row-rounding").endswith("0.08")
        assert text_of(answer, "revenue") == "1'242.00"
        assert 'data-rate="unknown"' in answer.content.decode()
        for method, paid in totals.by_method.items():
            assert f'data-method="{method.value}"' in answer.content.decode()
            assert money_text(paid.amount) in text_of(answer, "methods")

    def test_takes_out_no_vat_where_nobody_knows_the_rate(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "108.10", rate="8.1")
        sell(seeblick, "10.00", rate=None)

        rates = text_of(staff.get(PAGE), "rates")

        assert "8.1% 108.10 100.00 8.10" in rates
        assert "10.00 ? ?" in rates
        assert rates.endswith("118.10 110.00 8.10")

    def test_shows_late_sales_apart(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00")
        assert not has(staff.get(PAGE), "late")
        close(seeblick, counted="10.00")
        sell(seeblick, "2.50")

        answer = staff.get(PAGE)

        assert text_of(answer, "takings") == "12.50"
        assert "2.50" in text_of(answer, "late")

    @pytest.mark.parametrize("query", ["day=2026-04-29", "week=2026-W18", "month=2026-04", "season=2026"])
    def test_takes_a_day_a_week_a_month_and_a_season(self, staff: Client, seeblick: Tenant, query: str) -> None:
        sell(seeblick, "10.00")

        answer = staff.get(f"{PAGE}?{query}")

        assert text_of(answer, "takings") == "10.00"
        assert f"kind-{query.split('=', maxsplit=1)[0]}" in answer.content.decode()

    def test_takes_a_free_range(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00")
        sell(seeblick, "5.00", day=YESTERDAY)

        assert text_of(staff.get(f"{PAGE}?from={YESTERDAY}&to={DAY}"), "takings") == "15.00"

    @pytest.mark.parametrize(
        "query",
        [
            "day=2026-02-30",
            "day=%00",
            "day=%3Cscript%3E",
            "day=10000-01-01",
            "week=2026-W60",
            "month=2026-4",
            "season=%E2%9C%93",
            "from=2026-04-29",
            "to=x&from=",
            "from=2026-04-29&to=2026-04-01",
            "from=2025-01-01&to=2026-04-29",
            "day=2026-04-29&month=2026-04",
        ],
    )
    def test_says_what_is_wrong_with_a_period(self, staff: Client, query: str) -> None:
        answer = staff.get(f"{PAGE}?{query}")

        assert answer.status_code == 400
        assert has(answer, "fault")
        assert "<script>alert" not in answer.content.decode()

    def test_leads_to_the_period_before_and_after_but_not_into_the_future(self, staff: Client) -> None:
        today, before = staff.get(PAGE), staff.get(f"{PAGE}?month=2026-02")

        assert f"{PAGE}?day={YESTERDAY}" in today.content.decode()
        assert not has(today, "next")
        assert not has(today, "now")
        assert f"{PAGE}?month=2026-01" in before.content.decode()
        assert f"{PAGE}?month=2026-03" in before.content.decode()
        assert has(before, "now")

    def test_of_the_very_first_day_leads_no_further_back(self, staff: Client) -> None:
        assert not has(staff.get(f"{PAGE}?day=2000-01-01"), "previous")

    def test_compares_a_past_day_with_whole_days(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00", day=YESTERDAY)
        sell(seeblick, "8.00", day=YESTERDAY - timedelta(days=1))
        sell(seeblick, "20.00", day=YESTERDAY - timedelta(days=7))

        answer = staff.get(f"{PAGE}?day={YESTERDAY}")

        assert compared(answer, "before") == ["8.00", "+2.00", "+25.0 %"]
        assert compared(answer, "week_before") == ["20.00", "-10.00", "-50.0 %"]
        assert compared(answer, "year_before") == ["–", "–", "–"]

    def test_compares_today_with_other_days_up_to_this_time(self, staff: Client, seeblick: Tenant) -> None:
        """Sales are made at three in the afternoon; at half past two none of the day before counts yet."""
        sell(seeblick, "10.00")
        sell(seeblick, "8.00", day=YESTERDAY)

        assert compared(staff.get(PAGE), "before") == ["8.00", "+2.00", "+25.0 %"]
        with patch("kasse.day_pages.timezone.now", return_value=datetime.combine(DAY, time(12, 30), tzinfo=UTC)):
            assert compared(staff.get(PAGE), "before") == ["–", "–", "–"]

    def test_compares_a_month_under_way_with_as_many_days(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00")
        sell(seeblick, "4.00", day=date(2026, 3, 29))
        sell(seeblick, "99.00", day=date(2026, 3, 30))

        assert compared(staff.get(f"{PAGE}?month=2026-04"), "before") == ["4.00", "+6.00", "+150.0 %"]

    def test_draws_what_its_tables_say(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00", source=Source.EXTERNAL_POS)
        sell(seeblick, "4.00", day=YESTERDAY)

        answer = staff.get(f"{PAGE}?month=2026-04")
        page = answer.content.decode()

        assert text_of(answer, "days-figures").endswith("4.00 10.00 14.00")
        assert "15:00–16:00 4.00 10.00 14.00" in text_of(answer, "hours-figures")
        assert page.count('data-series="1"') == page.count('data-series="2"') == 2
        assert page.count('fill="url(#days-stripes)"') == 1

    def test_begins_its_hours_where_the_day_begins(self, staff: Client, seeblick: Tenant) -> None:
        Tenant.objects.filter(pk=seeblick.pk).update(cutoff_hour=4)
        seeblick.refresh_from_db()
        sell(seeblick, "10.00")

        assert "15:00–16:00" in text_of(staff.get(f"{PAGE}?day={DAY}"), "hours-figures")

    def test_draws_a_season_by_weeks(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00")

        answer = staff.get(f"{PAGE}?season=2026")

        assert "18, 27.04.–29.04." in text_of(answer, "days-figures")
        assert "15:00–16:00" in text_of(answer, "hours-figures")

    def test_draws_no_hours_of_too_many_sales(self, staff: Client, seeblick: Tenant) -> None:
        for _ in range(3):
            sell(seeblick, "10.00")

        with patch("kasse.day_pages.MOST_SALES_BY_HOUR", 2):
            answer = staff.get(PAGE)

        assert has(answer, "no-hours")
        assert not has(answer, "hours-figures")

    def test_never_adds_up_two_currencies(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00", day=YESTERDAY)
        seeblick.currency = "EUR"
        sell(seeblick, "10.00")

        answer = staff.get(f"{PAGE}?month=2026-04")

        assert answer.status_code == 200
        assert "CHF, EUR" in text_of(answer, "mixed")
        assert not has(answer, "takings")

    def test_gives_up_in_time_and_says_so(self, staff: Client) -> None:
        with patch("kasse.day_pages.period_totals", side_effect=TookTooLong):
            answer = staff.get(f"{PAGE}?season=2026")

        assert answer.status_code == 200
        assert has(answer, "slow")

    def test_of_a_closed_day_without_a_sale_says_that_nothing_was_sold(self, staff: Client, seeblick: Tenant) -> None:
        close(seeblick)

        assert has(staff.get(PAGE), "nothing")

    def test_keeps_what_a_till_has_sent_as_text(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00", category=MARKUP)

        page = staff.get(PAGE).content.decode()

        assert MARKUP not in page
        assert "&lt;script&gt;" in page

    @pytest.mark.parametrize("query", ["", "?week=2026-W18", "?month=2026-04", "?season=2026"])
    def test_asks_at_most_eight_questions_however_many_sales(self, staff: Client, seeblick: Tenant, query: str) -> None:
        for number in range(3):
            sell(seeblick, "10.00", day=tomorrow(days=-number))
        close(seeblick, tomorrow(days=-2), counted="10.00")
        sell(seeblick, "10.00", day=tomorrow(days=-2))
        with CaptureQueriesContext(connection) as few:
            staff.get(PAGE + query)
        for number in range(12):
            sell(seeblick, str(Decimal(number)) + ".00", category=f"Regal {number}", day=tomorrow(days=-number % 3))
        with CaptureQueriesContext(connection) as many:
            assert staff.get(PAGE + query).status_code == 200

        assert len(questions(many)) == len(questions(few)) <= 8

    @pytest.mark.parametrize("method", ["post", "put", "delete"])
    def test_changes_nothing(self, staff: Client, method: str) -> None:
        assert getattr(staff, method)(PAGE).status_code == 405


def questions(asked: CaptureQueriesContext) -> list[str]:
    """What was asked, without the marks of a transaction inside the test's own."""
    return [each["sql"] for each in asked.captured_queries if "SAVEPOINT" not in each["sql"]]
