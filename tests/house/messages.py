"""The texts of the source that people read, taken out as gettext would take them, and the catalogues made of them.

``python -m tests.house.messages`` rewrites ``campone/locale/*/LC_MESSAGES/django.po`` from the source and compiles
the ``.mo`` files: new texts come in empty, translations stay, what nobody says any more goes. It needs no GNU gettext.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.template import TemplateSyntaxError
from django.utils.translation.template import templatize

from tests.house.documents import OURS, ROOT

PLURAL_FORMS = {
    "de": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "it": "nplurals=2; plural=(n != 1);",
}
CATALOGUES = {code: ROOT / "campone" / "locale" / code / "LC_MESSAGES" / "django.po" for code in PLURAL_FORMS}
# What each argument of a marking function is, under whatever name gettext was imported.
ARGUMENTS = {
    "gettext": ["msgid"],
    "ngettext": ["msgid", "plural"],
    "pgettext": ["context", "msgid"],
    "npgettext": ["context", "msgid", "plural"],
}
MARKS = {f"{name}{ending}": names for name, names in ARGUMENTS.items() for ending in ("", "_lazy")} | {
    "gettext_noop": ["msgid"],
    "_": ["msgid"],
    "_t": ["msgid"],
}


@dataclass(frozen=True, order=True)
class Text:
    """A text as it stands in the source; ``context`` tells apart what English says with one word."""

    msgid: str
    context: str = ""
    plural: str = ""


def files(ending: str) -> list[Path]:
    """The rooms' files with an ending, migrations left out."""
    found = [path for room in OURS for path in (ROOT / room).rglob(f"*{ending}")]
    return sorted(path for path in found if "migrations" not in path.parts)


def messages() -> dict[Text, list[str]]:
    """Every marked text, with the files it stands in; one that counts somewhere stands here as counting."""
    found: dict[Text, list[str]] = {}
    for path in [*files(".py"), *files(".html"), *files(".txt")]:
        source = path.read_text()
        texts = marked_in(source) if path.suffix == ".py" else marked_in_template(source, origin=str(path))
        for text in texts:
            places = found.setdefault(text, [])
            if (name := path.relative_to(ROOT).as_posix()) not in places:
                places.append(name)
    for text in [text for text in found if text.plural]:
        found[text] += found.pop(Text(text.msgid, text.context), [])
    return found


def marked_in(source: str) -> Iterator[Text]:
    """The marked texts of Python code. A name stands for a text that is marked where it is written.

    Raises:
        ValueError: a text is put together while the program runs; nobody could translate it.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (names := MARKS.get(_called(node))):
            said = node.args[: len(names)]
            if any(isinstance(part, ast.JoinedStr | ast.BinOp | ast.Call) for part in said):
                raise ValueError(f"{_called(node)}() of what is no literal, line {node.lineno}")
            if all(isinstance(part, ast.Constant) for part in said):
                yield _text(node, names)


def marked_in_template(source: str, *, origin: str = "") -> Iterator[Text]:
    """The marked texts of a template, found by way of the Python that Django makes of it for xgettext."""
    try:
        code = templatize(source, origin=origin)
    except TemplateSyntaxError as error:
        raise ValueError(f"{origin}: {error}") from None
    for start in _calls(code):
        call = ast.parse(code[start : _end(code, start)].strip(), mode="eval").body
        assert isinstance(call, ast.Call)
        yield _text(call, MARKS[_called(call)])


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(call: ast.Call, names: list[str]) -> Text:
    said = [part.value for part in call.args if isinstance(part, ast.Constant)]
    return Text(**dict(zip(names, map(str, said), strict=False)))


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


def opened(path: Path) -> polib.POFile:
    """A catalogue, or an empty one."""
    return polib.pofile(str(path), wrapwidth=120) if path.exists() else polib.POFile(wrapwidth=120)


def rewritten(old: polib.POFile, said: dict[Text, list[str]], *, language: str) -> polib.POFile:
    """The catalogue of what is said now, in a fixed order, with the translations of the old one."""
    new = polib.POFile(wrapwidth=120)
    new.metadata = {
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURAL_FORMS[language],
    }
    known = {(entry.msgid, entry.msgctxt or ""): entry for entry in old if not entry.obsolete}
    for text in sorted(said):
        new.append(_entry(text, said[text], known.get((text.msgid, text.context))))
    return new


def _entry(text: Text, places: list[str], known: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=text.msgid, msgctxt=text.context or None, occurrences=[(place, "") for place in sorted(places)]
    )
    if "%(" in text.msgid + text.plural or "%d" in text.msgid:
        entry.flags = ["python-format"]
    if text.plural:
        entry.msgid_plural = text.plural
        entry.msgstr_plural = (known and known.msgstr_plural) or {0: "", 1: ""}
    elif known and not known.msgid_plural:
        entry.msgstr = known.msgstr
    return entry


def main() -> int:
    """Rewrite and compile every catalogue; 1 if a text is left without its translation."""
    said, missing = messages(), 0
    for language, path in CATALOGUES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = rewritten(opened(path), said, language=language)
        catalogue.save(str(path))
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        untranslated = catalogue.untranslated_entries()
        missing += len(untranslated)
        sys.stdout.write(f"{language}: {len(catalogue)} texts, {len(untranslated)} to translate\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
