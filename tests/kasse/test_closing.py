"""The daily close: in order, numbered, of exactly the sales it has taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kasse.cash import CountedCash
from kasse.closing import (
    AlreadyClosed,
    DayToCome,
    EarlierDayOpen,
    FiguresMoved,
    FloatNotCounted,
    ReasonMissing,
    close_day,
    preview,
)
from kasse.closing_models import CashDeskSettings, ClosedSale, DailyClose
from kasse.models import LineKind, PaymentMethod, Source, Status
from kasse.net import net_of
from kasse.totals import MixedCurrencies, day_totals
from tenants.models import Tenant
from tests.factories import UserFactory
from tests.kasse.rewriting import rewrite
from tests.kasse.sales import DAY
from tests.kasse.selling import cash, close, evening, sell, tomorrow

chf = Decimal


class TestCloseDay:
    def test_keeps_what_the_day_came_to(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "12.50")
        sell(seeblick, "-5.50")
        sell(seeblick, "30.00", source=Source.EXTERNAL_POS, method=PaymentMethod.TWINT, rate="2.6")
        sell(waldrand, "99.00")
        totals = day_totals(seeblick, DAY)

        close(seeblick, counted="7.00")

        kept = DailyClose.objects.of(seeblick).get()
        assert kept.day_totals == totals
        assert kept.net_lines == net_of(totals.lines)
        assert (kept.z_number, kept.business_date, kept.sale_count, kept.currency) == (1, DAY, 3, "CHF")
        assert not DailyClose.objects.of(waldrand).exists()

    def test_is_made_of_exactly_the_days_sales(self, seeblick: Tenant, waldrand: Tenant) -> None:
        mine = [sell(seeblick), sell(seeblick, source=Source.EXTERNAL_POS)]
        sell(seeblick, day=tomorrow())
        sell(waldrand)

        kept = close(seeblick, counted="12.50")

        members = ClosedSale.objects.of(seeblick).filter(close=kept).order_by("position")
        assert list(members.values_list("position", flat=True)) == [1, 2]
        assert {each.transaction_id for each in members} == set(mine)
        assert ClosedSale.objects.count() == 2

    def test_is_made_of_many_in_the_order_in_which_they_came(
        self, seeblick: Tenant, waldrand: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kasse.closed_sales.AT_ONCE", 2)
        sold = [sell(tenant) for _ in range(5) for tenant in (seeblick, waldrand)][::2]

        close(seeblick)

        members = ClosedSale.objects.of(seeblick).order_by("position").values_list("position", "transaction")
        assert list(members) == list(enumerate(sorted(sold), start=1))

    @pytest.mark.parametrize("status", [each for each in Status if each is not Status.COMPLETED])
    def test_leaves_out_what_is_not_complete(self, seeblick: Tenant, status: Status) -> None:
        rewrite(sell(seeblick), status=status)

        kept = close(seeblick)

        assert (kept.sale_count, kept.expected_amount) == (0, chf(0))
        assert not kept.day_totals.tills

    def test_closes_an_empty_day(self, seeblick: Tenant) -> None:
        kept = close(seeblick)

        assert (kept.sale_count, kept.variance, kept.day_totals.total_amount) == (0, chf(0), chf(0))

    def test_says_when_the_day_was_and_who_closed_it(self, seeblick: Tenant) -> None:
        seeblick.cutoff_hour = 4
        seeblick.save()
        anna = UserFactory.create(username="anna", first_name="Anna", last_name="Keller")

        kept = close(seeblick, by=anna)

        assert (kept.begins_at, kept.ends_at) == (
            datetime(2026, 4, 29, 2, tzinfo=UTC),
            datetime(2026, 4, 30, 2, tzinfo=UTC),
        )
        assert (kept.closed_by, kept.closed_by_name, kept.closed_at) == (anna, "Anna Keller", evening())
        assert (kept.campground, kept.zone) == ("Camping Seeblick", "Europe/Zurich")

    def test_names_who_has_no_name_by_how_they_sign_in(self, seeblick: Tenant) -> None:
        assert close(seeblick, by=UserFactory.create(username="anna")).closed_by_name == "anna"

    def test_never_adds_up_two_currencies(self, seeblick: Tenant) -> None:
        sell(seeblick)
        seeblick.currency = "EUR"
        seeblick.save()
        sell(seeblick)

        with pytest.raises(MixedCurrencies):
            close(seeblick)
        assert not DailyClose.objects.exists()

    def test_costs_the_same_few_statements_whatever_the_day(self, seeblick: Tenant) -> None:
        asked = []
        for day, sales in ((DAY, 1), (tomorrow(), 30)):
            for _ in range(sales):
                sell(seeblick, "1.00", day=day, method=PaymentMethod.CARD)
            with CaptureQueriesContext(connection) as statements:
                close(seeblick, day)
            asked.append(len(statements))

        assert asked[1] <= asked[0] + 1  # the second looks for days before it


class TestTheOrderOfDays:
    def test_numbers_without_a_gap_for_each_campground(self, seeblick: Tenant, waldrand: Tenant) -> None:
        numbers = [close(seeblick, DAY + timedelta(days=days)).z_number for days in range(3)]

        assert numbers == [1, 2, 3]
        assert close(waldrand).z_number == 1

    def test_a_refused_close_uses_up_no_number(self, seeblick: Tenant) -> None:
        close(seeblick)
        with pytest.raises(ReasonMissing):
            close(seeblick, tomorrow(), counted="1.00", variance_reason=" ")

        assert close(seeblick, tomorrow()).z_number == 2

    def test_a_second_close_of_one_day_is_refused(self, seeblick: Tenant) -> None:
        first = close(seeblick)

        with pytest.raises(AlreadyClosed) as refused:
            close(seeblick)

        assert refused.value.close == first
        assert DailyClose.objects.count() == 1

    def test_a_day_before_the_last_close_stays_open_no_more(self, seeblick: Tenant) -> None:
        later = close(seeblick, tomorrow())

        with pytest.raises(AlreadyClosed) as refused:
            close(seeblick, DAY)

        assert refused.value.close == later

    def test_a_day_with_sales_comes_before_the_next(self, seeblick: Tenant, waldrand: Tenant) -> None:
        close(seeblick)
        sell(seeblick, day=tomorrow(days=2))
        sell(waldrand, day=tomorrow())

        with pytest.raises(EarlierDayOpen) as refused:
            close(seeblick, tomorrow(days=3))

        assert refused.value.day == tomorrow(days=2)

    def test_days_without_sales_may_be_passed_over(self, seeblick: Tenant) -> None:
        close(seeblick)
        rewrite(sell(seeblick, day=tomorrow()), status=Status.FAILED)

        assert close(seeblick, tomorrow(days=120)).z_number == 2

    def test_the_first_may_be_any_day(self, seeblick: Tenant) -> None:
        sell(seeblick, day=DAY - timedelta(days=300))

        assert close(seeblick).z_number == 1

    def test_today_may_be_closed_and_tomorrow_not(self, seeblick: Tenant) -> None:
        with pytest.raises(DayToCome) as refused:
            close(seeblick, tomorrow(), at=evening())

        assert refused.value.today == DAY
        assert close(seeblick, at=evening()).business_date == DAY

    def test_today_is_the_campgrounds_own(self, seeblick: Tenant) -> None:
        seeblick.cutoff_hour = 4
        seeblick.save()
        half_past_two = datetime(2026, 4, 30, 0, 30, tzinfo=UTC)

        with pytest.raises(DayToCome):
            close(seeblick, tomorrow(), at=half_past_two)
        assert close(seeblick, at=half_past_two).business_date == DAY


class TestTheDrawer:
    def test_should_hold_the_float_and_the_front_desks_cash(self, seeblick: Tenant) -> None:
        sell(seeblick, "12.50", tip="1.50")
        sell(seeblick, "-2.50")
        sell(seeblick, "40.00", method=PaymentMethod.CARD, tip="3.00")

        kept = close(seeblick, counted="211.50", first_float=chf("200.00"), variance_reason="")

        assert (kept.opening_float, kept.expected_amount, kept.variance) == (chf("200.00"), chf("211.50"), chf("0.00"))
        assert (kept.drawer.cash, kept.drawer.tips) == (chf("10.00"), chf("1.50"))

    def test_begins_with_what_the_close_before_left(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "80.00")
        first = close(seeblick, counted="280.00", first_float=chf("200.00"), float_left=chf("150.00"))
        close(waldrand, counted="7.00")

        second = close(seeblick, tomorrow(days=3), counted="150.00", first_float=chf("999.00"))

        assert first.taken_out == chf("130.00")
        assert (second.opening_float, second.variance, second.float_left) == (chf(150), chf(0), chf(150))

    def test_keeps_its_float_unless_told_otherwise(self, seeblick: Tenant) -> None:
        sell(seeblick, "80.00")

        assert close(seeblick, counted="280.00", first_float=chf("200.00")).float_left == chf("200.00")

    def test_keeps_all_there_is_if_that_is_less_than_its_float(self, seeblick: Tenant) -> None:
        assert close(seeblick, counted="180.00", first_float=chf("200.00")).float_left == chf("180.00")

    def test_begins_anew_in_another_currency(self, seeblick: Tenant) -> None:
        close(seeblick, counted="200.00", first_float=chf("200.00"))
        seeblick.currency = "EUR"
        seeblick.save()

        assert close(seeblick, tomorrow(), counted="50.00", first_float=chf("50.00")).opening_float == 50

    @pytest.mark.parametrize("left", ["-0.05", "12.55"])
    def test_leaves_nothing_that_was_not_counted(self, seeblick: Tenant, left: str) -> None:
        sell(seeblick, "12.50")

        with pytest.raises(FloatNotCounted) as refused:
            close(seeblick, counted="12.50", float_left=chf(left))

        assert refused.value.counted == chf("12.50")

    @pytest.mark.parametrize(("counted", "variance"), [("12.00", "-0.50"), ("13.00", "0.50")])
    def test_that_differs_needs_a_reason(self, seeblick: Tenant, counted: str, variance: str) -> None:
        sell(seeblick, "12.50")

        for reason in ("", "  \n"):
            with pytest.raises(ReasonMissing) as refused:
                close(seeblick, counted=counted, variance_reason=reason)
            assert refused.value.variance == chf(variance)

        kept = close(seeblick, counted=counted, variance_reason=" Note verlegt ")
        assert (kept.variance, kept.variance_reason) == (chf(variance), "Note verlegt")

    def test_is_counted_note_by_note(self, seeblick: Tenant) -> None:
        sell(seeblick, "131.35")
        counted = CountedCash.of({chf("0.05"): 3, chf("100.00"): 1, chf("1.00"): 0}, other=chf("31.20"))

        kept = close_day(tenant=seeblick, day=DAY, by=None, at=evening(), counted=counted)

        assert DailyClose.objects.get().counted_cash == counted
        assert kept.counted == {"pieces": [["100.00", 1], ["0.05", 3]], "other": "31.20"}
        assert kept.counted_amount == chf("131.35")

    def test_is_without_the_cash_of_outside_tills(self, seeblick: Tenant) -> None:
        sell(seeblick, "12.50")
        sell(seeblick, "30.00", source=Source.EXTERNAL_POS, tip="2.00")

        kept = close(seeblick, counted="12.50", variance_reason="")

        assert (kept.external_cash, kept.expected_amount) == (chf("32.00"), chf("12.50"))

    def test_holds_the_cash_of_outside_tills_where_the_campground_says_so(
        self, seeblick: Tenant, waldrand: Tenant
    ) -> None:
        CashDeskSettings.objects.create(tenant=seeblick, external_cash_in_drawer=True)
        for tenant in (seeblick, waldrand):
            sell(tenant, "30.00", source=Source.EXTERNAL_POS, tip="2.00")

        kept = close(seeblick, counted="32.00", variance_reason="")

        assert (kept.external_cash, kept.expected_amount, kept.external_cash_in_drawer) == (chf(32), chf(32), True)
        assert close(waldrand, variance_reason="").expected_amount == 0

    def test_a_switch_thrown_later_changes_no_close(self, seeblick: Tenant) -> None:
        sell(seeblick, "30.00", source=Source.EXTERNAL_POS)
        close(seeblick)
        CashDeskSettings.objects.create(tenant=seeblick, external_cash_in_drawer=True)

        assert DailyClose.objects.get().drawer.expected == 0

    def test_may_be_owed_to(self, seeblick: Tenant) -> None:
        sell(seeblick, "-20.00")

        assert close(seeblick, counted="0.00").expected_amount == chf("-20.00")

    def test_that_moved_since_it_was_shown_is_shown_again(self, seeblick: Tenant) -> None:
        sell(seeblick, "12.50")
        shown = preview(tenant=seeblick, day=DAY, at=evening()).drawer.expected
        sell(seeblick, "5.50")

        with pytest.raises(FiguresMoved) as refused:
            close(seeblick, counted="12.50", expected_seen=shown)

        assert refused.value.expected == chf("18.00")
        assert close(seeblick, counted="18.00", expected_seen=chf("18.00")).variance == 0

    def test_does_not_mind_cards_that_came_in_since(self, seeblick: Tenant) -> None:
        shown = preview(tenant=seeblick, day=DAY, at=evening()).drawer.expected
        sell(seeblick, "40.00", method=PaymentMethod.CARD)

        assert close(seeblick, expected_seen=shown).sale_count == 1


class TestPreview:
    def test_is_what_the_close_will_say(self, seeblick: Tenant, waldrand: Tenant) -> None:
        close(seeblick, DAY - timedelta(days=1), counted="200.00", first_float=chf("200.00"))
        sell(seeblick, "12.50")
        sell(seeblick, "50.00", kind=LineKind.VOUCHER_SALE, rate=None)
        sell(waldrand)

        seen = preview(tenant=seeblick, day=DAY, at=evening())
        kept = close(seeblick, counted="262.50")

        assert (seen.totals, seen.net_lines, seen.drawer) == (kept.day_totals, kept.net_lines, kept.drawer)
        assert not seen.is_first

    def test_asks_for_the_first_float(self, seeblick: Tenant) -> None:
        assert preview(tenant=seeblick, day=DAY, at=evening()).is_first

    def test_writes_nothing(self, seeblick: Tenant) -> None:
        preview(tenant=seeblick, day=DAY, at=evening())

        assert not DailyClose.objects.exists()
        assert not CashDeskSettings.objects.exists()

    def test_is_refused_as_the_close_would_be(self, seeblick: Tenant) -> None:
        close(seeblick)
        sell(seeblick, day=tomorrow())

        for day, refusal in ((DAY, AlreadyClosed), (tomorrow(days=2), EarlierDayOpen), (tomorrow(days=9), DayToCome)):
            with pytest.raises(refusal):
                preview(tenant=seeblick, day=day, at=evening(tomorrow(days=2)))


class TestCountedCash:
    def test_adds_up(self) -> None:
        counted = CountedCash.of({chf("20.00"): 3, chf("0.05"): 7, chf("1000.00"): 1}, other=chf("50.00"))

        assert counted.amount == chf("1110.35")
        assert counted.pieces[0] == (chf("1000.00"), 1)

    def test_of_nothing_is_nothing(self) -> None:
        assert CountedCash().amount == 0
        assert cash("7.00").amount == 7
