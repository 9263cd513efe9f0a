"""The page of threats names tests; each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "explanation" / "threats.md"
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| threat |")]


class TestThePageOfThreats:
    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
    def test_names_a_test_that_exists(self, row: str) -> None:
        named = re.findall(r"`(\w+/test_\w+\.py)(?:::(\w+))?`", row)

        assert named
        for file, part in named:
            tree = ast.parse((TESTS / file).read_text())
            names = {each.name for each in tree.body if isinstance(each, ast.ClassDef | ast.FunctionDef)}
            assert not part or part in names, (file, part)

    def test_has_rows(self) -> None:
        assert len(ROWS) > 40
