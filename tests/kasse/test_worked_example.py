"""The day in "Money" is what comes out of its tickets, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils.translation import override

from kasse.cash import CountedCash
from kasse.closing import close_day
from kasse.models import LineKind, PaymentMethod, Source
from kasse.recording import record_transaction
from kasse.sales import NewItem, NewPayment, NewSale
from kasse.zreport import ZReport, z_report
from tenants.models import Tenant
from tests.house.documents import ROOT, section_of
from tests.kasse.sales import DAY
from tests.kasse.selling import evening

SECTION = section_of((ROOT / "docs" / "explanation" / "money.md").read_text(encoding="utf-8"), "A day, to the Rappen")
LINE = re.compile(r"(?:(?P<voucher>voucher)|(?P<category>\w+)) (?P<amount>-?[0-9.]+)(?: at (?P<rate>[0-9.]+|\?))?")
# What the page writes in its own words.
WORDS = {
    "unknown": "Rate unknown",
    "total": "Total",
    "revenue, VAT included": "Revenue, VAT included",
    "vouchers sold": "Vouchers sold",
    "cash rounding": "Cash rounding",
    "to pay": "To pay",
    "tips": "Tips, outside of it",
    "opening float": "Opening float",
    "cash of the front desk": "Cash of the front desk",
    "tips in cash": "Tips in cash",
    "expected": "Expected",
    "counted": "Counted",
    "variance": "Variance",
    "taken out": "Taken out",
    "left as float": "Left as float",
    "cash of outside tills": "Cash and cash tips taken",
}


def table(first: str) -> list[list[str]]:
    """The rows of the page's table whose first heading this is."""
    (found,) = re.findall(rf"^\| {re.escape(first)} \|.*?\n\|[-|]+\|\n((?:\|.*\n)+)", SECTION, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found.strip().splitlines()]


def items_of(text: str) -> Iterator[NewItem]:
    for part in text.split("; "):
        read = LINE.fullmatch(part)
        assert read, part
        amount = Decimal(read["amount"])
        yield NewItem(
            description=read["category"] or "Gutschein",
            quantity=Decimal(1 if amount > 0 else -1),
            unit_price=abs(amount),
            line_total=amount,
            vat_rate=None if read["rate"] in {None, "?"} else Decimal(read["rate"]),
            category=read["category"] or "",
            kind=LineKind.VOUCHER_SALE if read["voucher"] else LineKind.SALE,
        )


@pytest.fixture
def report(seeblick: Tenant, waldrand: Tenant) -> ZReport:
    """The Z-report of the tickets."""
    for number, source, paid, lines, rounding, tip, to_pay in table("ticket"):
        kiosk, method = source == "kiosk", PaymentMethod(paid)
        sale = NewSale(
            external_ref=f"kiosk-{number}" if kiosk else None,
            payment_method=method,
            currency="CHF",
            total_amount=Decimal(to_pay),
            rounding_amount=Decimal(rounding),
            tip_amount=Decimal(tip),
            items=tuple(items_of(lines)),
            payments=(NewPayment(method=method, amount=Decimal(to_pay), tip_amount=Decimal(tip)),),
            occurred_at=datetime(2026, 4, 29, 8, int(number), tzinfo=UTC),
        )
        assert sum(item.line_total for item in sale.items) + sale.rounding_amount == sale.total_amount
        origin = Source.EXTERNAL_POS if kiosk else Source.FRONT_DESK
        record_transaction(tenant=seeblick, sale=sale, source=origin, received_at=sale.occurred_at)
    counted = CountedCash.of({Decimal(value): count for value, count in ((100, 2), (20, 2), (10, 1), (2, 2))})
    close = close_day(
        tenant=seeblick,
        day=DAY,
        by=None,
        at=evening(),
        counted=counted,
        first_float=Decimal("200.00"),
        variance_reason="Fünfer fehlt",
    )
    with override("en"):
        return z_report(close)


def rows_of(report: ZReport, *names: str) -> list[list[str]]:
    tables = [table for table in report.tables if table.name in names]
    return [list(row) for table in tables for row in (*table.rows, table.foot) if row]


class TestTheDayOnThePage:
    @pytest.mark.parametrize(
        ("heading", "names"),
        [("rate", ["vat"]), ("category", ["revenue"]), ("the day", ["total"]), ("drawer", ["drawer", "external"])],
    )
    def test_is_what_the_z_report_says(self, report: ZReport, heading: str, names: list[str]) -> None:
        shown = [[WORDS.get(row[0], row[0]), *row[1:]] for row in table(heading)]

        assert shown == rows_of(report, *names)

    def test_says_in_words_what_its_tables_say(self) -> None:
        for sentence, rate, vat in (("5.65; times 2.6", "2.6%", "0.14"), ("57.38, holding 4.2995", "8.1%", "4.30")):
            assert sentence in " ".join(SECTION.split())
            assert {row[0]: row[2] for row in table("rate")}[rate] == vat
