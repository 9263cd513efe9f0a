"""The Z-report: every figure comes out of the stored close, and page and PDF say the same."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.utils.translation import override
from pypdf import PdfReader

from kasse.cash import CountedCash
from kasse.closing import close_day
from kasse.closing_models import DailyClose
from kasse.models import LineKind, PaymentMethod, Source
from kasse.zreport import Table, ZReport, z_report
from kasse.zreport_pdf import NOT_IN_THE_FONT, pdf_of
from tenants.models import Role, Tenant
from tests.factories import member
from tests.kasse.sales import DAY
from tests.kasse.selling import close, evening, sell

chf = Decimal


@pytest.fixture
def report(seeblick: Tenant, waldrand: Tenant) -> ZReport:
    """Of a day with a bit of everything."""
    sell(seeblick, "1081.00", tip="1.50")
    sell(seeblick, "-10.26", rate="2.6", category="Backwaren", method=PaymentMethod.CARD)
    sell(seeblick, "30.00", source=Source.EXTERNAL_POS, rate=None, category="Kiosk", tip="2.00")
    sell(seeblick, "50.00", method=PaymentMethod.TWINT, kind=LineKind.VOUCHER_SALE, rate="8.1", category="Gutschein")
    sell(seeblick, "5.00", rounding="-0.02", category="")
    sell(waldrand, "777.00")
    close_day(
        tenant=seeblick,
        day=DAY,
        by=member(seeblick, Role.TENANT_ADMIN, first_name="Anna", last_name="Keller"),
        at=evening(),
        counted=CountedCash.of({chf("200.00"): 6, chf("0.05"): 3}, other=chf("86.00")),
        first_float=chf("200.00"),
        float_left=chf("150.00"),
        variance_reason="Fünfliber\nverlegt",
    )
    return read(seeblick)


def read(tenant: Tenant) -> ZReport:
    """Out of the database, in English."""
    with override("en"):
        return z_report(DailyClose.objects.of(tenant).latest("z_number"))


def rows_of(report: ZReport, name: str) -> dict[str, tuple[str, ...]]:
    table = table_of(report, name)
    return {row[0]: row[1:] for row in (*table.rows, table.foot) if row}


def table_of(report: ZReport, name: str) -> Table:
    (found,) = [table for table in report.tables if table.name == name]
    return found


def pdf_text(report: ZReport) -> str:
    """What somebody reads in it, without line ends."""
    reader = PdfReader(io.BytesIO(pdf_of(report)))
    return squeezed(" ".join(page.extract_text() for page in reader.pages))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


class TestAZReport:
    def test_says_whose_it_is_and_of_when(self, report: ZReport) -> None:
        assert (report.title, report.campground) == ("Z-report no. 1", "Camping Seeblick")
        assert dict(report.facts) == {
            "Business day": "29.04.2026",
            "From": "29.04.2026 00:00:00",
            "Until before": "30.04.2026 00:00:00",
            "Closed at": "29.04.2026 21:30:00",
            "Closed by": "Anna Keller",
            "Currency": "CHF",
            "Sales and refunds": "5",
            "Reason for the variance": "Fünfliber\nverlegt",
        }

    def test_splits_revenue_by_category_without_vouchers(self, report: ZReport) -> None:
        assert rows_of(report, "revenue") == {
            "Without category": ("5.02", "0.38", "4.64"),
            "Backwaren": ("-10.26", "-0.26", "-10.00"),
            "Kiosk": ("30.00", "0.00", "30.00"),
            "Shop": ("1'081.00", "81.00", "1'000.00"),
            "Total": ("1'105.76", "81.12", "1'024.64"),
        }

    def test_takes_vat_out_once_for_each_rate_and_guesses_none(self, report: ZReport) -> None:
        assert rows_of(report, "vat") == {
            "2.6%": ("-10.26", "-0.26", "-10.00"),
            "8.1%": ("1'086.02", "81.38", "1'004.64"),
            "Rate unknown": ("30.00", "?", "30.00"),
            "Total": ("1'105.76", "81.12", "1'024.64"),
        }

    def test_leads_from_revenue_to_what_was_to_pay(self, report: ZReport) -> None:
        assert rows_of(report, "total") == {
            "Revenue, VAT included": ("1'105.76",),
            "Vouchers sold": ("50.00",),
            "Cash rounding": ("-0.02",),
            "To pay": ("1'155.74",),
            "Tips, outside of it": ("3.50",),
        }

    def test_tells_refunds_sources_and_methods_apart(self, report: ZReport) -> None:
        assert rows_of(report, "sales") == {
            "Sales": ("4", "1'166.00"),
            "Refunds": ("1", "-10.26"),
            "Total": ("5", "1'155.74"),
        }
        assert rows_of(report, "tills") == {
            "External POS": ("30.00", "0.00", "30.00", "2.00"),
            "Front desk": ("1'136.00", "-10.26", "1'125.74", "1.50"),
            "Total": ("1'166.00", "-10.26", "1'155.74", "3.50"),
        }
        assert rows_of(report, "methods") == {
            "Cash – External POS": ("1", "30.00", "2.00"),
            "Card – Front desk": ("1", "-10.26", "0.00"),
            "Cash – Front desk": ("2", "1'086.00", "1.50"),
            "TWINT – Front desk": ("1", "50.00", "0.00"),
            "Total": ("5", "1'155.74", "3.50"),
        }

    def test_counts_the_drawer(self, report: ZReport) -> None:
        assert rows_of(report, "drawer") == {
            "Opening float": ("200.00",),
            "Cash of the front desk": ("1'086.00",),
            "Tips in cash": ("1.50",),
            "Expected": ("1'287.50",),
            "Counted": ("1'286.15",),
            "Variance": ("-1.35",),
            "Taken out": ("1'136.15",),
            "Left as float": ("150.00",),
        }
        assert rows_of(report, "external") == {"Cash and cash tips taken": ("32.00",)}
        assert rows_of(report, "counted") == {
            "CHF 200.00": ("6", "1'200.00"),
            "CHF 0.05": ("3", "0.15"),
            "Counted as a sum": ("", "86.00"),
            "Counted": ("", "1'286.15"),
        }

    def test_of_an_empty_day_leaves_out_what_has_nothing_to_say(self, seeblick: Tenant) -> None:
        close(seeblick)

        report = read(seeblick)

        assert [table.name for table in report.tables] == ["total", "sales", "drawer", "external", "counted"]
        assert rows_of(report, "counted") == {"Counted as a sum": ("", "0.00"), "Counted": ("", "0.00")}
        assert dict(report.facts)["Closed by"] == "Command line"

    def test_stays_the_same_whatever_happens_around_it(self, report: ZReport, seeblick: Tenant) -> None:
        Tenant.objects.update(name="Camping Alpenblick", zone="Asia/Kathmandu", cutoff_hour=4, currency="EUR")
        sell(seeblick, "99.00")

        assert read(seeblick) == report


class TestThePDF:
    def test_says_what_the_page_says(self, report: ZReport, seeblick: Tenant) -> None:
        client = Client()
        client.force_login(member(seeblick))
        page = client.get(f"/kasse/abschluss/{DAY}", headers={"accept-language": "en"})
        shown = squeezed(unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))
        printed = pdf_text(report)

        for table in report.tables:
            for row in (table.columns, *table.rows, table.foot):
                text = squeezed("".join(row))
                assert text in shown, row
                assert text in printed, row
        for label, value in report.facts:
            assert squeezed(label + value) in shown
            assert squeezed(label + value) in printed

    def test_is_what_is_sent(self, report: ZReport, seeblick: Tenant) -> None:
        client = Client()
        client.force_login(member(seeblick))

        answer = client.get(f"/kasse/abschluss/{DAY}.pdf", headers={"accept-language": "en"})

        with override("en"):
            assert answer.content == pdf_of(report)
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["Content-Disposition"] == 'inline; filename="z-1-2026-04-29.pdf"'
        assert "no-store" in answer.headers["Cache-Control"]

    def test_is_the_same_file_every_time(self, report: ZReport) -> None:
        assert pdf_of(report) == pdf_of(report)

    def test_tells_the_operator_nothing(self, report: ZReport, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("INFO"):
            pdf_of(report)

        assert caplog.records == []

    def test_was_made_when_the_day_was_closed(self, report: ZReport) -> None:
        known = PdfReader(io.BytesIO(pdf_of(report))).metadata

        assert known is not None
        assert known.creation_date == evening()
        assert (known.title, known.author) == ("Z-report no. 1", "Camping Seeblick")

    def test_marks_letters_that_its_font_does_not_have(self, report: ZReport) -> None:
        odd = Table("odd", "Odd", ("", "Amount"), (("Жареное Ελλάδα Łódź 日本 🥐", "1.00"),))

        text = pdf_text(replace(report, tables=(odd,)))

        assert f"ЖареноеΕλλάδαŁódź{NOT_IN_THE_FONT * 3}1.00" in text

    def test_of_many_categories_takes_more_pages(self, report: ZReport) -> None:
        rows = tuple((f"Kategorie {number}", f"{number}.00") for number in range(200))
        long = replace(report, tables=(Table("long", "Long", ("Category", "Gross"), rows, ("Total", "1.00")),))

        reader = PdfReader(io.BytesIO(pdf_of(long)))

        assert len(reader.pages) > 4
        assert all("Category" in page.extract_text() for page in reader.pages)
        assert f"Camping Seeblick · Z-report no. 1 · 2/{len(reader.pages)}" in reader.pages[1].extract_text()

    def test_is_written_whatever_a_till_calls_its_categories(self, report: ZReport) -> None:
        names = ("\n" * 79 + "x", "\u202eliv\u202c מרחבא", "{nb}", "<b>**fett**</b>", "W" * 80, "😀\x01", "a\r\nb\tc")
        hostile = Table(
            "revenue", "Revenue", ("", "a", "b", "c"), tuple((name, "1.00", "2.00", "3.00") for name in names)
        )

        assert pdf_text(replace(report, tables=(hostile,))).count("1.002.003.00") == len(names)

    def test_breaks_the_lines_of_a_reason_where_it_was_broken(self, report: ZReport) -> None:
        text = pdf_text(replace(report, facts=(("Reason", "eins\r\nzwei\tdrei"),), tables=()))

        assert "einszweidrei" in text
        assert NOT_IN_THE_FONT not in text

    def test_of_a_campground_with_a_long_name_keeps_its_foot_on_the_page(self, report: ZReport) -> None:
        """A line that begins left of the page ends right of it: it is centred."""
        page = PdfReader(io.BytesIO(pdf_of(replace(report, campground="Camping am See " * 8, tables=())))).pages[0]
        begins: list[float] = []

        def note(text: str, _matrix: object, place: list[float], *_font: object) -> None:
            begins.extend([place[4]] if text.strip() else [])

        text = squeezed(page.extract_text(visitor_text=note))

        assert min(begins) >= 0
        assert text.endswith("…·Z-reportno.1·1/1")

    def test_wraps_what_is_too_long_for_a_line(self, report: ZReport) -> None:
        wide = Table("wide", "Wide", ("", "a", "b", "c", "d"), (("W" * 80, "1'234'567.00", "2.00", "3.00", "4.00"),))

        assert "1'234'567.002.003.004.00" in pdf_text(replace(report, tables=(wide,)))
