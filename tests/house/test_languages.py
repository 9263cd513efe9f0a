"""Every text that people read, in each language of the house."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest
from django.contrib import admin
from django.db.models import Model
from django.utils.functional import Promise

from tests.house.documents import ROOT
from tests.house.literals import literals_in
from tests.house.messages import (
    CATALOGUES,
    PLURAL_FORMS,
    Text,
    files,
    marked_in,
    marked_in_template,
    messages,
    rewritten,
)
from tests.house.messages import opened as catalogue_at

PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|%%|</?\w+>")
TEMPLATES = [path for path in files(".html") if path.name != "errors.html"]
"""All but the page of error codes, which is English whole: it explains to till makers what the API says."""


@pytest.fixture(scope="module")
def said() -> dict[Text, list[str]]:
    return messages()


@pytest.fixture(scope="module", params=CATALOGUES)
def path(request: pytest.FixtureRequest) -> Path:
    return CATALOGUES[request.param]


@pytest.fixture(scope="module")
def catalogue(path: Path) -> polib.POFile:
    return catalogue_at(path)


def text_of(entry: polib.POEntry) -> Text:
    return Text(entry.msgid, entry.msgctxt or "", entry.msgid_plural)


def said_by(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


class TestACatalogue:
    def test_knows_every_text_of_the_source(self, said: dict[Text, list[str]], catalogue: polib.POFile) -> None:
        known = {text_of(entry) for entry in catalogue if not entry.obsolete}

        assert {text.msgid: where for text, where in said.items() if text not in known} == {}

    def test_holds_nothing_that_the_source_no_longer_says(
        self, said: dict[Text, list[str]], catalogue: polib.POFile
    ) -> None:
        assert [entry.msgid for entry in catalogue if text_of(entry) not in said] == []

    def test_leaves_nothing_untranslated(self, catalogue: polib.POFile) -> None:
        missing = [entry.msgid for entry in catalogue if not all(said_by(entry)) or "fuzzy" in entry.flags]

        assert missing == []

    def test_has_a_form_for_every_number(self, path: Path, catalogue: polib.POFile) -> None:
        assert catalogue.metadata["Plural-Forms"] == PLURAL_FORMS[path.parts[-3]]
        assert [entry.msgid for entry in catalogue if entry.msgid_plural and len(said_by(entry)) != 2] == []

    def test_keeps_what_is_filled_in(self, catalogue: polib.POFile) -> None:
        changed = {}
        for entry in catalogue:
            wanted = set(PLACE.findall(entry.msgid + entry.msgid_plural))
            for text in said_by(entry):
                found = set(PLACE.findall(text))
                if text and not (found <= wanted if entry.msgid_plural else found == wanted):
                    changed[entry.msgid] = text

        assert changed == {}

    def test_in_french_says_how_many_where_one_form_is_for_none_too(self) -> None:
        counted = [entry for entry in catalogue_at(CATALOGUES["fr"]) if entry.msgid_plural]
        places = {entry.msgid: [set(PLACE.findall(text)) for text in said_by(entry)] for entry in counted}

        assert [msgid for msgid, (one, several) in places.items() if one != several] == [
            "Sent once.",
            "The day before",
        ], "of which there never are none"

    def test_ends_a_sentence_where_the_source_does(self, catalogue: polib.POFile) -> None:
        ends = {
            entry.msgid: text
            for entry in catalogue
            for text in filter(None, said_by(entry))
            for end in ".?:"
            if entry.msgid.endswith(end) != text.endswith(end) and "written" not in (entry.msgctxt or "")
        }

        assert ends == {}

    def test_is_written_as_in_switzerland(self, path: Path, catalogue: polib.POFile) -> None:
        foreign = re.compile("[\u00df\u201c\u201d\u201e]")

        assert [text for entry in catalogue for text in said_by(entry) if foreign.search(text)] == []

    def test_stands_in_a_fixed_order(self, catalogue: polib.POFile) -> None:
        """As ``python -m tests.house.messages`` writes it: two people's additions meet in few lines."""
        texts = [text_of(entry) for entry in catalogue]

        assert texts == sorted(texts)

    def test_is_compiled_as_it_stands(self, path: Path, catalogue: polib.POFile) -> None:
        compiled = polib.mofile(str(path.with_suffix(".mo")))

        assert {(e.msgctxt, e.msgid): (e.msgstr, e.msgstr_plural) for e in compiled} == {
            (e.msgctxt, e.msgid): (e.msgstr, e.msgstr_plural) for e in catalogue.translated_entries()
        }


class TestATemplate:
    @pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
    def test_says_nothing_that_no_language_can_change(self, path: Path) -> None:
        assert literals_in(path.read_text()) == []


class TestTheAdmin:
    @pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model._meta.label)
    def test_names_every_register_and_column_in_words_that_can_be_translated(self, model: type[Model]) -> None:
        meta = model._meta
        names = {field.name: field.verbose_name for field in meta.fields}
        helps = {f"{field.name}?": field.help_text for field in meta.fields if field.help_text}
        words = {"": meta.verbose_name, "s": meta.verbose_name_plural, **names, **helps}

        # The key that Django makes by itself is on no page.
        assert [name for name, word in words.items() if name != "id" and not isinstance(word, Promise)] == []


class TestTheSearchForTexts:
    def test_finds_what_is_marked(self) -> None:
        code = '_("Sign in"); ngettext("%d key", "%d keys", n); pgettext("menu", "Open"); translation.gettext("Go")'

        assert sorted(marked_in(code)) == sorted(
            [Text("Sign in"), Text("%d key", plural="%d keys"), Text("Open", context="menu"), Text("Go")]
        )

    def test_finds_what_a_template_marks(self) -> None:
        template = """{% load i18n %}{% translate "Times" context "how often" %}{% translate 'Times' as label %}
            {% blocktranslate trimmed count n=sales %}one sale{% plural %}{{ n }} sales{% endblocktranslate %}"""

        assert sorted(marked_in_template(template)) == sorted(
            [Text("Times", context="how often"), Text("Times"), Text("one sale", plural="%(n)s sales")]
        )

    def test_refuses_what_nobody_could_translate(self) -> None:
        with pytest.raises(ValueError, match="no literal"):
            list(marked_in('_(f"{count} sales")'))

    def test_finds_what_a_template_says_by_itself(self) -> None:
        template = """<p title="Guests">{% comment %}A note{% endcomment %}{{ name }} · <code>pos:read</code> CHF?
            <span aria-label="{% translate 'Close' %}">{% blocktranslate %}Fine{% endblocktranslate %}</span></p>"""

        assert literals_in(template) == ["Guests", "CHF?"]


class TestRewriting:
    OLD = polib.POFile()
    OLD.append(polib.POEntry(msgid="Cash desk", msgstr="Kasse"))
    OLD.append(polib.POEntry(msgid="Fax", msgstr="Fax"))

    def test_keeps_translations_and_drops_what_is_gone(self) -> None:
        said = {Text("Sign in"): ["tenants/views.py"], Text("Cash desk"): ["kasse/apps.py"]}

        new = rewritten(self.OLD, said, language="de")

        assert [(entry.msgid, entry.msgstr) for entry in new] == [("Cash desk", "Kasse"), ("Sign in", "")]
        assert new[0].occurrences == [("kasse/apps.py", "")]

    def test_asks_again_for_a_text_that_begins_to_count(self) -> None:
        new = rewritten(self.OLD, {Text("Cash desk", plural="Cash desks"): ["kasse/apps.py"]}, language="de")

        assert new[0].msgstr_plural == {0: "", 1: ""}
