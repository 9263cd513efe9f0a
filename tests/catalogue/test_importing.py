from __future__ import annotations

from decimal import Decimal

import pytest

from catalogue.importing import BadRow, Imported, ImportRefused, import_products
from catalogue.models import Product
from tenants.models import Tenant
from tests.factories import ProductFactory

SHELF = """\
sku,name,category,unit_price,vat_rate,active
BRO-01,Ruchbrot 500 g,Shop,3.40,2.6,1
BRO-04,Croissant,Shop,3.50,2.6,1
GAS-05,"Gasflasche 5 kg, Tausch",Service,32.00,8.1,1
BAR-09,Glühwein 2 dl,Restaurant,6.50,8.1,0
"""


def load(tenant: Tenant, text: str) -> Imported:
    return import_products(tenant=tenant, lines=text.splitlines(keepends=True))


def refuse(tenant: Tenant, text: str) -> list[BadRow]:
    """The report on a file that is wrong; nothing of it may have been taken."""
    before = list(Product.objects.order_by("pk").values())
    with pytest.raises(ImportRefused) as refused:
        load(tenant, text)
    assert list(Product.objects.order_by("pk").values()) == before
    return refused.value.rows


def refuse_row(tenant: Tenant, row: str) -> str:
    """Why a single row is wrong; good ones stand before and behind it."""
    rows = refuse(tenant, f"{SHELF}{row}\nEIS-01,Himbeerglace,Shop,2.50,2.6,1\n")
    assert {each.line for each in rows} == {6}
    return "; ".join(each.reason for each in rows)


