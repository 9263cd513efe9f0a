from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from kasse.models import LineKind, PaymentMethod, Source, Status, Transaction
from kasse.totals import Counted
from tenants.models import Role, Tenant
from tests.factories import mint
from tests.kasse.listed import LIST, MOST_QUERIES, OF_DAY, at_work, mixed, record, refund, shown
from tests.kasse.rewriting import rewrite
from tests.kasse.sales import MORNING, coffee, croissant, paid
from tests.kasse.selling import close

MARKUP = '<img src=x onerror="alert(1)">'


@pytest.fixture
def desk(seeblick: Tenant, waldrand: Tenant) -> Client:
    """Staff of Seeblick."""
    return at_work(seeblick)


def page_of(desk: Client, sale: Transaction) -> str:
    return shown(desk.get(f"{LIST}/{sale.pk}"))


def part(page: str, name: str) -> str:
    """What stands in the element with this id, roughly: up to its end or the end of the section."""
    return page.split(f'id="{name}"')[1].split("</section>", maxsplit=1)[0]


class TestASalesPage:
    @pytest.mark.parametrize("role", Role)
    def test_opens_for_everybody_who_works_there(self, seeblick: Tenant, role: Role) -> None:
        sale = record(seeblick)
        desk = at_work(seeblick, role)

        assert sale.pk.hex[-8:] in page_of(desk, sale)
        assert desk.get(f"{LIST}/{sale.pk}/").status_code == 200
        assert "no-store" in desk.get(f"{LIST}/{sale.pk}")["Cache-Control"]

    def test_does_not_exist_for_a_neighbour(self, seeblick: Tenant, waldrand: Tenant, client: Client) -> None:
        sale = record(seeblick)

        assert at_work(waldrand).get(f"{LIST}/{sale.pk}").status_code == 404
        assert client.get(f"{LIST}/{sale.pk}").status_code == 302

    @pytest.mark.parametrize("pk", ["00000000-0000-7000-8000-000000000000", "1", "x" * 36, "%00"])
    def test_does_not_exist_for_made_up_ids(self, desk: Client, pk: str) -> None:
        assert desk.get(f"{LIST}/{pk}").status_code == 404

    def test_offers_nothing_to_change(self, desk: Client, seeblick: Tenant) -> None:
        sale = record(seeblick)

        content = page_of(desk, sale).split('<main id="content"')[1].split("</main>")[0]

        assert not any(tag in content for tag in ("<form", "<input", "<select", "<textarea"))
        for method in ("post", "put", "patch", "delete"):
            assert getattr(desk, method)(f"{LIST}/{sale.pk}").status_code == 405

    def test_shows_stored_markup_as_text(self, desk: Client, seeblick: Tenant) -> None:
        sale = record(
            seeblick,
            key=mint(seeblick, name=MARKUP).key,
            external_ref=MARKUP,
            refund_of=MARKUP + "2",
            metadata={MARKUP: [MARKUP, {"a": MARKUP}]},
            items=(croissant(description=MARKUP, sku=MARKUP, category=MARKUP), coffee()),
            remarks="<b>",
        )

        page = page_of(desk, sale)

        assert "<img" not in page
        assert "<b>" not in page
        assert page.count("&lt;img") >= 8

    def test_costs_as_many_queries_whatever_was_sold(
        self, desk: Client, seeblick: Tenant, django_assert_max_num_queries: Any
    ) -> None:
        key = mint(seeblick).key
        lines = tuple(coffee(line_total=Decimal(each)) for each in range(1, 300))
        total = sum(line.line_total for line in lines)
        sale = record(seeblick, key=key, external_ref="T", items=lines, total_amount=total, refund_of="T-0")
        for _ in range(5):
            refund(seeblick, refund_of="T", key=key)
        with django_assert_max_num_queries(MOST_QUERIES):
            page_of(desk, sale)


def test_a_clock_at_the_end_of_the_calendar_is_shown_as_it_is(desk: Client, seeblick: Tenant) -> None:
    sent_at = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)

    assert "31.12.9999 23:59:59" in page_of(desk, record(seeblick, sent_at=sent_at))


