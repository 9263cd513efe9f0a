from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from openpyxl import load_workbook

from kasse.export import CHUNK, as_csv, titles
from kasse.marks import Mark
from kasse.models import PaymentMethod, Source, Transaction
from tenants.models import Tenant
from tests.factories import mint
from tests.kasse.listed import ALWAYS, LIST, OF_DAY, at_work, link, listed, mixed, record, refund, shown
from tests.kasse.sales import MORNING, coffee, croissant

EVIL = ['=HYPERLINK("http://example.com")', "+41 79", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1"]


@pytest.fixture
def desk(seeblick: Tenant, waldrand: Tenant) -> Client:
    """Staff of Seeblick; the neighbour has sold something too."""
    record(waldrand)
    return at_work(seeblick)


def content(response: Any) -> bytes:
    assert response.status_code == 200, response.status_code
    return b"".join(response.streaming_content)


def csv_of(desk: Client, query: str) -> list[dict[str, str]]:
    """The rows of the file by their titles."""
    text = content(desk.get(f"{LIST}.csv?{query}")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";", strict=True))


def excel_of(desk: Client, query: str) -> list[list[Any]]:
    """The rows of the workbook, its titles first."""
    sheet = load_workbook(io.BytesIO(content(desk.get(f"{LIST}.xlsx?{query}")))).active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def column(rows: list[dict[str, str]], place: int) -> list[str]:
    return [list(row.values())[place] for row in rows]


