"""The house as its picture shows it: the tree, the sizes, and what the repository speaks of."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.documents import ROOT, blocks_of, section_of

PICTURE = ROOT / "docs" / "explanation" / "the-house.md"
PACKAGES = sorted(path.parent for path in ROOT.glob("*/__init__.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 40

# Longer than a file should be, and why it has not been split. Tests may be longer: a subject has as many
# sentences as it has.
LONG_FILES = {
    "dev.py": "one file that starts with nothing installed, on a Python too old for the others",
    "pos_bridge/contract.py": "the contract is read from top to bottom: fields, then what holds between them",
}

# Longer than a function should be, and why.
LONG_FUNCTIONS = {
    "tests/kasse/test_recording.py:test_keeps_every_value": "one sale with every field, compared field by field",
    "tests/kasse/test_totals.py:test_of_a_breakfast_and_its_refund": "one day with every figure, written out",
}


class TestThePicture:
    TREE = next(blocks_of(section_of(PICTURE.read_text(), "The tree"))).text

    def test_shows_only_what_is_there(self) -> None:
        assert [name for name in names_in(self.TREE) if not (ROOT / name).exists()] == []

    @pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
    def test_shows_every_package(self, package: Path) -> None:
        assert f"{package.name}/" in names_in(self.TREE)

    @pytest.mark.parametrize("package", [path for path in PACKAGES if path.name != "tests"], ids=lambda path: path.name)
    def test_shows_every_room_in_full(self, package: Path) -> None:
        shown = set(names_in(self.TREE))
        unsaid = {"__init__.py", "apps.py"}
        modules = {f"{package.name}/{path.name}" for path in package.glob("*.py") if path.name not in unsaid}

        assert modules <= shown

    def test_draws_the_walls_as_they_are_checked(self) -> None:
        walls = next(blocks_of(section_of(PICTURE.read_text(), "Who may import whom"))).text
        drawn = [line.split("→")[0].strip() for line in walls.splitlines()]
        layers = re.search(r"^layers = \[(.+)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
        assert layers

        assert [set(re.findall(r"\w+", layer)) for layer in layers[1].split(",")] == [
            set(line.split(", ")) for line in drawn
        ]


def names_in(tree: str) -> list[str]:
    """The paths in a drawn tree: names stand before the first wide gap, four blanks lead one level down."""
    found: list[str] = []
    folder = ""
    for line in filter(None, tree.splitlines()):
        names = re.split(r" {2,}", line.strip())[0].split()
        if not line.startswith(" "):
            folder = names[0] if names[0].endswith("/") else ""
            found += names
        else:
            found += [folder + name for name in names]
    return found


def modules() -> list[Path]:
    """Every Python file of ours, migrations left out: they are written by Django."""
    inside = [path for package in PACKAGES for path in package.rglob("*.py") if "migrations" not in path.parts]
    return sorted([*ROOT.glob("*.py"), *inside])


class TestSizes:
    def test_a_long_file_has_its_reason(self) -> None:
        long = {name_of(path) for path in modules() if len(path.read_text().splitlines()) > LONGEST_FILE}

        assert {name for name in long if not name.startswith("tests/")} == set(LONG_FILES)

    def test_a_long_function_has_its_reason(self) -> None:
        sizes = {f"{name_of(path)}:{name}": lines for path in modules() for name, lines in functions_in(path)}
        long = {name for name, lines in sizes.items() if lines > LONGEST_FUNCTION}

        assert long <= set(LONG_FUNCTIONS) <= set(sizes)

    def test_no_module_is_named_after_nothing(self) -> None:
        nameless = {"utils", "util", "helpers", "common", "services", "misc"}

        assert [name_of(path) for path in modules() if {path.stem, *path.parent.parts} & nameless] == []


def name_of(path: Path) -> str:
    """A file by its path in the repository."""
    return path.relative_to(ROOT).as_posix()


def functions_in(path: Path) -> Iterator[tuple[str, int]]:
    """The name of every function, and the lines it has without its docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = node.body[0]
            is_docstring = isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant)
            docstring = (said.end_lineno or 0) - said.lineno + 1 if is_docstring else 0
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - docstring


class TestTheRepository:
    # Brackets round one letter, so that this file, which is searched too, does not find itself.
    FOREIGN = re.compile(
        r"[/]work\b|\.\./[s]hared|py[p]i\.org|python[h]osted|registry\.npm[j]s|[/]home/[a-z]+/|[/]root/\.|[/]tmp/dev\b"
    )

    def test_speaks_of_itself_alone(self) -> None:
        """No machine's paths, no registries: what is here holds everywhere."""
        found = [
            f"{name_of(path)}: {match[0]}"
            for path in tracked_texts()
            for match in [self.FOREIGN.search(path.read_text(encoding="utf-8", errors="replace"))]
            if match
        ]

        assert found == []

    def test_has_no_unfinished_remarks(self) -> None:
        mark = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b")

        assert [name_of(path) for path in modules() if mark.search(path.read_text())] == []


def tracked_texts() -> list[Path]:
    """Every text that belongs to the repository, or is about to; without git, whatever lies here."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        files = [ROOT / name for name in listed.stdout.splitlines()]
    else:
        own = ("docs", "requirements", ".ci", *(package.name for package in PACKAGES))
        files = [*ROOT.glob("*"), *(path for name in own for path in (ROOT / name).rglob("*"))]
    return [path for path in files if path.is_file() and b"\0" not in path.read_bytes()[:1000]]
