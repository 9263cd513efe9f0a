"""What can be asked of a run, and what is kept of it."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime, timezone
from pathlib import Path

import pytest

import bench.__main__
from bench import report
from bench.__main__ import PARTS, keep, read_parts
from bench.conditions import Conditions
from bench.contest import Route


class TestReadParts:
    def test_takes_several(self) -> None:
        assert read_parts("product,floor") == {"product", "floor"}

    def test_knows_them_all(self) -> None:
        assert read_parts(",".join(PARTS)) == PARTS

    def test_refuses_what_is_no_part(self) -> None:
        with pytest.raises(ArgumentTypeError, match="no such part: till"):
            read_parts("product,till")


class TestKeep:
    @pytest.fixture
    def page(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        page = tmp_path / "performance.md"
        page.write_text(f"# Performance\n\n{report.BEGIN}\n\n{report.END}\n")
        monkeypatch.setattr(report, "PAGE", page)
        monkeypatch.setattr(bench.__main__, "ROOT", tmp_path)
        monkeypatch.setattr(bench.__main__, "VAR", tmp_path / "var")
        return page

    def test_writes_the_page_after_a_whole_run(self, page: Path, capsys: pytest.CaptureFixture[str]) -> None:
        keep(nothing_measured(whole=True))

        shown = capsys.readouterr().out.strip()
        assert "2 cores of A processor" in shown
        assert page.read_text() == f"# Performance\n\n{report.BEGIN}\n\n{shown}\n\n{report.END}\n"
        assert len(list((page.parent / "var").glob("*.json"))) == 1

    def test_leaves_the_page_alone_after_any_other(self, page: Path) -> None:
        before = page.read_text()

        keep(nothing_measured(whole=False))

        assert page.read_text() == before


def nothing_measured(*, whole: bool) -> report.Report:
    conditions = Conditions("A processor", 2, "6.1", "3.12", "16.4", 250.0, 0.1)
    at = datetime(2026, 4, 29, 8, 14, 32, tzinfo=timezone.utc)
    return report.Report(at, whole, conditions, {Route.POST.value: {}}, {}, None, None, None)
