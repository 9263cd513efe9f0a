"""Closing while others close, and while tills go on selling."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import Client

from kasse.closing import AlreadyClosed, NotClosed
from kasse.closing_models import ClosedSale, DailyClose
from kasse.late import late_sales
from kasse.models import PaymentMethod, Source, Transaction
from kasse.totals import day_totals
from tenants.models import Role, Tenant
from tests.factories import member
from tests.kasse.sales import DAY
from tests.kasse.selling import close, sell
from tests.races.racing import race, with_own_connection

pytestmark = pytest.mark.django_db(transaction=True)

CLOSERS = 8


def try_to_close(tenant: Tenant, days: int = 0) -> DailyClose | NotClosed:
    """The close, or why it was refused."""
    day = DAY + timedelta(days=days)
    try:
        return close(tenant, day)
    except NotClosed as refusal:
        return refusal


def sell_until(stop: threading.Event, tenant: Tenant) -> list[UUID]:
    """Sell as fast as it goes, until somebody says stop."""
    sold = []
    while not stop.is_set():
        sold.append(sell(tenant, "1.05", source=Source.EXTERNAL_POS, method=PaymentMethod.TWINT))
    return sold


class TestClosersOfOneDay:
    def test_close_it_once(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick)

        outcomes = race([partial(try_to_close, seeblick)] * CLOSERS)

        assert Counter(map(type, outcomes)) == {DailyClose: 1, AlreadyClosed: CLOSERS - 1}
        assert DailyClose.objects.get().z_number == 1
        assert ClosedSale.objects.count() == 1

    def test_do_not_meet_those_of_a_neighbour(self, seeblick: Tenant, waldrand: Tenant) -> None:
        outcomes = race([partial(try_to_close, tenant) for tenant in (seeblick, waldrand) for _ in range(4)])

        assert Counter(map(type, outcomes)) == {DailyClose: 2, AlreadyClosed: 6}
        assert sorted(DailyClose.objects.values_list("tenant", "z_number")) == sorted(
            (tenant.pk, 1) for tenant in (seeblick, waldrand)
        )


class TestACloserWhoWaitsInVain:
    @pytest.mark.postgresql
    def test_is_told_so_and_finds_what_was_typed_in(self, seeblick: Tenant, waldrand: Tenant) -> None:
        """On a server nobody waits for a lock for longer than two seconds."""
        sell(seeblick, "12.50")
        desk = Client()
        desk.force_login(member(seeblick, Role.TENANT_ADMIN))
        counted = {"first_float": "0", "taken_seen": "12.50", "other": "12.50", "final": "on"}

        def press() -> Any:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
            return desk.post(f"/kasse/abschluss/{DAY}", counted)

        with transaction.atomic():
            close(seeblick, counted="12.50")
            (shown,) = race([press])

        assert shown.status_code == 200
        assert shown.context["form"].non_field_errors()
        assert shown.context["form"]["other"].value() == "12.50"
        assert DailyClose.objects.get().z_number == 1


class TestClosersOfManyDays:
    def test_number_them_without_a_gap(self, seeblick: Tenant) -> None:
        """Some come too late for their day; none takes a number and leaves it."""
        outcomes = race([partial(try_to_close, seeblick, days) for days in range(CLOSERS)])

        closes = list(DailyClose.objects.of(seeblick).order_by("z_number"))
        assert len(closes) == sum(isinstance(each, DailyClose) for each in outcomes)
        assert [each.z_number for each in closes] == list(range(1, len(closes) + 1))
        assert closes == sorted(closes, key=lambda each: each.business_date)


class TestTillsThatSellMeanwhile:
    def test_find_every_sale_in_the_close_or_late(self, seeblick: Tenant) -> None:
        stop = threading.Event()
        with ThreadPoolExecutor(4) as tills:
            selling = [tills.submit(with_own_connection, partial(sell_until, stop, seeblick)) for _ in range(3)]
            try:
                wait_until(lambda: Transaction.objects.count() >= 15)
                closed = close(seeblick)
                at_close = Transaction.objects.count()
                wait_until(lambda: Transaction.objects.count() >= at_close + 15)
            finally:
                stop.set()
            sold = {sale for each in selling for sale in each.result()}

        members = set(ClosedSale.objects.filter(close=closed).values_list("transaction", flat=True))
        late = set(late_sales(seeblick, DAY).values_list("pk", flat=True))
        assert members | late == sold
        assert not members & late
        assert len(members) >= 15
        assert len(late) >= 15
        assert closed.sale_count == len(members)
        assert closed.day_totals.total_amount == Decimal("1.05") * len(members)
        assert closed.day_totals == day_totals(seeblick, DAY, only=list(members))
        assert DailyClose.objects.get().day_totals == closed.day_totals

    @pytest.mark.postgresql
    def test_do_not_wait_for_the_close(self, seeblick: Tenant) -> None:
        """Its lock is none that a sale asks for: with one held, a sale goes by."""
        with transaction.atomic():
            close(seeblick)
            (sold,) = race([partial(sell, seeblick)])
            assert Transaction.objects.filter(pk=sold).exists()

        assert [sale.pk for sale in late_sales(seeblick, DAY)] == [sold]

    @pytest.mark.postgresql
    def test_that_have_not_committed_yet_are_late(self, seeblick: Tenant) -> None:
        with transaction.atomic():
            sold = sell(seeblick)
            (closed,) = race([partial(close, seeblick)])

        assert closed.sale_count == 0
        assert [sale.pk for sale in late_sales(seeblick, DAY)] == [sold]


def wait_until(happened: Callable[[], bool]) -> None:
    """Until it has, or the test's own patience ends."""
    pause = threading.Event()
    while not happened():
        connection.close_if_unusable_or_obsolete()
        pause.wait(0.01)
