"""Late sales: their own day, no close, and the close as it was."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from kasse.closing_models import DailyClose
from kasse.day_figures import totals_of_day
from kasse.late import late_sales, with_late
from kasse.models import PaymentMethod, Source, Status, Transaction
from kasse.net import net_of
from kasse.totals import Counted, DayTotals, MixedCurrencies, day_totals
from tenants.models import Tenant
from tests.kasse.rewriting import rewrite, triggers_asleep
from tests.kasse.sales import DAY
from tests.kasse.selling import close, sell, tomorrow

YESTERDAY = DAY - timedelta(days=1)


class TestALateSale:
    def test_keeps_its_day_and_leaves_the_close_as_it_was(self, seeblick: Tenant) -> None:
        sell(seeblick, "12.50")
        kept = close(seeblick, counted="12.50")

        late = sell(seeblick, "40.00", source=Source.EXTERNAL_POS)

        assert Transaction.objects.get(pk=late).business_date == DAY
        assert [each.pk for each in late_sales(seeblick, DAY)] == [late]
        assert DailyClose.objects.get().day_totals == kept.day_totals
        assert kept.day_totals.total_amount == Decimal("12.50")

    def test_is_none_while_the_day_is_open(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick)
        close(waldrand)

        assert not late_sales(seeblick, DAY).exists()

    def test_is_none_of_the_closes_own(self, seeblick: Tenant) -> None:
        sell(seeblick)
        close(seeblick)

        assert not late_sales(seeblick, DAY).exists()

    def test_may_be_of_a_day_that_was_passed_over(self, seeblick: Tenant) -> None:
        close(seeblick, YESTERDAY)
        close(seeblick, tomorrow())

        late = sell(seeblick)

        assert [each.pk for each in late_sales(seeblick, DAY)] == [late]

    def test_is_none_of_a_time_before_the_first_close(self, seeblick: Tenant) -> None:
        close(seeblick)

        sell(seeblick, day=YESTERDAY)

        assert not late_sales(seeblick, YESTERDAY).exists()

    @pytest.mark.parametrize("status", [each for each in Status if each is not Status.COMPLETED])
    def test_is_complete(self, seeblick: Tenant, status: Status) -> None:
        close(seeblick)
        sale = sell(seeblick)
        rewrite(sale, status=status)

        assert not late_sales(seeblick, DAY).exists()


class TestAListOfSales:
    def test_marks_the_late_ones(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick)
        close(seeblick)
        late = sell(seeblick)
        sell(seeblick, day=tomorrow())
        sell(waldrand)

        listed = with_late(Transaction.objects.all())

        assert [each.pk for each in listed if each.late] == [late]  # type: ignore[attr-defined]
        assert listed.filter(Q(late=True)).count() == 1

    def test_is_still_read_in_one_statement(self, seeblick: Tenant) -> None:
        close(seeblick)
        for _ in range(5):
            sell(seeblick)

        with CaptureQueriesContext(connection) as asked:
            assert len(with_late(Transaction.objects.of(seeblick))[:50]) == 5
        assert len(asked) == 1

    def test_looks_along_unique_keys_row_by_row(self, seeblick: Tenant) -> None:
        """And does not read all closed sales there are first, to mark the fifty on a page."""
        for _ in range(100):
            sell(seeblick)
        close(seeblick)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")
                # Of an empty table one index is as good as another.
                cursor.execute("ANALYZE kasse_closedsale, kasse_transaction")
        plan = with_late(Transaction.objects.of(seeblick)).explain()

        if connection.vendor == "postgresql":
            assert "using kasse_closedsale_pkey" in plan, plan
            assert "Seq Scan on kasse_closedsale" not in plan, plan
        else:
            assert "SCAN kasse_closedsale" not in plan, plan
            assert plan.count("kasse_dailyclose_1 (tenant_id=? AND business_date") == 2, plan
            assert "tenant_id=? AND transaction_id=?" in plan, plan


class TestTotalsOfADay:
    def test_that_is_open_are_counted_now(self, seeblick: Tenant) -> None:
        sell(seeblick)

        figures = totals_of_day(seeblick, DAY)

        assert figures == (day_totals(seeblick, DAY), None, None)
        assert figures.net_lines == net_of(figures.totals.lines)
        assert figures.late_lines == ()

    def test_that_is_closed_are_those_of_its_close(self, seeblick: Tenant) -> None:
        sell(seeblick, "12.50")
        kept = close(seeblick, counted="12.50")
        # What no way of the house does: the close does not look at the ledger again.
        with triggers_asleep():
            Transaction._base_manager.update(total_amount=99)

        assert totals_of_day(seeblick, DAY) == (kept.day_totals, kept, None)
        assert totals_of_day(seeblick, DAY).totals.total_amount == Decimal("12.50")

    def test_tell_the_late_ones_apart(self, seeblick: Tenant) -> None:
        sell(seeblick, "12.50")
        kept = close(seeblick, counted="12.50")
        sell(seeblick, "40.00", method=PaymentMethod.TWINT)
        sell(seeblick, "-5.00", method=PaymentMethod.TWINT)

        totals, found, late = totals_of_day(seeblick, DAY)

        assert (totals, found) == (kept.day_totals, kept)
        assert late is not None
        assert late.by_method == {PaymentMethod.TWINT: Counted(2, Decimal("35.00"))}
        assert totals_of_day(seeblick, DAY).late_lines == net_of(late.lines)

    def test_that_was_passed_over_are_all_late(self, seeblick: Tenant) -> None:
        close(seeblick, YESTERDAY)
        close(seeblick, tomorrow())
        sell(seeblick, "40.00")

        totals, found, late = totals_of_day(seeblick, DAY)

        assert (totals, found) == (DayTotals(business_date=DAY, currency="CHF"), None)
        assert late is not None
        assert late.total_amount == Decimal("40.00")

    def test_of_the_neighbours_day_are_their_own(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(waldrand, "40.00")
        close(seeblick)

        assert totals_of_day(waldrand, DAY).close is None
        assert totals_of_day(waldrand, DAY).totals.total_amount == Decimal("40.00")
        assert totals_of_day(seeblick, DAY).late is None

    def test_never_add_up_two_currencies(self, seeblick: Tenant) -> None:
        sell(seeblick)
        seeblick.currency = "EUR"
        sell(seeblick)

        with pytest.raises(MixedCurrencies):
            totals_of_day(seeblick, DAY)
