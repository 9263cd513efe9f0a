from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from kasse.models import Payment, PaymentMethod, Source, Status, Transaction
from tenants.models import Tenant
from tests.factories import mint
from tests.kasse.listed import (
    ALWAYS,
    LIST,
    MOST_QUERIES,
    OF_DAY,
    at_work,
    chips,
    link,
    listed,
    mixed,
    record,
    refund,
    shown,
    sum_of,
)
from tests.kasse.rewriting import rewrite
from tests.kasse.sales import MORNING, coffee, paid

LIVE = {"HX-Request": "true"}


@pytest.fixture
def desk(seeblick: Tenant, waldrand: Tenant) -> Client:
    """Staff of Seeblick; the neighbour has taken in more."""
    mixed(waldrand, in_cash="700.00", by_card="300.00")
    return at_work(seeblick)


def all_listed(desk: Client, query: str) -> list[Transaction]:
    """The sales of all pages, as the ledger holds them."""
    found, address = [], f"{LIST}?{query}"
    while address:
        page = shown(desk.get(address))
        found += listed(page)
        address = link(page, "older") or ""
    return list(Transaction.objects.filter(pk__in=found))


def season(tenant: Tenant, number: int) -> None:
    """Sales of every kind, drawn with a fixed seed."""
    draw = random.Random(7)
    keys = [mint(tenant, name=name).key for name in ("Laden", "Kiosk")]
    for _ in range(number):
        at = MORNING + timedelta(hours=draw.randint(-30, 30))
        amount = str(Decimal(draw.randint(1, 9999)).scaleb(-2))
        method = draw.choice([PaymentMethod.CASH, PaymentMethod.CARD, PaymentMethod.TWINT])
        common: dict[str, Any] = {"key": draw.choice(keys), "occurred_at": at}
        if draw.random() < 0.2:
            mixed(tenant, in_cash=amount, by_card="10.05", **common)
        elif draw.random() < 0.2:
            refund(tenant, f"-{amount}", payments=(paid(f"-{amount}", method),), payment_method=method, **common)
        else:
            line = coffee(unit_price=Decimal(amount), line_total=Decimal(amount))
            record(
                tenant,
                items=(line,),
                total_amount=Decimal(amount),
                tip_amount=Decimal("1.10"),
                payments=(paid(amount, method, tip="1.10"),),
                payment_method=method,
                **common,
            )


class TestTheSums:
    @pytest.mark.parametrize(
        "query",
        [
            OF_DAY,
            "date_from=2026-04-26&date_to=2026-05-01",
            f"{OF_DAY}&method=CASH",
            f"{OF_DAY}&method=MIXED",
            f"{OF_DAY}&mark=refund",
            f"{OF_DAY}&source=FRONT_DESK",
            f"{OF_DAY}&q=Kaffee&method=CARD",
            f"{OF_DAY}&status=COMPLETED",
        ],
    )
    def test_are_those_of_all_rows_of_all_pages(self, desk: Client, seeblick: Tenant, query: str) -> None:
        season(seeblick, 120)

        rows = all_listed(desk, query)
        page = shown(desk.get(f"{LIST}?{query}"))

        back = [row for row in rows if row.total_amount < 0]
        assert len(rows) > 4 or "FRONT_DESK" in query
        assert sum_of(page, "total") == sum(row.total_amount for row in rows)
        assert sum_of(page, "refunds") == sum(row.total_amount for row in back)
        assert sum_of(page, "sales") == sum(row.total_amount for row in rows if row not in back)
        assert sum_of(page, "tips") == sum(row.tip_amount for row in rows)
        assert f'data-count="{len(rows)}"' in page.split('data-sum="total"')[1][:80]

    @pytest.mark.parametrize("query", [OF_DAY, f"{OF_DAY}&q=Kaffee", f"{ALWAYS}&source=EXTERNAL_POS"])
    def test_are_parted_by_payments_without_the_filter_by_method(
        self, desk: Client, seeblick: Tenant, query: str
    ) -> None:
        season(seeblick, 80)
        sales: dict[str, set[object]] = defaultdict(set)
        amounts: dict[str, Decimal] = defaultdict(Decimal)
        for payment in Payment.objects.filter(transaction__in=all_listed(desk, query)):
            sales[payment.method].add(payment.transaction_id)
            amounts[payment.method] += payment.amount

        for method in ("", "CASH", "MIXED", "BANK"):
            page = shown(desk.get(f"{LIST}/summen?{query}&method={method}", headers=LIVE))
            found = chips(page)
            assert found.pop("BANK", (0, Decimal(0))) == (0, Decimal(0))
            assert found == {each: (len(sales[each]), amounts[each]) for each in sales}
            if not method:
                assert sum(amount for _, amount in found.values()) == sum_of(page, "total")

    def test_say_how_much_of_mixed_sales_was_paid_by_the_chosen_method(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)
        mixed(seeblick, in_cash="2.50", by_card="10.00")

        page = shown(desk.get(f"{LIST}?{OF_DAY}&method=CASH"))

        assert sum_of(page, "total") == Decimal("25.00")
        assert chips(page)["CASH"] == (2, Decimal("15.00"))
        assert "15.00" in page.split('data-sum="of-method"')[1][:120]

    def test_count_apart_what_is_not_complete(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)
        hung = record(seeblick)
        assert 'data-sum="incomplete"' not in shown(desk.get(f"{LIST}?{OF_DAY}"))
        rewrite(hung.pk, status=Status.FAILED)

        page = shown(desk.get(f"{LIST}?{OF_DAY}"))

        assert sum_of(page, "total") == Decimal("25.00")
        assert "12.50" in page.split('data-sum="incomplete"')[1][:120]

    def test_never_add_one_currency_to_another(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)
        record(seeblick, currency="EUR")

        page = shown(desk.get(f"{LIST}?{OF_DAY}"))

        for currency in ("CHF", "EUR"):
            assert f"{currency} 12.50" in page.split(f'data-currency="{currency}"')[1].split("</dl>")[0]
        assert page.count('data-method="CASH"') == 2

    def test_of_nothing_are_zero(self, desk: Client) -> None:
        page = shown(desk.get(f"{LIST}?{OF_DAY}&source=FRONT_DESK"))

        assert sum_of(page, "total") == 0
        assert chips(page) == {}
        assert 'id="none"' in page

    def test_stay_exact_where_a_float_would_not(self, desk: Client, seeblick: Tenant) -> None:
        for amount in ("99999999.99", "0.01", "99999999.98"):
            line = coffee(unit_price=Decimal(amount), line_total=Decimal(amount))
            record(seeblick, total_amount=Decimal(amount), items=(line,), payments=(paid(amount),))

        assert sum_of(shown(desk.get(f"{LIST}?{OF_DAY}")), "total") == Decimal("199999999.98")