def test_the_sum_of_refunds_is_of_all_of_them(desk: Client, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kasse.detail.MOST_CHAINED", 2)
    sale = record(seeblick, external_ref="T")
    for _ in range(3):
        refund(seeblick, "-1.00", refund_of="T")

    detail = desk.get(f"{LIST}/{sale.pk}").context["detail"]

    assert (len(detail.refunds), detail.refunded) == (2, Counted(3, Decimal("-3.00")))


def test_vat_of_an_unknown_rate_is_not_called_nothing(desk: Client, seeblick: Tenant) -> None:
    page = page_of(desk, record(seeblick, items=(coffee(vat_rate=None), croissant(vat_rate=None))))

    (table,) = re.findall(r'<table id="vat">.*?</table>', page, re.DOTALL)
    assert re.findall(r'<td class="sum">([^<]*)</td>', table) == ["?", "?", "12.50"]


class TestMoney:
    def test_stands_line_by_line_and_by_rate(self, desk: Client, seeblick: Tenant) -> None:
        gas = {"sku": "GAS-5", "vat_rate": Decimal("8.1"), "category": "Shop", "unit_price": Decimal("0.0875")}
        lines = (
            croissant(vat_rate=Decimal("2.6"), quantity=Decimal("0.375")),
            coffee(description="Gasflasche 5 kg", line_total=Decimal("28.90"), **gas),
            coffee(description="Rabatt", kind=LineKind.DISCOUNT, line_total=Decimal("-1.00"), vat_rate=Decimal("8.1")),
            coffee(description="Gutschein", kind=LineKind.VOUCHER_SALE, line_total=Decimal("50.00")),
            coffee(description="Kurtaxe", line_total=Decimal("0.03")),
        )
        sale = record(
            seeblick,
            items=lines,
            rounding_amount=Decimal("0.02"),
            total_amount=Decimal("84.95"),
            payments=(paid("84.95", tip="3.00"),),
            tip_amount=Decimal("3.00"),
        )

        page = page_of(desk, sale)

        shown_lines = part(page, "lines")
        for text in ("GAS-5", "0.375", "0.0875", "8.1%", "28.90", "-1.00", "0.02", "84.95"):
            assert text in shown_lines, text
        vat = part(page, "vat")
        for rate, net, tax, gross in (("2.6%", "6.82", "0.18", "7.00"), ("8.1%", "25.81", "2.09", "27.90")):
            row = vat.split(f'<th scope="row">{rate}</th>')[1].split("</tr>")[0]
            assert [cell.split("</td>")[0] for cell in row.split('<td class="sum">')[1:]] == [net, tax, gross]
        assert "50.00" in vat
        assert "3.00" in part(page, "payments")

    def test_of_a_mixed_sale_stands_payment_by_payment(self, desk: Client, seeblick: Tenant) -> None:
        payments = part(page_of(desk, mixed(seeblick, in_cash="2.50", by_card="10.00")), "payments")

        assert "2.50" in payments
        assert "10.00" in payments
        assert "12.50" in payments


class TestTheChainOfRefunds:
    def test_links_both_ways(self, desk: Client, seeblick: Tenant) -> None:
        sale = record(seeblick, external_ref="T-1")
        first = refund(seeblick, "-3.50", external_ref="R-1", refund_of="T-1")
        second = refund(seeblick, "-5.50", external_ref="R-2", refund_of="T-1", occurred_at=MORNING + timedelta(days=9))
        again = refund(seeblick, "-1.00", external_ref="R-3", refund_of="R-1")

        of_sale, of_first = page_of(desk, sale), page_of(desk, first)

        assert all(f'href="{LIST}/{each.pk}"' in part(of_sale, "refunds") for each in (first, second))
        assert "-9.00" in part(of_sale, "chain")
        assert f'id="original" href="{LIST}/{sale.pk}"' in of_first
        assert f'href="{LIST}/{again.pk}"' in part(of_first, "refunds")

    def test_may_point_nowhere(self, desk: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        record(waldrand, external_ref="T-1")

        page = page_of(desk, refund(seeblick, refund_of="T-1"))

        assert 'id="original-missing"' in page
        assert 'id="original"' not in page

    def test_does_not_reach_the_neighbour(self, desk: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        sale = record(seeblick, external_ref="T-1")
        refund(waldrand, refund_of="T-1")

        assert 'id="chain"' not in page_of(desk, sale)

    def test_does_not_tie_sales_together_that_name_none(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)
        counter = record(seeblick, source=Source.FRONT_DESK)
        record(seeblick, source=Source.FRONT_DESK)

        assert 'id="chain"' not in page_of(desk, counter)

    def test_of_a_refund_that_names_itself_is_no_loop(self, desk: Client, seeblick: Tenant) -> None:
        page = page_of(desk, refund(seeblick, external_ref="R-1", refund_of="R-1"))

        assert 'id="original-missing"' in page
        assert 'id="refunds"' not in page


class TestTimesAndOrigin:
    def test_stand_as_each_clock_had_them(self, desk: Client, seeblick: Tenant) -> None:
        sale = record(
            seeblick,
            key=mint(seeblick, name="Laden").key,
            sent_at=MORNING + timedelta(minutes=10),
            received_at=MORNING + timedelta(minutes=12, seconds=5),
            metadata={"Kassierin": "Annina", "Tisch": 4},
        )

        page = page_of(desk, sale)

        for moment in ("29.04.2026 10:14:32", "29.04.2026 10:24:32", "29.04.2026 10:26:37", "0:12:05"):
            assert moment in part(page, "times")
        assert "0:02:05" in part(page, "drift").split("</dd>")[0]
        for text in (
            "Laden",
            sale.api_key.prefix if sale.api_key else "",
            str(sale.pk),
            "Kassierin",
            "Annina",
            "Tisch",
        ):
            assert text in part(page, "origin")

    def test_name_device_and_receipt_if_the_till_did(self, desk: Client, seeblick: Tenant) -> None:
        page = page_of(desk, record(seeblick, till_id="<Kiosk> 2", receipt_seq=12_345))

        assert "&lt;Kiosk&gt; 2" in part(page, "device")
        assert "12345" in part(page, "receipt")
        page = page_of(desk, record(seeblick))
        assert 'id="device"' not in page
        assert 'id="receipt"' not in page

    def test_say_nothing_of_a_clock_that_was_not_told(self, desk: Client, seeblick: Tenant) -> None:
        assert 'id="drift"' not in page_of(desk, record(seeblick))

    def test_say_what_was_remarked(self, desk: Client, seeblick: Tenant) -> None:
        close(seeblick, counted="0.00")
        sale = record(seeblick, remarks="rounding_booked a_code_of_tomorrow")
        rewrite(sale.pk, payment_method=PaymentMethod.CASH)

        page = page_of(desk, sale)

        assert 'data-mark="late"' in page
        assert "a_code_of_tomorrow" in page
        rewrite(sale.pk, status=Status.PENDING)
        assert 'data-mark="status"' in page_of(desk, sale)

    def test_lead_to_the_day(self, desk: Client, seeblick: Tenant) -> None:
        assert f'href="{LIST}?{OF_DAY.replace("&", "&amp;")}"' in page_of(desk, record(seeblick))
