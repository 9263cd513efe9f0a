"""Which column holds what: guessed from headers in four languages, put right by whoever imports."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pos_bridge.importing.columns import NO_HEADER, Column, NotEnough, check_layout, guess_columns, guess_layout
from pos_bridge.importing.laying_out import below_line, changed, columns_named, header_line, letters_of
from pos_bridge.importing.tables import Row
from tests.pos_bridge.import_files import HEADER, SHOP


def table(*rows: Sequence[str]) -> list[Row]:
    return [Row(line, list(cells)) for line, cells in enumerate(rows, start=1)]


def guessed(*titles: str) -> dict[str, str]:
    return {column.value: titles[place] for column, place in guess_columns(titles).items()}


class TestGuessing:
    def test_knows_german_headers(self) -> None:
        titles = ["Datum", "Uhrzeit", "Belegnummer", "Artikel", "Menge", "Einzelpreis", "Positionsbetrag", "MWST-Satz"]

        assert guessed(*titles, "Gesamtbetrag", "Zahlungsart", "Trinkgeld", "Kasse") == dict(
            zip(
                ["day", "time", "receipt", "description", "quantity", "unit_price", "line_total", "vat_rate"],
                titles,
                strict=True,
            ),
            total="Gesamtbetrag",
            payment="Zahlungsart",
            tip="Trinkgeld",
            till="Kasse",
        )

    @pytest.mark.parametrize(
        "titles",
        [
            ["Date", "N° ticket", "Moyen de paiement", "Montant TTC", "Taux TVA", "Quantité", "Désignation"],
            ["Data", "Scontrino", "Metodo di pagamento", "Importo", "Aliquota IVA", "Quantità", "Descrizione"],
            ["Date", "Receipt number", "Payment method", "Total", "VAT rate", "Qty", "Description"],
            ["Verkaufsdatum", "Beleg Nr.", "Zahlart", "Betrag (CHF)", "MwSt %", "Anzahl", "Artikelname"],
        ],
    )
    def test_knows_the_other_languages(self, titles: list[str]) -> None:
        names = ["day", "receipt", "payment", "total", "vat_rate", "quantity", "description"]

        assert guessed(*titles) == dict(zip(names, titles, strict=True))

    def test_a_net_or_tax_amount_is_not_what_the_guest_paid(self) -> None:
        assert "total" not in guessed("Datum", "Betrag netto", "MWST Betrag", "Montant HT", "Fee amount")
        assert guessed("Total netto", "Total brutto")["total"] == "Total brutto"

    def test_the_header_may_stand_below_a_title(self) -> None:
        rows = table(["Kassenjournal Shop"], ["April 2026", "", "Seite 1"], HEADER, *SHOP)

        assert guess_layout(rows).header == 2
        assert guess_layout(rows).titles == HEADER

    def test_where_receipts_go_over_several_rows_an_amount_is_that_of_a_line(self) -> None:
        lines = [["29.04.2026", "1041", "3.50"], ["29.04.2026", "1041", "9.00"]]

        assert guess_layout(table(["Datum", "Beleg", "Betrag"], *lines)).columns[Column.LINE_TOTAL] == 2
        assert guess_layout(table(HEADER, *SHOP)).columns[Column.TOTAL] == 4

    @pytest.mark.parametrize("second", ["12.50", ""])
    def test_an_amount_that_may_be_the_receipts_is_not_taken_for_a_lines(self, second: str) -> None:
        lines = [["29.04.2026", "1041", "12.50"], ["29.04.2026", "1041", second], ["29.04.2026", "1042", "3.00"]]

        assert guess_layout(table(["Datum", "Beleg", "Total"], *lines)).columns[Column.TOTAL] == 2

    def test_an_amount_in_another_currency_is_not_what_was_taken(self) -> None:
        titles = ["Datum", "Beleg", "Betrag EUR", "Betrag"]

        assert guess_layout(table(titles, ["1"]), currency="CHF").columns[Column.TOTAL] == 3
        assert guess_layout(table(titles[:3], ["1"]), currency="EUR").columns[Column.TOTAL] == 2

    def test_where_there_is_no_header_the_first_receipt_is_not_taken_for_one(self) -> None:
        rows = table(*SHOP)

        assert (guess_layout(rows).header, guess_layout(rows).titles) == (NO_HEADER, [])

    def test_of_an_unknown_header_nothing_is_guessed(self) -> None:
        assert guess_layout(table(["a", "b"], ["1", "2"])).columns == {}


class TestPuttingRight:
    LAYOUT = guess_layout(table(["Datum", "Belegnummer", "x", "Summe X"], ["29.04.2026", "1", "2", "3"]))

    @pytest.mark.parametrize("name", ["total=Summe X", "total=summe x", "total=4", "total=D"])
    def test_by_title_number_or_letter(self, name: str) -> None:
        assert columns_named(self.LAYOUT, [name]) == {Column.TOTAL: 3}

    def test_a_column_can_be_taken_out(self) -> None:
        columns = columns_named(self.LAYOUT, ["receipt="])

        assert Column.RECEIPT not in changed(self.LAYOUT, columns=columns).columns

    @pytest.mark.parametrize("name", ["amount=Datum", "total=Nirgends", "total=0", "total"])
    def test_what_is_not_there_is_refused(self, name: str) -> None:
        if name == "total":
            assert columns_named(self.LAYOUT, [name]) == {Column.TOTAL: None}
            return
        with pytest.raises(NotEnough, match="no_such_column"):
            columns_named(self.LAYOUT, [name])

    def test_the_header_is_where_somebody_says(self) -> None:
        rows = table(["Datum", "Beleg", "Betrag"], ["Tag", "Nr", "Total"], *SHOP)
        layout = changed(guess_layout(rows), payments={"muscheln": "OTHER"}, prefix="alt")

        second = below_line(layout, rows, 2, currency="CHF")
        assert (second.header, second.columns) == (1, {Column.DAY: 0, Column.TOTAL: 2})
        assert (second.payments, second.prefix) == ({"muscheln": "OTHER"}, "alt")
        assert header_line(below_line(layout, rows, 0, currency="CHF"), rows) == 0
        for nowhere in (-1, 5, 99):
            with pytest.raises(NotEnough, match="no_such_header"):
                below_line(layout, rows, nowhere, currency="CHF")

    def test_words_for_payments_are_told_once_and_kept(self) -> None:
        layout = changed(self.LAYOUT, payments={"Karte Bistro": "CARD"})

        assert changed(layout, payments={"": "CASH"}).payments == {"karte bistro": "CARD", "": "CASH"}
        with pytest.raises(NotEnough, match="no_payment_method"):
            changed(layout, payments={"x": "SHELLS"})

    @pytest.mark.parametrize("prefix", ["-x", "a b", "ä", "x" * 31, "../x"])
    def test_references_begin_with_plain_characters(self, prefix: str) -> None:
        with pytest.raises(NotEnough, match="bad_prefix"):
            changed(self.LAYOUT, prefix=prefix)

    def test_columns_have_the_letters_of_a_spreadsheet(self) -> None:
        assert [letters_of(place) for place in (0, 25, 26, 51, 52, 99)] == ["A", "Z", "AA", "AZ", "BA", "CV"]


class TestWhatEverySaleNeeds:
    @pytest.mark.parametrize(
        ("titles", "code"),
        [
            (["Belegnummer", "Betrag"], "no_day"),
            (["Datum", "Betrag"], "no_receipt"),
            (["Datum", "Belegnummer"], "no_amount"),
        ],
    )
    def test_is_asked_for(self, titles: list[str], code: str) -> None:
        with pytest.raises(NotEnough, match=code):
            check_layout(guess_layout(table(titles, ["x", "y"])))
