"""Rows as receipts: their references, their lines, and what cannot be told for sure."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from pos_bridge.importing.columns import Column, guess_layout
from pos_bridge.importing.laying_out import changed
from pos_bridge.importing.receipts import Receipt, payment_words, receipts_in
from pos_bridge.importing.tables import Row
from tests.pos_bridge.import_files import HEADER, SHOP

LINES = ["Datum", "Kasse", "Beleg", "Artikel", "Menge", "Einzelpreis", "Zeilentotal", "Zahlart", "Total"]


def receipts(header: Sequence[str], *rows: Sequence[str], **changes: object) -> list[Receipt]:
    table = [Row(line, list(cells)) for line, cells in enumerate([header, *rows], start=1)]
    layout = changed(guess_layout(table), **changes)  # type: ignore[arg-type]  # whatever a test changes
    return receipts_in(table, layout, currency="CHF", zone=ZoneInfo("Europe/Zurich"))


def flaws(receipt: Receipt) -> list[tuple[int, str | None, str]]:
    return [(flaw.line, flaw.column, flaw.code) for flaw in receipt.flaws]


class TestOneRow:
    def test_becomes_a_document_of_the_contract(self) -> None:
        assert receipts(HEADER, SHOP[0]) == [
            Receipt(
                "import-2026-04-29-1041",
                (2,),
                {
                    "external_ref": "import-2026-04-29-1041",
                    "payment_method": "CASH",
                    "total_amount": "12.50",
                    "items": [
                        {
                            "description": "Import",
                            "quantity": "1",
                            "unit_price": "12.5",
                            "line_total": "12.50",
                            "vat_rate": "2.6",
                        }
                    ],
                    "occurred_at": "2026-04-29T18:05:00+02:00",
                    "receipt_seq": "1041",
                },
            )
        ]

    def test_that_gives_money_back_is_a_refund(self) -> None:
        (refund,) = receipts(HEADER, SHOP[2])

        assert refund.document
        assert refund.document["total_amount"] == "-3.50"
        assert refund.document["items"][0] | {"vat_rate": ""} == {
            "description": "Import",
            "quantity": "-1",
            "unit_price": "3.5",
            "line_total": "-3.50",
            "vat_rate": "",
        }

    def test_under_a_reference_of_the_tills_own_keeps_it(self) -> None:
        (receipt,) = receipts(["Datum", "Referenz", "Total", "Zahlart"], ["29.04.2026", "ls-77", "3.50", "Bar"])

        assert receipt.document
        assert receipt.reference == "ls-77"
        assert "receipt_seq" not in receipt.document

    def test_rounding_and_tip_lie_beside_the_line(self) -> None:
        header = ["Datum", "Beleg", "Total", "Zahlart", "Rundung", "Trinkgeld"]
        (receipt,) = receipts(header, ["29.04.2026", "1", "12.50", "Bar", "0.02", "1.00"])

        assert receipt.document
        assert receipt.document["items"][0]["line_total"] == "12.48"
        assert (receipt.document["rounding_amount"], receipt.document["tip_amount"]) == ("0.02", "1")

    def test_every_cell_that_makes_no_sense_is_named(self) -> None:
        (receipt,) = receipts(HEADER, ["29.04.2026", "25:00", "1", "Muscheln", "zwölf", "viel"])

        assert receipt.document is None
        assert flaws(receipt) == [
            (2, Column.TIME, "not_a_time"),
            (2, Column.TOTAL, "not_a_number"),
            (2, Column.VAT_RATE, "not_a_rate"),
        ]

    def test_without_day_number_or_amount_is_no_receipt(self) -> None:
        total = receipts(HEADER, ["Total", "", "", "", "1250.50"], ["29.04.2026", "", "1", "Bar"])

        assert [flaws(each) for each in total] == [
            [(2, Column.DAY, "not_a_day"), (2, Column.RECEIPT, "missing")],
            [(3, Column.TOTAL, "missing")],
        ]

    def test_a_short_row_lacks_its_last_cells(self) -> None:
        assert flaws(receipts(HEADER, ["29.04.2026", "", "7"])[0]) == [
            (2, Column.TOTAL, "missing"),
            (2, Column.PAYMENT, "unknown_payment"),
        ]


class TestSeveralRows:
    def test_of_one_number_and_day_are_one_receipt(self) -> None:
        first, second = receipts(
            LINES,
            ["29.04.2026 09:00", "Bistro", "17", "Croissant", "2", "3.50", "7.00", "Bar", "12.50"],
            ["29.04.2026 09:05", "Bistro", "18", "Kaffee", "1", "5.50", "5.50", "Karte", "5.50"],
            ["29.04.2026 09:00", "Bistro", "17", "Kaffee", "1", "5.50", "5.50", "", ""],
        )

        assert first.document
        assert first.reference == "import-Bistro-2026-04-29-17"
        assert first.lines == (2, 4)
        assert [item["description"] for item in first.document["items"]] == ["Croissant", "Kaffee"]
        assert (first.document["total_amount"], first.document["till_id"]) == ("12.50", "Bistro")
        assert second.lines == (3,)

    def test_of_another_till_or_day_are_another(self) -> None:
        names = [
            each.reference
            for each in receipts(
                LINES,
                ["29.04.2026", "Bistro", "17", "", "", "", "7.00", "Bar", ""],
                ["29.04.2026", "Shop", "17", "", "", "", "7.00", "Bar", ""],
                ["30.04.2026", "Shop", "17", "", "", "", "7.00", "Bar", ""],
                prefix="alt",
            )
        ]

        assert names == ["alt-Bistro-2026-04-29-17", "alt-Shop-2026-04-29-17", "alt-Shop-2026-04-30-17"]

    def test_without_amounts_of_lines_are_quantity_times_price(self) -> None:
        (receipt,) = receipts(
            LINES,
            ["29.04.2026", "", "17", "Croissant", "2", "3.50", "", "Bar", ""],
            ["29.04.2026", "", "17", "Kaffee", "", "5.50", "", "Bar", ""],
        )

        assert receipt.document
        assert [item["line_total"] for item in receipt.document["items"]] == ["7.00", "5.50"]
        assert receipt.document["total_amount"] == "12.50"

    def test_that_contradict_each_other_are_refused(self) -> None:
        (receipt,) = receipts(
            LINES,
            ["29.04.2026", "", "17", "", "", "", "7.00", "Bar", "12.50"],
            ["29.04.2026", "", "17", "", "", "", "5.50", "Karte", "12.00"],
        )

        assert flaws(receipt) == [(3, Column.TOTAL, "differs"), (3, Column.PAYMENT, "differs")]

    def test_with_totals_alone_are_refused_rather_than_added_up(self) -> None:
        columns = {Column.TOTAL: 4, Column.LINE_TOTAL: None}
        (receipt,) = receipts(HEADER, SHOP[0], SHOP[0], columns=columns)

        assert flaws(receipt) == [(2, Column.TOTAL, "several_rows"), (3, Column.TOTAL, "several_rows")]

    def test_beside_one_that_nobody_can_date_are_refused_with_it(self) -> None:
        whole, broken, other = receipts(
            LINES,
            ["29.04.2026", "", "17", "", "", "", "7.00", "Bar", ""],
            ["29.O4.2026", "", "17", "", "", "", "5.50", "Bar", ""],
            ["29.04.2026", "", "18", "", "", "", "5.50", "Bar", ""],
        )

        assert flaws(whole) == [(2, None, "beside_unreadable")]
        assert flaws(broken) == [(3, Column.DAY, "not_a_day")]
        assert other.document


class TestDays:
    def test_are_doubted_where_another_has_the_month_first(self) -> None:
        header, days = ["Date", "Receipt", "Total", "Payment"], ["04/05/2026", "04/29/2026", "2026-04-05"]
        doubted, broken, sure = receipts(
            header, *([day, str(number), "3.50", "Cash"] for number, day in enumerate(days))
        )

        assert flaws(doubted) == [(2, Column.DAY, "month_first")]
        assert flaws(broken) == [(3, Column.DAY, "not_a_day")]
        assert sure.reference == "import-2026-04-05-2"


class TestCurrencies:
    @pytest.mark.parametrize(("said", "code"), [("CHF", None), ("fr.", None), ("", None), ("EUR", "other_currency")])
    def test_of_a_column_are_the_campgrounds(self, said: str, code: str | None) -> None:
        header = ["Datum", "Beleg", "Betrag", "Währung", "Zahlart"]
        (receipt,) = receipts(header, ["29.04.2026", "1", "3.50", said, "Bar"])

        assert flaws(receipt) == ([(2, Column.CURRENCY, code)] if code else [])


class TestPayments:
    @pytest.mark.parametrize(
        "word", ["Kurkarte", "Gästekarte", "carte d'hôte", "Cashless", "Bar + Karte", "Bar/TWINT", "nicht bezahlt"]
    )
    def test_that_sound_like_a_method_or_are_two_are_asked_about(self, word: str) -> None:
        (receipt,) = receipts(HEADER, ["29.04.2026", "", "1", word, "3.50"])

        assert flaws(receipt) == [(2, Column.PAYMENT, "unknown_payment")]

    @pytest.mark.parametrize(
        ("word", "method"),
        [("Geschenkkarte", "VOUCHER"), ("Visa/Mastercard", "CARD"), ("Barzahlung", "CASH"), ("Gift card", "VOUCHER")],
    )
    def test_that_say_one_thing_are_that(self, word: str, method: str) -> None:
        (receipt,) = receipts(HEADER, ["29.04.2026", "", "1", word, "3.50"])

        assert receipt.document
        assert receipt.document["payment_method"] == method

    def test_are_known_by_the_usual_words(self) -> None:
        words = ["bar", "Kreditkarte", "TWINT", "Auf Rechnung", "Gutschein", "CASH", "on_tab", "OTHER", "carta"]
        rows = [["29.04.2026", "", str(number), word, "3.50"] for number, word in enumerate(words)]

        assert [each.document and each.document["payment_method"] for each in receipts(HEADER, *rows)] == [
            "CASH", "CARD", "TWINT", "BANK", "VOUCHER", "CASH", "ON_TAB", "OTHER", "CARD",
        ]  # fmt: skip

    def test_are_asked_about_where_they_are_not(self) -> None:
        row = ["29.04.2026", "", "1", "Muscheln", "3.50"]

        assert flaws(receipts(HEADER, row)[0]) == [(2, Column.PAYMENT, "unknown_payment")]
        assert receipts(HEADER, row, payments={"muscheln": "OTHER"})[0].document

    def test_that_nobody_names_may_all_mean_one(self) -> None:
        header, row = ["Datum", "Beleg", "Total"], ["29.04.2026", "1", "3.50"]

        assert flaws(receipts(header, row)[0]) == [(2, Column.PAYMENT, "unknown_payment")]
        assert receipts(header, row, payments={"": "CASH"})[0].document

    def test_words_are_listed_once_each(self) -> None:
        table = [Row(1, HEADER), *(Row(2, row) for row in [*SHOP, ["29.04.2026", "", "9", "BAR"], ["x"]])]

        assert payment_words(table, guess_layout(table)) == ["Bar", "Karte", ""]
