"""The texts of the source that people read, taken out as gettext would take them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from django.template import TemplateSyntaxError
from django.utils.translation.template import templatize

from tests.house.documents import ROOT

ROOMS = ["adapters", "apikeys", "campone", "catalogue", "journal", "kasse", "pos_bridge", "tenants"]
# How a text is marked, under whatever name gettext was imported; where its plural stands.
MARKS = {"_": 0, "_t": 0, "gettext": 0, "gettext_lazy": 0, "gettext_noop": 0}
PLURALS = {"ngettext": 0, "ngettext_lazy": 0}
CONTEXTS = {"pgettext": 1, "pgettext_lazy": 1}


def files(ending: str) -> list[Path]:
    """The rooms' files with an ending, migrations and catalogues left out."""
    found = [path for room in ROOMS for path in (ROOT / room).rglob(f"*{ending}")]
    return sorted(path for path in found if "migrations" not in path.parts)


def messages() -> dict[str, str]:
    """Every marked text, with the first file that it stands in."""
    found: dict[str, str] = {}
    for path in files(".py"):
        for text in marked_in(path.read_text()):
            found.setdefault(text, path.relative_to(ROOT).as_posix())
    for path in [*files(".html"), *files(".txt")]:
        for text in marked_in_template(path):
            found.setdefault(text, path.relative_to(ROOT).as_posix())
    return found


def marked_in(source: str) -> Iterator[str]:
    """The marked texts of Python code. A name stands for a text that is marked where it is written.

    Raises:
        ValueError: a text is put together while the program runs; nobody could translate it.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        place = {**MARKS, **PLURALS, **CONTEXTS}.get(name)
        if place is None:
            continue
        said = node.args[place]
        if isinstance(said, ast.JoinedStr | ast.BinOp | ast.Call):
            raise ValueError(f"{name}() of what is no literal, line {node.lineno}")
        if isinstance(said, ast.Constant):
            yield str(said.value)


def marked_in_template(path: Path) -> Iterator[str]:
    """The marked texts of a template, found by way of the Python that Django makes of it for xgettext."""
    try:
        code = templatize(path.read_text(), origin=str(path))
    except TemplateSyntaxError as error:
        raise ValueError(f"{path}: {error}") from None
    for start in _calls(code):
        call = ast.parse(code[start : _end(code, start)].strip(), mode="eval").body
        assert isinstance(call, ast.Call)
        said = call.args[1 if "pgettext" in ast.unparse(call.func) else 0]
        assert isinstance(said, ast.Constant)
        yield str(said.value)


def _calls(code: str) -> Iterator[int]:
    for name in (" gettext(", " ngettext(", " pgettext(", " npgettext(", " _("):
        start = code.find(name)
        while start >= 0:
            yield start + 1
            start = code.find(name, start + 1)


def _end(code: str, start: int) -> int:
    """The shortest stretch from ``start`` on that is a whole expression."""
    end = code.index(")", start) + 1
    while True:
        try:
            ast.parse(code[start:end].strip(), mode="eval")
        except SyntaxError:
            end = code.index(")", end) + 1
        else:
            return end
