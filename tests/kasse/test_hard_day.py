"""One hard day, told by every page, file and answer that has figures of it: all of them say the same, to the Rappen."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from kasse.closing_models import DailyClose
from kasse.models import PaymentMethod, Source
from tenants.models import Role, Tenant
from tests.factories import member
from tests.kasse.sales import DAY
from tests.kasse.selling import close, sell
from tests.till import Body, Till, body_of

CENT = Decimal("0.01")


def line(amount: str, rate: str | None, category: str = "", kind: str = "SALE") -> Body:
    total = Decimal(amount)
    named = {"description": category or "Diverses", "category": category, "kind": kind}
    price = {"quantity": 1 if total > 0 else -1, "unit_price": str(abs(total)), "line_total": amount}
    return {**named, **price, **({"vat_rate": rate} if rate else {})}


def ticket(number: int, method: str, total: str, *items: Body, **more: Any) -> Body:
    return {
        "external_ref": f"kiosk-{number}",
        "payment_method": method,
        "total_amount": total,
        "items": list(items),
        "occurred_at": f"2026-04-29T08:{number:02}:00Z",
        **more,
    }


IN_TIME = (
    ticket(
        1,
        "MIXED",
        "25.00",
        line("12.30", "8.1", "Kiosk"),
        line("12.70", "2.6", "Backwaren"),
        payments=[{"method": "CASH", "amount": "10.00"}, {"method": "TWINT", "amount": "15.00", "tip_amount": "1.00"}],
        tip_amount="1.00",
    ),
    ticket(2, "CASH", "-3.50", line("-3.50", "2.6", "Backwaren")),
    ticket(3, "CARD", "50.00", line("50.00", None, "Gutschein", "VOUCHER_SALE")),
    ticket(4, "VOUCHER", "20.00", line("23.00", "8.1", "Shop"), line("-3.00", "8.1", "Shop", "DISCOUNT")),
    ticket(5, "TWINT", "4.00", line("4.00", None, "Kiosk")),
    ticket(6, "CASH", "13.00", line("12.98", "8.1", "Shop"), rounding_amount="0.02", tip_amount="0.50"),
    ticket(
        7,
        "CARD",
        "12.75",
        line("10.00", "8.1", "Kiosk"),
        line("5.00", "2.6", "Backwaren"),
        line("-1.50", "8.1", "Kiosk", "DISCOUNT"),
        line("-0.75", "2.6", "Backwaren", "DISCOUNT"),
    ),
)
LATE = (
    ticket(8, "CASH", "7.05", line("7.05", "8.1", "Kiosk")),
    ticket(9, "TWINT", "-1.03", line("-1.03", None, "Kiosk")),
    ticket(10, "CASH", "2.00", line("1.99", "2.6", "Backwaren"), rounding_amount="0.01"),
)
DESK = (("41.05", PaymentMethod.CASH, "8.1", "Shop"), ("-5.00", PaymentMethod.CARD, "3.8", "Übernachtung"))


class Truth:
    """What tickets come to, added up from what was sent and by nothing of the product."""

    def __init__(self, tickets: Iterable[Body], desk: Iterable[tuple[str, PaymentMethod, str, str]] = ()) -> None:
        every = [
            *tickets,
            *(ticket(0, method, amount, line(amount, rate, name)) for amount, method, rate, name in desk),
        ]
        self.count = len(every)
        self.total = sum(Decimal(each["total_amount"]) for each in every)
        self.refunds = sum(min(Decimal(each["total_amount"]), Decimal(0)) for each in every)
        self.tips = sum(Decimal(each.get("tip_amount", "0")) for each in every)
        self.rounding = sum(Decimal(each.get("rounding_amount", "0")) for each in every)
        self.vouchers = Decimal(0)
        self.methods: dict[str, Decimal] = defaultdict(Decimal)
        self.rates: dict[str | None, Decimal] = defaultdict(Decimal)
        for each in every:
            for paid in each.get("payments") or [{"method": each["payment_method"], "amount": each["total_amount"]}]:
                self.methods[str(paid["method"])] += Decimal(paid["amount"])
            for item in each["items"]:
                if item["kind"] == "VOUCHER_SALE":
                    self.vouchers += Decimal(item["line_total"])
                else:
                    self.rates[item.get("vat_rate")] += Decimal(item["line_total"])

    @property
    def vat(self) -> dict[str, Decimal]:
        """Once for each rate."""
        return {
            rate: (gross * Decimal(rate) / (100 + Decimal(rate))).quantize(CENT, ROUND_HALF_UP)
            for rate, gross in self.rates.items()
            if rate
        }


ON_TIME, TOO_LATE = Truth(IN_TIME, DESK), Truth(LATE)
ALL, OUTSIDE = Truth((*IN_TIME, *LATE), DESK), Truth((*IN_TIME, *LATE))


def sell_all(till: Till, tenant: Tenant) -> None:
    for body in IN_TIME:
        assert till.post(body).status_code == 201
    for amount, method, rate, category in DESK:
        sell(tenant, amount, method=method, rate=rate, category=category)


@pytest.fixture
def closed(till: Till, neighbours_till: Till, seeblick: Tenant, waldrand: Tenant) -> DailyClose:
    """The day of both campgrounds: Seeblick's is closed before the last tickets come, Waldrand's stays open."""
    for each, tenant in ((till, seeblick), (neighbours_till, waldrand)):
        sell_all(each, tenant)
    kept = close(seeblick, counted="241.05", first_float=Decimal(200), variance_reason="")
    for each in (till, neighbours_till):
        assert all(each.post(body).status_code == 201 for body in LATE)
    return kept


@pytest.fixture
def office(closed: DailyClose, seeblick: Tenant) -> Client:
    return signed_in(seeblick)


def signed_in(tenant: Tenant) -> Client:
    client = Client()
    client.force_login(member(tenant, Role.TENANT_ADMIN))
    return client


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def amount_in(text: str) -> Decimal:
    return Decimal(re.sub("['’]", "", text))


def cells_of(page: str, table: str) -> Iterator[tuple[str, list[str]]]:
    """The attributes and the texts of each row of a table."""
    found = re.search(rf'<table[^>]* id="{table}".*?</table>', page, re.DOTALL)
    assert found, table
    for attributes, row in re.findall(r"<tr([^>]*)>(.*?)</tr>", found[0], re.DOTALL):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        yield attributes, [" ".join(unescape(re.sub(r"<[^>]+>", "", cell)).split()) for cell in cells]


def by_attribute(page: str, table: str, name: str) -> dict[str, list[str]]:
    rows = ((re.search(rf'{name}="([^"]*)"', attributes), cells) for attributes, cells in cells_of(page, table))
    return {found[1]: cells for found, cells in rows if found}


class TestAHardDay:
    def test_is_what_was_sent_on_the_page_of_its_totals(self, office: Client) -> None:
        page = page_of(office, f"/kasse/tagestotale?day={DAY}")

        makeup = by_attribute(page, "makeup", "id")
        assert {name: amount_in(cells[-1]) for name, cells in makeup.items() if name.startswith("row-")} == {
            "row-sales": ALL.total - ALL.refunds,
            "row-refunds": ALL.refunds,
            "row-revenue": sum(ALL.rates.values()),
            "row-vouchers": ALL.vouchers,
            "row-rounding": ALL.rounding,
        }
        methods = by_attribute(page, "methods", "data-method")
        assert {method: amount_in(cells[2]) for method, cells in methods.items()} == ALL.methods
        assert amount_in(page.split('id="tips">')[1].split("<")[0]) == ALL.tips
        rates = by_attribute(page, "rates", "data-rate")
        shown = {None if rate == "unknown" else str(Decimal(rate).normalize()): cells for rate, cells in rates.items()}
        assert {rate: amount_in(cells[1]) for rate, cells in shown.items()} == ALL.rates
        assert shown[None][3] == "?"
        # A close that is signed gives no Rappen back: what came late is rounded by itself.
        assert {rate: amount_in(cells[3]) for rate, cells in shown.items() if rate} == {
            rate: ON_TIME.vat[rate] + TOO_LATE.vat.get(rate, 0) for rate in ON_TIME.vat
        }

    def test_is_what_was_sent_in_the_sums_of_the_list(self, office: Client) -> None:
        page = page_of(office, f"/kasse/transaktionen/summen?date_from={DAY}&date_to={DAY}")

        sums = dict(re.findall(r'data-sum="(\w+)" data-amount="([-0-9.]+)"', page))
        assert {name: Decimal(amount) for name, amount in sums.items()} == {
            "total": ALL.total,
            "sales": ALL.total - ALL.refunds,
            "refunds": ALL.refunds,
            "tips": ALL.tips,
        }
        paid = re.findall(r'data-method="(\w+)" data-count="\d+" data-amount="([-0-9.]+)"', page)
        assert {method: Decimal(amount) for method, amount in paid} == ALL.methods

    def test_is_what_was_sent_in_its_file(self, office: Client) -> None:
        answer = office.get(f"/kasse/transaktionen.csv?date_from={DAY}&date_to={DAY}")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        rows = list(csv.reader(io.StringIO(text), delimiter=";"))[1:]

        def summed(column: int) -> Decimal:
            return sum((Decimal(row[column].replace(",", ".")) for row in rows), Decimal(0))

        assert len(rows) == ALL.count
        assert (summed(12), summed(13), summed(14)) == (ALL.total, ALL.rounding, ALL.tips)

    def test_is_what_was_sent_when_the_till_asks(self, closed: DailyClose, till: Till) -> None:
        told = body_of(till.get(f"/transactions/summary/?business_date={DAY}"))
        listed = body_of(till.get(f"/transactions/?business_date={DAY}"))["results"]

        assert (told["count"], Decimal(told["total_amount"])) == (OUTSIDE.count, OUTSIDE.total)
        assert (Decimal(told["rounding_amount"]), Decimal(told["tip_amount"])) == (OUTSIDE.rounding, OUTSIDE.tips)
        assert {each["method"]: Decimal(each["amount"]) for each in told["payments"]} == OUTSIDE.methods
        assert sum(Decimal(each["total_amount"]) for each in listed) == OUTSIDE.total
        by_rate = {each["vat_rate"]: Decimal(each["amount"]) for each in told["vat_rates"]}
        assert by_rate.pop(None) == OUTSIDE.rates[None] + OUTSIDE.vouchers
        assert {str(Decimal(rate).normalize()): amount for rate, amount in by_rate.items()} == {
            rate: gross for rate, gross in OUTSIDE.rates.items() if rate
        }

    def test_is_closed_with_what_was_there_and_says_so_on_page_and_paper(
        self, closed: DailyClose, office: Client
    ) -> None:
        page = page_of(office, f"/kasse/abschluss/{DAY}")
        paper = PdfReader(io.BytesIO(office.get(f"/kasse/abschluss/{DAY}.pdf").content))
        written = re.sub(r"\s+", "", "".join(each.extract_text() for each in paper.pages))

        total = [cells[1] for _, cells in cells_of(page, "total") if len(cells) == 2][1:]
        expected = (sum(ON_TIME.rates.values()), ON_TIME.vouchers, ON_TIME.rounding, ON_TIME.total, ON_TIME.tips)
        assert tuple(map(amount_in, total)) == expected
        vat = [cells for _, cells in cells_of(page, "vat")]
        taxed = {str(Decimal(rate[:-1]).normalize()): amount_in(amount) for rate, _, amount, _ in vat[1:-2]}
        assert taxed == ON_TIME.vat
        assert vat[-2][1:] == ["4.00", "?", "4.00"]
        assert [each.paid.amount for each in closed.day_totals.payments if each.method == "VOUCHER"] == [20]
        report = page.split('id="z-report"')[1].split("</section>")[0]
        for table in re.findall(r'<table id="(\w+)"', report):
            for _, cells in cells_of(page, table):
                assert "".join(cells).replace(" ", "") in written

    def test_was_in_the_drawer_as_the_front_desk_took_it(self, closed: DailyClose) -> None:
        assert (closed.drawer.cash, closed.expected_amount) == (Decimal("41.05"), Decimal("241.05"))
        assert closed.variance == 0
        # 10.00 of the mixed ticket, 3.50 given back, 13.00 and a tip of 0.50.
        assert closed.external_cash == Decimal("20.00")

    def test_is_its_close_and_what_came_late(self, office: Client, closed: DailyClose) -> None:
        page = page_of(office, f"/kasse/abschluss/{DAY}")
        (row,) = [
            cells
            for attributes, cells in cells_of(page_of(office, "/kasse/abschluss"), "closes")
            if str(DAY) in attributes
        ]
        week = by_attribute(page_of(office, "/kasse/abschluss/woche/2026-W18"), "days", "data-day")[str(DAY)]

        late = [cells[1] for _, cells in cells_of(page, "late-total") if len(cells) == 2][1:]
        assert amount_in(late[3]) == TOO_LATE.total
        assert (amount_in(row[3]), row[6]) == (ON_TIME.total, f"{TOO_LATE.count} · {TOO_LATE.total}")
        assert (amount_in(week[2]), amount_in(week[3])) == (ON_TIME.total, TOO_LATE.total)
        assert closed.day_totals.total_amount + TOO_LATE.total == ALL.total
        assert sum(line.gross for line in closed.net_lines) + closed.day_totals.rounding_amount == ON_TIME.total

    def test_is_the_neighbours_own_too(self, closed: DailyClose, neighbours_till: Till, waldrand: Tenant) -> None:
        page = page_of(signed_in(waldrand), f"/kasse/tagestotale?day={DAY}")
        told = body_of(neighbours_till.get(f"/transactions/summary/?business_date={DAY}"))

        assert amount_in(by_attribute(page, "makeup", "id")["row-sales"][-1]) == ALL.total - ALL.refunds
        rates = by_attribute(page, "rates", "data-rate")
        assert {
            str(Decimal(rate).normalize()): amount_in(cells[3]) for rate, cells in rates.items() if rate != "unknown"
        } == ALL.vat
        assert (told["count"], Decimal(told["total_amount"])) == (OUTSIDE.count, OUTSIDE.total)
        assert not DailyClose.objects.of(waldrand).exists()
        assert {each.source for each in closed.day_totals.tills} == set(Source)
