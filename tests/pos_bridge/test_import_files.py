"""Files as tables of texts: every encoding and delimiter in use here, workbooks to the Rappen, and hostile ones."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_bridge.importing import tables, workbooks
from pos_bridge.importing.staging import read_file
from pos_bridge.importing.tables import FileRefused, Row
from pos_bridge.importing.workbooks import text_of
from tests.pos_bridge.import_files import DAY, HEADER, MOMENT, SHOP, TIME, csv_file, workbook

TEXTS = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters='"', max_codepoint=0xFF), min_size=1, max_size=12
)


def refusal(content: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        read_file(content)
    return refused.value.code


class TestCsv:
    @pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
    def test_is_read_in_every_usual_form(self, delimiter: str, encoding: str) -> None:
        rows = [["Beschreibung", "Betrag"], ["Käse, Brötli; groß", "3,50"], ["Crème", "1'234.50"]]

        assert [row.cells for row in read_file(csv_file(*rows, delimiter=delimiter, encoding=encoding))] == rows

    def test_rows_know_their_line(self) -> None:
        content = b'Text;Betrag\r\n\r\n"zwei\r\nZeilen";1\r\nLetzte;2\r\n;;\r\n'

        assert read_file(content) == [
            Row(1, ["Text", "Betrag"]),
            Row(3, ["zwei  Zeilen", "1"]),
            Row(5, ["Letzte", "2"]),
        ]

    def test_a_line_separator_within_a_text_parts_no_row(self) -> None:
        assert read_file("Text;Betrag\nA\u2028B;1\n".encode())[1].cells == ["A B", "1"]

    def test_a_quote_that_never_ends_swallows_no_rows(self) -> None:
        assert refusal(b'Text;Betrag\n"5 Zoll;3.50\nGas;4.50\n') == "not_csv"
        assert refusal(b'Text;Betrag\n"5 Zoll;3.50\n"Gas";4.50\n') == "not_csv"

    def test_what_is_no_text_is_refused(self) -> None:
        assert refusal(b"\x00\x01\x02;\x00\n\x00") == "not_text"
        assert refusal(b"\x81\x8d;1\n2;3") == "not_text"

    def test_a_header_alone_is_refused(self) -> None:
        assert refusal(b"Datum;Betrag\n\n") == "no_rows"
        assert refusal(b"") == "no_rows"

    def test_more_rows_than_we_take_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tables, "MOST_ROWS", 3)

        assert len(read_file(csv_file(HEADER, *SHOP))) == 4
        assert refusal(csv_file(HEADER, *SHOP, *SHOP)) == "too_many_rows"

    def test_more_columns_than_we_take_are_refused(self) -> None:
        assert refusal(csv_file(["x"] * 101, ["y"])) == "too_many_columns"

    def test_a_line_or_a_file_without_an_end_is_refused(self) -> None:
        assert refusal(b"a;b\n" + b";" * 200_000) == "too_many_columns"
        assert refusal(b"\n" * 200_000) == "too_many_rows"

    def test_more_bytes_than_we_take_are_refused(self) -> None:
        assert refusal(b"x" * (tables.MOST_BYTES + 1)) == "too_large"

    @given(st.lists(st.lists(TEXTS, min_size=2, max_size=4), min_size=2, max_size=6), st.sampled_from([";", ",", "\t"]))
    def test_texts_come_back(self, rows: list[list[str]], delimiter: str) -> None:
        marks = set(";,\t|")
        if not any(marks & set(cell) for row in rows for cell in row):
            assert [row.cells for row in read_file(csv_file(*rows, delimiter=delimiter))] == rows


class TestWorkbooks:
    def test_days_times_and_numbers_become_texts(self) -> None:
        content = workbook(HEADER, [DAY, TIME, 1041, "Bar", 12.5, 0.026], formats={0: "dd.mm.yyyy", 5: "0.0%"})

        assert read_file(content)[1].cells == ["2026-04-29", "18:05:00", "1041", "Bar", "12.5", "2.6%"]

    def test_a_day_with_its_time_stays_together(self) -> None:
        assert read_file(workbook(["Datum", "Betrag"], [MOMENT, 1]))[1].cells == ["2026-04-29 18:05:00", "1"]

    def test_midnight_is_a_time_where_the_cell_shows_times(self) -> None:
        assert text_of(MOMENT.replace(hour=0, minute=0), "dd.mm.yyyy hh:mm") == "2026-04-29 00:00:00"
        assert text_of(MOMENT.replace(hour=0, minute=0), "dd.mm.yyyy") == "2026-04-29"
        assert text_of(TIME.replace(hour=0, minute=0), "hh:mm") == "00:00:00"

    @pytest.mark.parametrize("shown", ["[$-de-CH]dd.mm.yyyy", 'dd.mm.yyyy "Uhrzeit fehlt"', "General"])
    def test_a_days_midnight_is_no_time_whatever_its_format_says_aside(self, shown: str) -> None:
        assert text_of(MOMENT.replace(hour=0, minute=0), shown) == "2026-04-29"

    def test_a_time_counts_where_the_cell_does_not_show_it(self) -> None:
        assert text_of(MOMENT, "dd.mm.yyyy") == "2026-04-29 18:05:00"

    def test_days_of_a_calendar_since_1904_are_the_same_days(self) -> None:
        from openpyxl import Workbook
        from openpyxl.utils.datetime import CALENDAR_MAC_1904

        book = Workbook()
        book.epoch = CALENDAR_MAC_1904
        sheet: Any = book.active
        sheet.append(["Datum", "Betrag"])
        sheet.append([DAY, 1])
        content = io.BytesIO()
        book.save(content)

        assert read_file(content.getvalue())[1].cells == ["2026-04-29", "1"]

    @pytest.mark.parametrize(
        ("shown", "text"),
        [
            ("[$€-407]#,##0.00", "12.5 €"),
            ('#,##0.00 "EUR"', "12.5 EUR"),
            ("[$$-409]0.00", "12.5 $"),
            ("[$CHF-807] 0.00", "12.5 CHF"),
            ("[$-807]0.00", "12.5"),
        ],
    )
    def test_a_currency_that_the_cell_shows_stays_with_the_number(self, shown: str, text: str) -> None:
        assert text_of(12.5, shown) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.1 + 0.2, "0.3"), (1041.0, "1041"), (-3.5, "-3.5"), (1e-12, "0"), (12.505, "12.505"), (1.00005, "1.00005")],
    )
    def test_dirt_of_reckoning_is_taken_off_and_nothing_is_rounded(self, value: float, text: str) -> None:
        assert text_of(value, "") == text

    def test_odd_values_stay_texts(self) -> None:
        odd = (None, True, timedelta(hours=25, minutes=5), float("inf"), "x")

        assert [text_of(value, "") for value in odd] == ["", "True", "01:05:00", "inf", "x"]

    def test_of_a_formula_the_value_counts_that_was_seen_last(self) -> None:
        content = workbook(["Datum", "Betrag"], ["29.04.2026", "=1+2"])
        computed = edited(content, "xl/worksheets/sheet1.xml", b"<v></v>", b"<v>3</v>", b"<v />", b"<v>3</v>")

        assert read_file(content)[1].cells == ["29.04.2026"]
        assert read_file(computed)[1].cells == ["29.04.2026", "3"]

    def test_the_first_sheet_that_holds_anything_counts(self) -> None:
        from openpyxl import Workbook

        book = Workbook()
        sheet: Any = book.create_sheet("Zweites")
        sheet.append(["Datum", "Betrag"])
        sheet.append(["29.04.2026", 1])
        content = io.BytesIO()
        book.save(content)

        assert read_file(content.getvalue())[1].cells == ["29.04.2026", "1"]

    @given(st.decimals(min_value="-99999999.99", max_value="99999999.99", places=2))
    def test_every_amount_comes_back_to_the_rappen(self, amount: Decimal) -> None:
        assert Decimal(text_of(float(amount), "")) == amount


class TestHostileWorkbooks:
    def test_a_bomb_is_refused_before_it_unfolds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workbooks, "MOST_UNFOLDED", 10_000)

        assert refusal(zipped({"xl/workbook.xml": b" " * 10_001})) == "too_large"

    def test_a_bomb_that_lies_about_its_size_does_not_unfold(self) -> None:
        content = zipped({"xl/workbook.xml": b" " * 100_000})
        lying = content.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))

        assert lying != content
        assert refusal(lying) == "not_a_workbook"

    def test_a_million_empty_cells_are_refused_before_they_are_read(self) -> None:
        assert refusal(with_rows(b"<row>" + b"<c/>" * 1_000_000 + b"</row>")) == "too_many_cells"

    def test_empty_rows_count_over_all_sheets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workbooks, "MOST_LINES", 50)

        assert refusal(with_rows(b'<row r="51"><c r="A51"/></row>')) == "too_many_rows"

    def test_a_text_that_is_kept_once_and_stands_everywhere_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tables, "MOST_TEXT", 1000)

        assert refusal(workbook(["Datum", "Betrag"], *[["x" * 400, 1]] * 3)) == "too_large"

    def test_a_thousand_parts_are_refused(self) -> None:
        assert refusal(zipped({f"part-{number}": b"" for number in range(501)})) == "too_large"

    def test_entities_are_not_expanded(self) -> None:
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
        content = workbook(["Datum", "Betrag"], ["29.04.2026", 1])
        hostile = edited(content, "xl/worksheets/sheet1.xml", b"<worksheet", bomb + b"<worksheet")

        assert refusal(hostile) == "not_a_workbook"

    @pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + b"x" * 100])
    def test_what_only_begins_like_one_is_refused(self, content: bytes) -> None:
        assert refusal(content) == "not_a_workbook"

    def test_any_other_archive_is_refused(self) -> None:
        assert refusal(zipped({"readme.txt": b"hello"})) == "not_a_workbook"

    def test_the_old_format_is_named(self) -> None:
        assert refusal(b"\xd0\xcf\x11\xe0" + b"\0" * 100) == "old_excel"

    @given(st.binary(max_size=200), st.integers(min_value=0, max_value=2000))
    def test_no_damage_breaks_the_reader(self, damage: bytes, at: int) -> None:
        sound = workbook(["Datum", "Betrag"], ["29.04.2026", 1])
        broken = sound[:at] + damage + sound[at + len(damage) :]
        try:
            rows = read_file(broken)
        except FileRefused:
            return
        assert rows


def with_rows(rows: bytes) -> bytes:
    """A workbook with such rows before its own."""
    content = workbook(["Datum", "Betrag"], ["29.04.2026", 1])
    return edited(content, "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData>" + rows)


def zipped(parts: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def edited(content: bytes, name: str, *replaced: bytes) -> bytes:
    """A workbook in which texts of a part are others: each before its other."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    for before, after in zip(replaced[::2], replaced[1::2], strict=True):
        parts[name] = parts[name].replace(before, after)
    return zipped(parts)