class TestAnImport:
    def test_creates_what_is_new(self, seeblick: Tenant, waldrand: Tenant) -> None:
        assert load(seeblick, SHELF) == Imported(created=4, updated=0, unchanged=0)

        gas = Product.objects.of(seeblick).get(sku="GAS-05")
        assert (gas.name, gas.category) == ("Gasflasche 5 kg, Tausch", "Service")
        assert (gas.unit_price, gas.vat_rate, gas.active) == (Decimal("32.00"), Decimal("8.10"), True)
        assert not Product.objects.of(seeblick).get(sku="BAR-09").active

    def test_repeated_changes_nothing(self, seeblick: Tenant) -> None:
        load(seeblick, SHELF)
        before = list(Product.objects.order_by("pk").values())

        assert load(seeblick, SHELF) == Imported(created=0, updated=0, unchanged=4)

        # Not even the time of the change, which tills ask by.
        assert list(Product.objects.order_by("pk").values()) == before

    def test_changes_what_differs_and_leaves_what_the_file_lacks(self, seeblick: Tenant) -> None:
        load(seeblick, SHELF)

        changed = load(seeblick, "sku,name,unit_price,vat_rate\nBRO-04,Gipfeli,3.60,2.6\nEIS-01,Glace,2.50,2.6\n")

        assert changed == Imported(created=1, updated=1, unchanged=0)
        croissant = Product.objects.of(seeblick).get(sku="BRO-04")
        assert (croissant.name, croissant.unit_price) == ("Gipfeli", Decimal("3.60"))
        assert Product.objects.of(seeblick).count() == 5

    def test_leaves_the_neighbour_alone(self, seeblick: Tenant, waldrand: Tenant) -> None:
        theirs = ProductFactory.create(tenant=waldrand, sku="BRO-04", name="Croissant", unit_price=Decimal("2.20"))

        load(seeblick, SHELF)

        assert list(Product.objects.of(waldrand)) == [theirs]
        theirs.refresh_from_db()
        assert theirs.unit_price == Decimal("2.20")

    @pytest.mark.parametrize("delimiter", [",", ";"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_reads_what_spreadsheets_write(self, seeblick: Tenant, delimiter: str, mark: str, end: str) -> None:
        rows = [["sku", "name", "unit_price", "vat_rate"], ["BRO-04", '"Croissant, frisch; warm"', "3.50", "2.6"]]
        text = mark + "".join(delimiter.join(row) + end for row in rows)

        assert load(seeblick, text).created == 1
        assert Product.objects.get().name == "Croissant, frisch; warm"

    def test_passes_over_empty_lines_and_blanks_around_values(self, seeblick: Tenant) -> None:
        assert load(seeblick, "sku,name,unit_price,vat_rate\n\n BRO-04 , Croissant , 3.50 , 2.6 \n\n").created == 1

        assert str(Product.objects.get()) == "BRO-04 Croissant"

    @pytest.mark.parametrize(
        ("text", "active"),
        [("1", True), ("true", True), ("JA", True), ("", True), ("0", False), ("False", False), ("nein", False)],
    )
    def test_reads_the_switch_in_words_too(self, seeblick: Tenant, text: str, active: bool) -> None:
        load(seeblick, f"sku,name,unit_price,vat_rate,active\nBRO-04,Croissant,3.50,2.6,{text}\n")

        assert Product.objects.get().active is active

    def test_without_rows_is_fine(self, seeblick: Tenant) -> None:
        assert load(seeblick, "sku,name,unit_price,vat_rate\n") == Imported(0, 0, 0)

    def test_keeps_a_formula_as_the_text_it_is(self, seeblick: Tenant) -> None:
        load(seeblick, "sku,name,unit_price,vat_rate\nX-1,=HYPERLINK(A1),3.50,2.6\n")

        assert Product.objects.get().name == "=HYPERLINK(A1)"


class TestTheReport:
    def test_names_every_bad_row_by_its_line(self, seeblick: Tenant) -> None:
        rows = refuse(
            seeblick,
            "sku,name,unit_price,vat_rate\n"
            "BRO-04,Croissant,3.50,2.6\n"
            ",Ruchbrot,3.40,2.6\n"
            "\n"
            "EIS-01,Glace,cheap,2.6\n"
            "GAS-05,,32.00,200\n",
        )

        assert [row.line for row in rows] == [3, 5, 6, 6]
        assert [row.reason.partition(":")[0] for row in rows[:2]] == ["sku", "unit_price"]
        assert {row.reason.partition(":")[0] for row in rows[2:]} == {"name", "vat_rate"}

    def test_names_the_first_line_of_a_sku_that_comes_twice(self, seeblick: Tenant) -> None:
        assert refuse_row(seeblick, "BRO-04,Croissant,Shop,3.50,2.6,1") == "sku: the same as on line 3"

    def test_counts_lines_as_an_editor_does(self, seeblick: Tenant) -> None:
        rows = refuse(seeblick, 'sku,name,unit_price,vat_rate\nGAS-05,"Gas\nflasche",free,8.1\n')

        assert {row.line for row in rows} == {3}

    @pytest.mark.parametrize(
        ("header", "words"),
        [
            ("", "missing columns: sku, name, unit_price, vat_rate"),
            ("sku,name", "missing columns: unit_price, vat_rate"),
            ("sku,name,unit_price,vat_rate,colour", "unknown columns: colour"),
            ("SKU,name,unit_price,vat_rate", "missing columns: sku; unknown columns: SKU"),
            ("sku\tname\tunit_price\tvat_rate", "missing columns: sku, name, unit_price, vat_rate"),
            ("sku,name,unit_price,vat_rate,name", "columns that come twice: name"),
        ],
    )
    def test_says_what_is_wrong_with_the_header(self, seeblick: Tenant, header: str, words: str) -> None:
        [row] = refuse(seeblick, f"{header}\n" if header else "")

        assert row.line == 1
        assert words in row.reason


class TestAHostileRow:
    @pytest.mark.parametrize(
        "price",
        [
            "",
            "=1+1",
            "=cmd|' /C calc'!A0",
            "NaN",
            "sNaN",
            "Infinity",
            "-Infinity",
            "1e400",
            "9" * 400,
            "92233720368547758.08",
            "3.505",
            "3.50000000000000000000000000000000000001",
            "-3.50",
            "CHF 3.50",
            "3.5.0",
            "0x10",
        ],
    )
    def test_with_a_price_that_is_none_is_refused(self, seeblick: Tenant, price: str) -> None:
        assert refuse_row(seeblick, f'X-1,Glace,Shop,"{price}",2.6,1').startswith("unit_price:")

    @pytest.mark.parametrize("rate", ["", "NaN", "-0.1", "100.01", "8.123", "8,1", "8.1%", "1e99"])
    def test_with_a_rate_that_is_none_is_refused(self, seeblick: Tenant, rate: str) -> None:
        assert refuse_row(seeblick, f'X-1,Glace,Shop,3.50,"{rate}",1').startswith("vat_rate:")

    @pytest.mark.parametrize("active", ["2", "yes", "aktiv", "-1", "NULL"])
    def test_with_a_switch_that_is_none_is_refused(self, seeblick: Tenant, active: str) -> None:
        assert refuse_row(seeblick, f"X-1,Glace,Shop,3.50,2.6,{active}") == "active: neither 1 nor 0"

    @pytest.mark.parametrize(
        ("row", "field"),
        [
            (f"{'x' * 65},Glace,Shop,3.50,2.6,1", "sku"),
            (f"X-1,{'x' * 256},Shop,3.50,2.6,1", "name"),
            (f"X-1,Glace,{'x' * 81},3.50,2.6,1", "category"),
            ("   ,Glace,Shop,3.50,2.6,1", "sku"),
            ("X-1,   ,Shop,3.50,2.6,1", "name"),
            ("X-1,Gla\x00ce,Shop,3.50,2.6,1", "name"),
            ("X-1,Glace,Sh\x1bop,3.50,2.6,1", "category"),
            ("X\x7f1,Glace,Shop,3.50,2.6,1", "sku"),
        ],
    )
    def test_with_a_text_that_no_column_holds_is_refused(self, seeblick: Tenant, row: str, field: str) -> None:
        assert refuse_row(seeblick, row).startswith(f"{field}:")

    def test_with_too_many_cells_is_refused(self, seeblick: Tenant) -> None:
        assert refuse_row(seeblick, "X-1,Glace,Shop,3.50,2.6,1,,,") == "more cells than the header has columns"

    def test_with_too_few_cells_is_refused(self, seeblick: Tenant) -> None:
        assert "unit_price:" in refuse_row(seeblick, "X-1,Glace")

    def test_whose_quotes_never_close_takes_no_other_row_along(self, seeblick: Tenant) -> None:
        assert refuse(seeblick, f'{SHELF}X-1,"Glace,Shop,3.50,2.6,1\nEIS-01,Glace,Shop,2.50,2.6,1\n')

    def test_longer_than_any_cell_is_refused(self, seeblick: Tenant) -> None:
        rows = refuse(seeblick, f"{SHELF}X-1,{'x' * 200_000},Shop,3.50,2.6,1\n")

        assert rows
