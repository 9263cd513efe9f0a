"""A tip that goes back with a refund: out of the tips of day, close and journal, never out of revenue."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from journal.accounts import Chart
from journal.postings import post_takings
from journal.takings import takings_of
from kasse.closing_models import CashDeskSettings
from kasse.models import Source
from kasse.totals import day_totals
from tenants.models import Tenant
from tests.kasse.sales import DAY
from tests.kasse.selling import close, sell

OUTSIDE = Source.EXTERNAL_POS


def chf(text: str) -> Decimal:
    return Decimal(text)


class TestATipThatGoesBack:
    def test_leaves_the_revenue_of_the_day_alone(self, seeblick: Tenant) -> None:
        sell(seeblick, "54.00", source=OUTSIDE, tip="3.00")
        sell(seeblick, "-54.00", source=OUTSIDE, tip="-3.00")
        sell(seeblick, "54.00", source=OUTSIDE, tip="5.00")

        totals = day_totals(seeblick, DAY)

        assert (totals.total_amount, totals.tip_amount) == (chf("54.00"), chf("5.00"))
        assert sum(each.tip_amount for each in totals.payments) == chf("5.00")

    def test_of_another_day_stands_in_debit_and_the_journal_balances(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "-54.00", source=OUTSIDE, tip="-3.00")
        sell(waldrand, "54.00", source=OUTSIDE, tip="3.00")

        lines = {line.key: line for line in post_takings(takings_of(day_totals(seeblick, DAY), earlier={}), Chart({}))}

        assert (lines["tips"].debit, lines["tips"].credit) == (chf("3.00"), chf("0"))
        assert lines["tender.external_pos.cash"].credit == chf("57.00")
        assert sum(each.debit for each in lines.values()) == sum(each.credit for each in lines.values())

    def test_is_taken_out_of_the_drawer(self, seeblick: Tenant) -> None:
        CashDeskSettings.objects.create(tenant=seeblick, external_cash_in_drawer=True)
        sell(seeblick, "-10.00", source=OUTSIDE, tip="-3.00")

        kept = close(seeblick, counted="87.00", first_float=chf("100.00"), variance_reason="")

        assert (kept.external_cash, kept.expected_amount) == (chf("-13.00"), chf("87.00"))

    def test_from_a_sale_is_refused_by_the_ledger(self, seeblick: Tenant) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            sell(seeblick, "10.00", source=OUTSIDE, tip="-3.00")