class TestTheFile:
    @pytest.mark.parametrize("query", [OF_DAY, f"{OF_DAY}&method=CARD", f"{ALWAYS}&mark=refund", f"{OF_DAY}&q=Kaff"])
    def test_holds_exactly_the_list_in_its_order(self, desk: Client, seeblick: Tenant, query: str) -> None:
        for number in range(70):
            at = MORNING + timedelta(seconds=number // 3)
            mixed(seeblick, occurred_at=at) if number % 3 else refund(seeblick, occurred_at=at)
        wanted: list[str] = []
        address: str | None = f"{LIST}?{query}"
        while address:
            page = shown(desk.get(address))
            wanted += listed(page)
            address = link(page, "older")

        assert len(wanted) > 20
        assert column(csv_of(desk, query), 3) == wanted
        assert [row[3] for row in excel_of(desk, query)[1:]] == wanted

    def test_is_read_chunk_by_chunk(self, desk: Client, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kasse.export.CHUNK", 4)
        sales = [record(seeblick, occurred_at=MORNING) for _ in range(11)]

        rows = csv_of(desk, OF_DAY)

        assert sorted(column(rows, 3)) == sorted(str(sale.pk) for sale in sales)

    def test_is_named_after_its_days(self, desk: Client) -> None:
        for query, name in [
            ("date_from=2026-04-01&date_to=2026-04-30", "transaktionen-2026-04-01-2026-04-30"),
            (OF_DAY, "transaktionen-2026-04-29"),
            (ALWAYS, "transaktionen"),
        ]:
            for form in ("csv", "xlsx"):
                answer = desk.get(f"{LIST}.{form}?{query}")
                assert answer["Content-Disposition"] == f'attachment; filename="{name}.{form}"'
                assert "no-store" in answer["Cache-Control"]
                content(answer)

    @pytest.mark.parametrize("form", ["csv", "xlsx"])
    def test_is_not_made_of_filters_that_make_no_sense(self, desk: Client, form: str) -> None:
        answer = desk.get(f"{LIST}.{form}?date_from=x&q=Gas")

        assert answer.status_code == 302
        assert 'href="#id_date_from"' in shown(desk.get(answer["Location"]))

    def test_exists_in_two_forms(self, desk: Client) -> None:
        assert desk.get(f"{LIST}.pdf").status_code == 404

    def test_is_of_this_campground_alone(self, desk: Client, waldrand: Tenant) -> None:
        theirs = mint(waldrand).key

        assert csv_of(desk, ALWAYS) == []
        assert desk.get(f"{LIST}.csv?{ALWAYS}&till={theirs.pk}").status_code == 302

    def test_is_in_the_language_of_who_asked_though_it_is_sent_later(
        self, desk: Client, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record(seeblick)
        seen = []

        def overhear(sale: Transaction) -> list[Mark]:
            seen.append(translation.get_language())
            return []

        monkeypatch.setattr("kasse.export.marks_of", overhear)

        answer = desk.get(f"{LIST}.csv?{OF_DAY}", headers={"Accept-Language": "fr"})
        with translation.override("it"):
            content(answer)

        assert seen == ["fr"]


class TestCsv:
    def test_is_what_spreadsheets_here_open(self, desk: Client, seeblick: Tenant) -> None:
        sale = mixed(seeblick, key=mint(seeblick, name="Laden").key, external_ref='B;"1"', tip_amount=Decimal("0.50"))

        file = content(desk.get(f"{LIST}.csv?{OF_DAY}"))

        assert file.startswith(b"\xef\xbb\xbf")
        assert file.endswith(b"\r\n")
        assert file.count(b"\n") == file.count(b"\r\n") == 2
        (row,) = csv_of(desk, OF_DAY)
        values = list(row.values())
        assert values[:5] == ["29.04.2026", "29.04.2026 10:14:32", "29.04.2026 10:14:34", str(sale.pk), 'B;"1"']
        assert values[6] == "Laden"
        assert values[10:16] == ["1", "1 × Kaffee", "12,50", "0,00", "0,50", "CHF"]

    @pytest.mark.parametrize("text", EVIL)
    def test_lets_no_text_become_a_formula(self, desk: Client, seeblick: Tenant, text: str) -> None:
        record(seeblick, key=mint(seeblick, name=text.strip()).key, refund_of=text, items=(croissant(), coffee()))

        (row,) = csv_of(desk, OF_DAY)

        assert list(row.values())[16] == f"'{text}"

    def test_keeps_amounts_numbers(self) -> None:
        assert as_csv(Decimal("-1234.50")) == "-1234,50"
        assert as_csv(Decimal("0.00")) == "0,00"
        assert as_csv("Croissant = gut") == "Croissant = gut"
        assert as_csv(None) == ""

    def test_is_flat_however_long_the_list_is(self, desk: Client, seeblick: Tenant) -> None:
        """No more than a chunk is asked for at a time, and the first piece comes before the last row is read."""
        assert CHUNK <= 1000
        for _ in range(3):
            record(seeblick)
        answer = desk.get(f"{LIST}.csv?{OF_DAY}")
        with CaptureQueriesContext(connection) as asked:
            content(answer)
        assert len(asked) == 3
        assert "LIMIT 1001" in asked[0]["sql"]


class TestExcel:
    def test_holds_numbers_days_and_texts_as_such(self, desk: Client, seeblick: Tenant) -> None:
        refund(seeblick, "-12.50", external_ref="=1+1", refund_of="@SUM(A1)", till_id="=2", receipt_seq=1041)
        record(seeblick, source=Source.FRONT_DESK, occurred_at=MORNING - timedelta(seconds=1))

        first, back, front = excel_of(desk, OF_DAY)

        assert len(first) == len(titles()) == 20
        assert back[:2] == [datetime(2026, 4, 29), datetime(2026, 4, 29, 10, 14, 32)]  # noqa: DTZ001 (as Excel knows it)
        assert back[4] == "=1+1"
        assert back[12] == -12.5
        assert back[16] == "@SUM(A1)"
        assert back[18:] == ["=2", 1041]
        assert front[4] is None or front[4] == ""
        assert front[12] == 12.5

    def test_keeps_formulas_texts_by_their_cell(self, desk: Client, seeblick: Tenant) -> None:
        for text in [*EVIL, "#N/A", "0012", "01.02.2026"]:
            record(seeblick, refund_of=text)

        sheet = load_workbook(io.BytesIO(content(desk.get(f"{LIST}.xlsx?{OF_DAY}")))).active

        assert sheet is not None
        cells = [row[16] for row in sheet.iter_rows(min_row=2)]
        assert {cell.data_type for cell in cells} == {"s"}

    @pytest.mark.parametrize("sign", ["\x07", "\ufffe", "\uffff"])
    def test_opens_whatever_signs_a_till_has_sent(self, desk: Client, seeblick: Tenant, sign: str) -> None:
        record(seeblick, items=(coffee(), croissant(description=f"Gipfeli{sign}")))

        (row,) = excel_of(desk, OF_DAY)[1:]

        assert row[11].endswith("Gipfeli\N{REPLACEMENT CHARACTER}")

    def test_has_a_bound_and_says_so(self, desk: Client, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kasse.views.MOST_ROWS", 2)
        for _ in range(3):
            record(seeblick)

        answer = desk.get(f"{LIST}.xlsx?{OF_DAY}")

        assert answer.status_code == 302
        assert 'class="message error"' in shown(desk.get(answer["Location"]))
        assert len(csv_of(desk, OF_DAY)) == 3
        assert len(excel_of(desk, f"{OF_DAY}&method=CASH&q=nothing")) == 1


class TestAValue:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (date(2026, 4, 9), "09.04.2026"),
            (datetime(2026, 4, 9, 7, 5, 1), "09.04.2026 07:05:01"),  # noqa: DTZ001 (on the campground's clock)
            (3, "3"),
            (Decimal("0.1"), "0,10"),
            (str(PaymentMethod.CASH.value), "CASH"),
        ],
    )
    def test_is_written_as_people_here_write_it(self, value: Any, text: str) -> None:
        assert as_csv(value) == text
