"""The pages: links resolve, examples run, commands exist, decisions are whole."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

import dev
from tenants.models import Tenant
from tests.factories import ProductFactory, mint
from tests.house.documents import (
    ROOT,
    anchors_of,
    blocks_of,
    command_named,
    headings_of,
    links_of,
    named,
    pages,
    sources,
)
from tests.house.reader import SERVICE, Reader, commands_in

EXAMPLE_HOST = re.compile(r"(127\.0\.0\.1|localhost|([a-z0-9.-]+\.)?[a-z0-9-]+\.(example|localhost))")
EVERY_PAGE = pytest.mark.parametrize("page", pages(), ids=named)


class TestAPage:
    @EVERY_PAGE
    def test_has_one_title(self, page: Path) -> None:
        assert len(re.findall(r"^# ", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE)) == 1

    @EVERY_PAGE
    def test_links_to_what_is_there(self, page: Path) -> None:
        for link in links_of(page.read_text()):
            address, _, fragment = link.partition("#")
            if urlsplit(link).scheme:
                continue
            target = (page.parent / address).resolve() if address else page
            assert target.exists(), link
            assert target.is_relative_to(ROOT), link
            if fragment:
                assert fragment in anchors_of(target.read_text()), link

    @EVERY_PAGE
    def test_names_no_host_but_examples(self, page: Path) -> None:
        addresses = re.findall(r"\b[a-z][a-z0-9+.-]*://(?:[^\s/@]*@)?([^\s/?#:)>\"'`|,;]+)", page.read_text())

        hosts = {address.rstrip(".…") for address in addresses}

        assert [host for host in hosts if host and not EXAMPLE_HOST.fullmatch(host)] == []

    @EVERY_PAGE
    def test_shows_commands_that_exist(self, page: Path) -> None:
        for words in shown_commands(page.read_text()):
            if "dev.py" in words:
                assert words[words.index("dev.py") + 1] in dev.CALLS
            django = next((each for each in ("manage.py", "manage") if each in words), None)
            if django is not None:
                name, *arguments = words[words.index(django) + 1 :]
                command_named(name).create_parser("manage.py", name).parse_args(arguments)


def shown_commands(text: str) -> Iterator[list[str]]:
    """The words of every command line shown on a page, however it is embedded."""
    for block in blocks_of(text):
        if block.language == "sh":
            for command in commands_in(re.sub(r"^#.*\n", "", block.text, flags=re.MULTILINE)):
                inner = re.sub(r"^[A-Z_]+=\$\((.*)\)$", r"\1", command)
                yield [word for word in shlex.split(inner) if word not in {"&&", "|"}]


class TestExamples:
    """Pages that show calls: every marked block is typed and compared, from top to bottom."""

    @pytest.fixture
    def reader(self, settings: Settings, seeblick: Tenant, waldrand: Tenant) -> Reader:
        settings.PUBLIC_URL = SERVICE
        ProductFactory.create(tenant=seeblick, sku="CROI", category="Backwaren")
        ProductFactory.create(tenant=seeblick, sku="EIS-1", name="Rakete", unit_price="2.50", active=False)
        return Reader(TOKEN=mint(seeblick).token, API=f"{SERVICE}/api/v1/public/pos")

    @pytest.mark.parametrize(
        "page", ["README.md", "docs/tutorials/connect-your-first-till.md", "docs/reference/api.md"]
    )
    def test_do_what_the_page_shows(self, reader: Reader, page: str) -> None:
        tested = [block for block in blocks_of((ROOT / page).read_text()) if block.marker]
        assert tested
        for block in tested:
            if block.marker == "run":
                reader.type_in(block.text)
            else:
                if block.marker == "repeat":
                    reader.repeat()
                reader.compare(block.text, with_body=block.marker == "answer")

    def test_print_the_access_that_the_tutorial_shows(self) -> None:
        page = (ROOT / "docs/tutorials/connect-your-first-till.md").read_text()
        shown = next(block.text for block in blocks_of(page) if block.text.startswith("Service "))
        printed = (ROOT / "campone" / "demo" / "access.py").read_text()

        for line in shown.splitlines():
            label = line.split("  ", 1)[0]
            assert re.search(rf"^{label} +\S", printed, re.MULTILINE), line


class TestReadme:
    TEXT = (ROOT / "README.md").read_text()

    def test_opens_with_the_two_commands(self) -> None:
        first = next(blocks_of(self.TEXT))

        assert list(commands_in(re.sub(r" +#.*", "", first.text))) == ["python3 dev.py run", "python3 dev.py test"]
        assert self.TEXT.index("```") < 400

    def test_leads_to_every_kind_of_page(self) -> None:
        for kind in ("tutorials", "how-to", "reference", "explanation"):
            assert f"docs/{kind}/" in self.TEXT


class TestTheMap:
    def test_leads_to_every_page(self) -> None:
        docs = ROOT / "docs"
        led_to = {(docs / link).resolve() for link in links_of((docs / "README.md").read_text())}

        assert [page for page in docs.rglob("*.md") if page not in led_to | {docs / "README.md"}] == []


class TestDecisions:
    FILES = sorted((ROOT / "docs" / "adr").glob("*.md"))

    def test_are_numbered_without_gaps(self) -> None:
        assert [path.name[:5] for path in self.FILES] == [f"{number:04}-" for number in range(1, len(self.FILES) + 1)]

    @pytest.mark.parametrize("path", FILES, ids=named)
    def test_say_situation_choice_cost_and_what_would_change_our_mind(self, path: Path) -> None:
        title, *parts = headings_of(path.read_text())

        assert title.startswith(path.name[:4] + " ")
        assert parts == ["Situation", "Choice", "Cost", "What would change our mind"]

    def test_that_code_refers_to_are_there(self) -> None:
        numbers = {path.name[:4] for path in self.FILES}
        for path in sources():
            assert set(re.findall(r"ADR (\d{4})", path.read_text())) <= numbers, path


class TestChangelog:
    TEXT = (ROOT / "CHANGELOG.md").read_text()

    def test_has_the_version_that_is_built(self) -> None:
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

        assert any(heading.startswith(version) for heading in headings_of(self.TEXT))

    def test_speaks_to_each_reader(self) -> None:
        assert {"For till makers", "For staff", "For operators"} <= set(headings_of(self.TEXT))
