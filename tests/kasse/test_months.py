"""Random months: what is closed never changes, adds up to the Rappen, and reads the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import UUID

from django.db import transaction
from django.test import Client
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kasse.closing_models import ClosedSale, DailyClose
from kasse.day_figures import totals_of_day
from kasse.late import late_sales, outside_closes
from kasse.models import LineKind, PaymentMethod, Source, Transaction
from kasse.net import by_rate, net_of, vat_within
from kasse.week import week_of
from kasse.zreport import z_report
from tenants.models import Tenant
from tests.factories import member
from tests.kasse.sales import DAY
from tests.kasse.selling import close, sell
from tests.kasse.test_zreport import pdf_text, rows_of, squeezed

AMOUNTS = st.integers(-200_00, 200_00).map(lambda rappen: str(Decimal(rappen).scaleb(-2)))
SALES = st.fixed_dictionaries(
    {
        "amount": AMOUNTS,
        "method": st.sampled_from([PaymentMethod.CASH, PaymentMethod.TWINT, PaymentMethod.CARD]),
        "source": st.sampled_from(Source),
        "rate": st.sampled_from([None, "0", "2.6", "3.8", "8.1"]),
        "category": st.sampled_from(["", "Shop", "Backwaren"]),
        "kind": st.sampled_from(LineKind),
        "tip": st.sampled_from(["0.00", "0.50"]),
        "rounding": st.sampled_from(["0.00", "-0.02", "0.01"]),
    }
)
# Of each day: what was sold before its close, what was counted (None: it is passed over if it can be), what comes late.
DAYS = st.tuples(st.lists(SALES, max_size=3), st.one_of(st.none(), st.integers(0, 500_00)), st.lists(SALES, max_size=2))
MONTHS = st.lists(DAYS, min_size=1, max_size=6)


def live(tenant: Tenant, month: list[Any]) -> tuple[list[dict[str, Any]], set[UUID]]:
    """A month goes by: sell, close, sell late. The closes as they were written, and the ids of all sales."""
    written, sold = [], set()
    for number, (before, counted, after) in enumerate(month):
        day = DAY + timedelta(days=number)
        sold |= {sell(tenant, day=day, **sale) for sale in before}
        if before or counted is not None:
            amount = str(Decimal(counted or 0).scaleb(-2))
            written.append(row_of(close(tenant, day, counted=amount)))
        sold |= {sell(tenant, day=day, **sale) for sale in after if written and written[-1]["business_date"] == day}
    return written, sold


def row_of(each: DailyClose) -> dict[str, Any]:
    return dict(DailyClose.objects.filter(pk=each.pk).values().get())


def days_of(month: list[Any]) -> list[date]:
    return [DAY + timedelta(days=number) for number in range(len(month))]


def page_of(client: Client, day: date) -> str:
    shown = client.get(f"/kasse/abschluss/{day}", headers={"accept-language": "en"})
    assert shown.status_code == 200
    return squeezed(unescape(re.sub(r"<[^>]+>", " ", shown.content.decode())))


def total(sales: Iterable[Transaction]) -> Decimal:
    return sum((sale.total_amount for sale in sales), Decimal("0.00"))


class TestAnyMonth:
    @given(MONTHS)
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_is_closed_for_ever_and_adds_up(self, seeblick: Tenant, waldrand: Tenant, month: list[Any]) -> None:
        with transaction.atomic():
            sell(waldrand, "777.00")
            written, sold = live(seeblick, month)

            self.assert_closes_are_as_written(seeblick, written)
            self.assert_every_sale_has_one_place(seeblick, month, sold)
            self.assert_weeks_add_up(seeblick, month)
            transaction.set_rollback(True)

    def assert_closes_are_as_written(self, tenant: Tenant, written: list[dict[str, Any]]) -> None:
        closes = list(DailyClose.objects.of(tenant).order_by("z_number"))
        assert [row_of(each) for each in closes] == written
        assert [each.z_number for each in closes] == list(range(1, len(closes) + 1))
        opening = Decimal("0.00")
        for each in closes:
            members = Transaction.objects.filter(pk__in=ClosedSale.objects.filter(close=each).values("transaction"))
            assert (len(members), total(members)) == (each.sale_count, each.day_totals.total_amount)
            assert each.net_lines == net_of(each.day_totals.lines)
            assert each.expected_amount == each.drawer.expected
            assert each.opening_float == opening
            for rate in by_rate(each.net_lines):
                assert rate.vat == (0 if rate.vat_rate is None else vat_within(rate.gross, rate.vat_rate))
            opening = each.float_left

    def assert_every_sale_has_one_place(self, tenant: Tenant, month: list[Any], sold: set[UUID]) -> None:
        members = list(ClosedSale.objects.of(tenant).values_list("transaction", flat=True))
        late = [sale.pk for day in days_of(month) for sale in late_sales(tenant, day)]
        assert len(members) + len(late) == len(sold)
        assert {*members, *late} == sold
        outside = outside_closes(tenant, DAY, DAY + timedelta(days=len(month)))
        assert sum(each.count for each in outside.values()) == len(late)
        for day in days_of(month):
            figures = totals_of_day(tenant, day)
            of_day = Transaction.objects.of(tenant).filter(business_date=day)
            late_amount = figures.late.total_amount if figures.late else Decimal("0.00")
            assert figures.totals.total_amount + late_amount == total(of_day)

    def assert_weeks_add_up(self, tenant: Tenant, month: list[Any]) -> None:
        mondays = {day - timedelta(days=day.weekday()) for day in days_of(month)}
        weeks = [week_of(tenant, monday) for monday in mondays]
        assert sum(week.closed.amount + week.late.amount + week.open.amount for week in weeks) == total(
            Transaction.objects.of(tenant)
        )
        assert sum(week.variance for week in weeks) == sum(each.variance for each in DailyClose.objects.of(tenant))
        assert sum(rate.vat for week in weeks for rate in week.by_rate) == sum(
            line.vat for each in DailyClose.objects.of(tenant) for line in each.net_lines
        )

    @given(MONTHS)
    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_reads_the_same_on_the_page_on_paper_and_in_the_table(self, seeblick: Tenant, month: list[Any]) -> None:
        with transaction.atomic():
            live(seeblick, month)
            client = Client()
            client.force_login(member(seeblick))
            for each in DailyClose.objects.of(seeblick):
                with override("en"):
                    report = z_report(each)
                    printed = pdf_text(report)
                shown = page_of(client, each.business_date)
                for table in report.tables:
                    for row in (*table.rows, table.foot):
                        assert squeezed("".join(row)) in shown
                        assert squeezed("".join(row)) in printed
                to_pay = rows_of(report, "total")["To pay"][0]
                assert to_pay.replace("'", "") == str(each.day_totals.total_amount)
            transaction.set_rollback(True)
