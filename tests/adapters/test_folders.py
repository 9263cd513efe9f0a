"""The contract for a vendor: what every folder has, so that the next one is told what it lacks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from adapters.vendor import Vendor
from adapters.vendors import VENDORS
from adapters.words import REASONS, REMARKS, TROUBLES
from kasse import marks
from pos_bridge.cashier import LONGEST
from tests.adapters.samples import ADAPTERS, expected_of, samples_of
from tests.house.documents import ROOT

FOLDERS = sorted(path.parent for path in ADAPTERS.glob("*/mapping.py"))
EVERY_FOLDER = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
EVERY_VENDOR = pytest.mark.parametrize("vendor", VENDORS.values(), ids=lambda vendor: vendor.code)


class TestAFolder:
    @EVERY_FOLDER
    def test_is_known_by_its_name(self, folder: Path) -> None:
        assert VENDORS[folder.name].code == folder.name

    @EVERY_FOLDER
    def test_has_a_door_or_fetches(self, folder: Path) -> None:
        assert (folder / "__init__.py").exists()
        assert (folder / "receiver.py").exists() or (folder / "poller.py").exists()

    @EVERY_FOLDER
    def test_has_samples_each_with_what_it_becomes(self, folder: Path) -> None:
        samples = samples_of(folder.name)
        assert len(samples) >= 5
        assert {path.name for path in folder.glob("samples/*.json")} == {
            name for path in samples for name in (path.name, f"{path.stem}.expected.json")
        }

    @EVERY_FOLDER
    def test_shows_a_sale_a_refund_and_one_that_waits(self, folder: Path) -> None:
        expected = [expected_of(sample) for sample in samples_of(folder.name)]
        totals = [sale["total"] for each in expected if isinstance(each, list) for sale in each]

        assert any(not total.startswith("-") for total in totals)
        assert any(total.startswith("-") for total in totals)
        assert any(isinstance(each, dict) for each in expected)

    @EVERY_FOLDER
    def test_knows_no_django_where_it_maps_nor_another_vendor(self, folder: Path) -> None:
        others = {path.name for path in FOLDERS} - {folder.name}
        for module in folder.glob("*.py"):
            imported = set(imports_of(module))
            assert not {name for name in imported for other in others if name.startswith(f"adapters.{other}")}
            if module.name == "mapping.py":
                assert not {name for name in imported if name.split(".")[0] in {"django", "rest_framework"}}
                assert not {name for name in imported if name.endswith("models")}

    @EVERY_FOLDER
    def test_begins_every_reference_with_its_name(self, folder: Path) -> None:
        for sample in samples_of(folder.name):
            expected = expected_of(sample)
            for sale in expected if isinstance(expected, list) else []:
                for name in sale["names"]:
                    assert re.fullmatch(rf"{folder.name}(:[A-Za-z0-9._~-]+)+", name), name
                    assert len(name) <= 255

    @EVERY_FOLDER
    def test_has_words_for_every_reason(self, folder: Path) -> None:
        for code in codes_given_to("Unmappable", folder.glob("*.py")):
            assert code in REASONS, code

    @EVERY_FOLDER
    def test_is_told_to_people(self, folder: Path) -> None:
        page = ROOT / "docs" / "how-to" / f"connect-{folder.name}.md"
        assert VENDORS[folder.name].label in page.read_text()
        status = (ADAPTERS / "README.md").read_text()
        assert re.search(rf"\(`{folder.name}/`\).*not certified", status)


class TestAVendor:
    @EVERY_VENDOR
    def test_answers_every_refusal_in_its_own_shape(self, vendor: Vendor) -> None:
        body = vendor.refusal("invalid_key", "x" * LONGEST)

        assert body
        assert len(str(body)) < 200

    @EVERY_VENDOR
    def test_tells_staff_what_to_do_with_its_address(self, vendor: Vendor) -> None:
        assert bool(vendor.deeds) == bool(vendor.address_help)

    def test_that_is_missing_takes_its_folder_along(self) -> None:
        assert {path.name for path in FOLDERS} == set(VENDORS)


class TestWords:
    def test_are_there_for_every_reason_of_the_frame(self) -> None:
        for code in codes_given_to("Unmappable", ADAPTERS.glob("*.py")):
            assert code in REASONS, code

    def test_are_there_for_every_trouble(self) -> None:
        for code in codes_given_to("Trouble", ADAPTERS.rglob("*.py")):
            assert code in TROUBLES, code

    def test_are_there_for_every_remark_of_a_sample(self) -> None:
        expected = [expected_of(sample) for vendor in VENDORS for sample in samples_of(vendor)]
        said = {code for each in expected if isinstance(each, list) for sale in each for code in sale.get("review", [])}

        assert said
        assert said <= set(REMARKS) <= set(marks.REMARKS)

    def test_fit_what_a_row_holds(self) -> None:
        assert all(len(code) <= 40 for code in (*REASONS, *TROUBLES))


def imports_of(module: Path) -> list[str]:
    """The modules that a module imports."""
    found: list[str] = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


def codes_given_to(name: str, modules: Iterable[Path]) -> set[str]:
    """The texts given first to every call of ``name``."""
    calls = [
        node
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and node.args
    ]
    first = [call.args[0] for call in calls]
    return {each.value for each in first if isinstance(each, ast.Constant) and isinstance(each.value, str)}
