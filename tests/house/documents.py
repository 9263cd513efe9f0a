"""The project's pages as tests read them: code blocks with their markers, headings, links.

A block is tested if an HTML comment stands on the line before it: ``<!-- test: run -->`` is typed by
``reader.Reader``, ``<!-- test: answer -->``, ``status`` and ``repeat`` are compared with what came back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

ROOT = Path(__file__).resolve().parents[2]
OURS = {"campone", "adapters", "pos_bridge", "journal", "kasse", "catalogue", "apikeys", "tenants"}
REFERENCE = ROOT / "docs" / "reference"
FENCE = re.compile(
    r"^(?:<!-- test: (?P<marker>[a-z]+) -->\n)?```(?P<language>[a-z]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; ``marker`` is empty where no test looks at it, ``language`` where none is named."""

    marker: str
    language: str
    text: str


def pages() -> list[Path]:
    """Every page of the project, those at the top of the repository and of its folders included."""
    return sorted({*ROOT.glob("*.md"), *ROOT.glob("[!.]*/README.md"), *(ROOT / "docs").rglob("*.md")})


def named(path: Path) -> str:
    """A page as a test's id."""
    return path.relative_to(ROOT).as_posix()


def reference(name: str) -> str:
    """The text of a page in ``docs/reference``."""
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def blocks_of(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for match in FENCE.finditer(text):
        yield Block(match["marker"] or "", match["language"], match["text"])


def prose_of(text: str) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", text)


def headings_of(text: str) -> list[str]:
    """Headings as written, without their number signs."""
    return re.findall(r"^#{1,6} (.+?)\s*$", prose_of(text), re.MULTILINE)


def anchors_of(text: str) -> set[str]:
    """The fragments that lead into a page: its headings as code hosts spell them, and ids given by hand."""
    spelled = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings_of(text)}
    return spelled | set(re.findall(r'<a id="([^"]+)">', text))


def links_of(text: str) -> list[str]:
    """Where a page's links and pictures lead, as written."""
    return LINK.findall(prose_of(text))


def section_of(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level or above."""
    match = re.search(rf"^(#+) {re.escape(heading)}\s*$", text, re.MULTILINE)
    assert match, f"There is no heading {heading!r}."
    rest = text[match.end() :]
    end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def sources() -> list[Path]:
    """The modules of our packages."""
    return sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


def command_named(name: str) -> BaseCommand:
    """One of the commands of manage.py, ours or Django's."""
    found = get_commands()[name]
    return found if isinstance(found, BaseCommand) else load_command_class(found, name)
