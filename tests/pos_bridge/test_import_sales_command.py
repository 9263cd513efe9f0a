"""``import_sales``: a file to its end, and every receipt that was not taken named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from kasse.models import Transaction
from pos_bridge.importing.models import SalesImport
from tenants.models import Tenant
from tests.factories import mint
from tests.pos_bridge.import_files import SHOP, csv_file, shop


@pytest.fixture
def file(tmp_path: Path, seeblick: Tenant, waldrand: Tenant) -> Path:
    return tmp_path / "april.csv"


def imported(file: Path, content: bytes, capsys: pytest.CaptureFixture[str], **options: Any) -> tuple[str, str]:
    """What the command says, and what it remarks."""
    file.write_bytes(content)
    call_command("import_sales", str(file), tenant="seeblick", **options)
    said = capsys.readouterr()
    return said.out.strip(), said.err


class TestImportSales:
    def test_takes_what_is_right_and_names_what_is_not(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out, err = imported(file, shop(*SHOP, ["29.04.2026", "", "9", "Bar", "viel"]), capsys)

        assert out == "created: 3, already there: 0, in conflict: 0, invalid: 1"
        assert "row 5, Betrag: That is no amount or number that can be read for sure. (viel)" in err
        assert "4 of 4" in err

    def test_again_finds_all_of_it_there(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        imported(file, shop(), capsys)

        assert imported(file, shop(), capsys)[0].startswith("created: 0, already there: 3")

    def test_dry_says_what_would_be(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert imported(file, shop(), capsys, dry_run=True)[0].startswith("would be created: 3")
        assert not Transaction.objects.exists()

    def test_is_told_columns_payments_key_and_prefix(
        self, file: Path, capsys: pytest.CaptureFixture[str], seeblick: Tenant
    ) -> None:
        key = mint(seeblick).key
        content = csv_file(["Wann", "Nr", "CHF", "Wie"], ["29.04.2026", "1", "3.50", "Muscheln"])
        options = {
            "map": ["day=Wann", "receipt=B", "total=3", "payment=Wie"],
            "payment": ["Muscheln=OTHER"],
            "key": key.prefix,
            "prefix": "alt",
        }

        assert imported(file, content, capsys, **options)[0].startswith("created: 1")
        sale = Transaction.objects.get()
        assert (sale.external_ref, sale.api_key, sale.payment_method) == ("alt-2026-04-29-1", key, "OTHER")

    def test_is_told_that_there_is_no_header(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        options = {"map": ["day=1", "receipt=2", "total=3"], "payment": ["=CASH"]}

        rows = [["29.04.2026", "1", "3.50"], ["29.04.2026", "2", "4.50"]]
        assert imported(file, csv_file(*rows), capsys, header=0, **options)[0].startswith("created: 2")

    @pytest.mark.parametrize(
        "options",
        [
            {"map": ["day=Nirgends"]},
            {"map": ["receipt="]},
            {"payment": ["Bar=SHELLS"]},
            {"prefix": "a b"},
            {"header": 99},
            {"key": "ck_nobodys1"},
        ],
    )
    def test_told_what_is_not_there_stops(
        self, file: Path, capsys: pytest.CaptureFixture[str], waldrand: Tenant, options: dict[str, Any]
    ) -> None:
        with pytest.raises(CommandError):
            imported(file, shop(), capsys, **options)
        assert not SalesImport.objects.exists()
        assert not Transaction.objects.exists()

    def test_a_neighbours_key_is_none_here(
        self, file: Path, capsys: pytest.CaptureFixture[str], waldrand: Tenant
    ) -> None:
        with pytest.raises(CommandError, match="There is no key"):
            imported(file, shop(), capsys, key=mint(waldrand).key.prefix)

    def test_without_a_file_or_a_campground_stops(self, file: Path) -> None:
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("import_sales", str(file), tenant="seeblick")
        with pytest.raises(CommandError, match="no campground"):
            call_command("import_sales", str(file), tenant="nowhere")

    def test_a_file_that_is_none_stops(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(CommandError, match="neither a CSV file"):
            imported(file, b"\x00\x01", capsys)