class TestAChip:
    def test_sets_the_filter_and_pressed_again_clears_it(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)
        mixed(seeblick)
        page = shown(desk.get(f"{LIST}?{OF_DAY}&source=EXTERNAL_POS"))

        cash, card = self.address(page, "CASH"), self.address(page, "CARD")
        pressed = shown(desk.get(card))

        assert len(listed(pressed)) == 1
        assert len(listed(shown(desk.get(cash)))) == 2
        assert "source=EXTERNAL_POS" in card
        assert 'data-method="CARD"' in pressed.split('aria-current="true"')[-2]
        assert len(listed(shown(desk.get(self.address(pressed, "CARD"))))) == 2
        assert len(listed(shown(desk.get(self.address(pressed, "CASH"))))) == 2

    def test_of_the_chosen_method_stays_to_be_pressed_though_nothing_was_paid_so(
        self, desk: Client, seeblick: Tenant
    ) -> None:
        record(seeblick)

        page = shown(desk.get(f"{LIST}?{OF_DAY}&method=TWINT"))

        assert listed(page) == []
        assert chips(page)["TWINT"] == (0, Decimal(0))
        assert len(listed(shown(desk.get(self.address(page, "TWINT"))))) == 1

    def address(self, page: str, method: str) -> str:
        start = page.split(f'data-method="{method}"', maxsplit=1)[0].rsplit('href="', 1)[1]
        return start.split('"')[0].replace("&amp;", "&")


class TestSumsOfManyDays:
    def test_come_after_the_page(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)
        refund(seeblick, "-2.50")

        page = shown(desk.get(f"{LIST}?{ALWAYS}"))

        assert 'data-sum="total"' not in page
        assert 'hx-get="/kasse/transaktionen/summen?date_from=&amp;date_to="' in page
        part = shown(desk.get(f"{LIST}/summen?{ALWAYS}", headers=LIVE))
        assert sum_of(part, "total") == Decimal("10.00")
        assert "<html" not in part

    def test_are_a_page_of_their_own_for_who_has_no_script(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)

        page = shown(desk.get(f"{LIST}/summen?{ALWAYS}"))

        assert "<html" in page
        assert sum_of(page, "total") == Decimal("12.50")
        assert len(listed(page)) == 1

    def test_of_a_week_stand_on_the_page(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)

        page = shown(desk.get(f"{LIST}?date_from=2026-04-23&date_to=2026-04-29"))

        assert sum_of(page, "total") == Decimal("12.50")

    def test_keep_to_the_filters_and_to_the_campground(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick, source=Source.FRONT_DESK)
        record(seeblick)

        part = shown(desk.get(f"{LIST}/summen?{ALWAYS}&source=FRONT_DESK", headers=LIVE))

        assert sum_of(part, "total") == Decimal("12.50")
        assert desk.get(f"{LIST}/summen?{ALWAYS}&till=abc", headers=LIVE).status_code == 200

    def test_cost_few_queries(self, desk: Client, seeblick: Tenant, django_assert_max_num_queries: Any) -> None:
        for _ in range(5):
            mixed(seeblick)
        with django_assert_max_num_queries(MOST_QUERIES):
            shown(desk.get(f"{LIST}/summen?{ALWAYS}", headers=LIVE))
