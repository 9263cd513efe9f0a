"""What a template says without asking the catalogue: words between its tags, and in the attributes that people meet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from django.template.base import Lexer, TokenType

# Names, units and what is written alike everywhere.
SAME_EVERYWHERE = {
    *["CampOne", "API", "URL", "SAP", "CSV", "Excel", "XML", "PDF", "JSON", "OData", "SOAP", "QR", "Z", "ms"],
    *["Authorization", "Bearer", "curl", "Python", "JavaScript", "W"],
}
SAID = {"aria-label", "title", "alt", "placeholder", "data-done", "data-label"}
WORD = re.compile(r"[^\W\d_]+")


def literals_in(source: str) -> list[str]:
    """Each text that no language can change; code, scripts and what stands in another language on purpose left out."""
    reader = _Reader()
    reader.feed("".join(_static(source)))
    reader.close()
    return [text for text in reader.found if set(WORD.findall(text)) - SAME_EVERYWHERE]


def _static(source: str) -> Iterator[str]:
    """The parts of a template that no tag makes; a gap where something is filled in."""
    hidden = ""
    for token in Lexer(source).tokenize():
        name = token.contents.split()[0] if token.token_type is TokenType.BLOCK else ""
        if hidden:
            hidden = "" if name == f"end{hidden}" else hidden
        elif name in ("blocktranslate", "blocktrans", "comment"):
            hidden = name
        elif token.contents == "block bodyclass":
            hidden = "block"
        elif token.token_type is TokenType.TEXT:
            yield token.contents
        elif token.token_type is not TokenType.COMMENT:
            yield "\N{HORIZONTAL ELLIPSIS}" if name == "" else ""


class _Reader(HTMLParser):
    """Collects what people see or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self.silent or tag in ("code", "pre", "script", "style") or (tag != "html" and "lang" in given):
            self.silent.append(tag) if tag not in ("input", "br", "meta", "link", "img") else None
            return
        said = [value for name, value in attrs if name in SAID and value]
        if tag == "input" and given.get("type") in ("submit", "button"):
            said.append(given.get("value") or "")
        self.found += [text.strip() for text in said if WORD.search(text)]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.silent:
            while self.silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.silent and WORD.search(data):
            self.found.append(" ".join(data.split()))
