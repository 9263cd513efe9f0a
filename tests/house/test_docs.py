"""The pages: links resolve, examples run, and the reference names everything there is."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from pytest_django import Settings
from rest_framework import serializers

import dev
from apikeys.models import Scope
from pos_bridge.contract import SaleSerializer
from pos_bridge.models import Outcome
from pos_bridge.problem_examples import problem_examples
from pos_bridge.problems import KINDS, RETRYABLE
from pos_bridge.queries import ProductQuery, TransactionQuery
from tenants.models import Tenant
from tests.factories import ProductFactory, mint
from tests.house.documents import (
    ROOT,
    anchors_of,
    blocks_of,
    headings_of,
    links_of,
    named,
    pages,
    reference,
    section_of,
)
from tests.house.reader import SERVICE, Reader, commands_in

OURS = {"campone", "pos_bridge", "kasse", "catalogue", "apikeys", "tenants"}
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
        addresses = re.findall(r"\b[a-z][a-z0-9+.-]*://[^\s)>\"'`|]+", page.read_text())
        hosts = {urlsplit(re.sub(r"[<$…{].*", "", address)).hostname or "" for address in addresses}

        assert [host for host in hosts if host and not EXAMPLE_HOST.fullmatch(host)] == []

    @EVERY_PAGE
    def test_shows_commands_that_exist(self, page: Path) -> None:
        for words in shown_commands(page.read_text()):
            if "dev.py" in words:
                assert words[words.index("dev.py") + 1] in dev.CALLS
            elif "manage.py" in words:
                name, *arguments = words[words.index("manage.py") + 1 :]
                command_named(name).create_parser("manage.py", name).parse_args(arguments)


def shown_commands(text: str) -> Iterator[list[str]]:
    """The words of every command line shown on a page, however it is embedded."""
    for block in blocks_of(text):
        if block.language == "sh":
            for command in commands_in(re.sub(r"^#.*\n", "", block.text, flags=re.MULTILINE)):
                inner = re.sub(r"^[A-Z_]+=\$\((.*)\)$", r"\1", command)
                yield [word for word in shlex.split(inner) if word not in {"&&", "|"}]


def command_named(name: str) -> BaseCommand:
    """One of the commands of manage.py, ours or Django's."""
    found = get_commands()[name]
    return found if isinstance(found, BaseCommand) else load_command_class(found, name)


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


class TestDecisions:
    FILES = sorted((ROOT / "docs" / "adr").glob("*.md"))

    def test_are_numbered_without_gaps(self) -> None:
        assert [path.name[:5] for path in self.FILES] == [f"{number:04}-" for number in range(1, len(self.FILES) + 1)]

    @pytest.mark.parametrize("path", FILES, ids=named)
    def test_say_situation_choice_cost_and_what_would_change_our_mind(self, path: Path) -> None:
        title, *parts = headings_of(path.read_text())

        assert title.startswith(path.name[:4] + " ")
        assert parts == ["Situation", "Choice", "Cost", "What would change our mind"]

    @pytest.mark.parametrize("path", FILES, ids=named)
    def test_are_linked_from_the_map(self, path: Path) -> None:
        assert f"adr/{path.name}" in (ROOT / "docs" / "README.md").read_text()

    def test_that_code_refers_to_are_there(self) -> None:
        numbers = {path.name[:4] for path in self.FILES}
        for path in sources():
            assert set(re.findall(r"ADR (\d{4})", path.read_text())) <= numbers, path


def sources() -> list[Path]:
    """The modules of our packages."""
    return sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


class TestChangelog:
    TEXT = (ROOT / "CHANGELOG.md").read_text()

    def test_has_the_version_that_is_built(self) -> None:
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

        assert any(heading.startswith(version) for heading in headings_of(self.TEXT))

    def test_speaks_to_each_reader(self) -> None:
        assert {"For till makers", "For staff", "For operators"} <= set(headings_of(self.TEXT))


class TestCommandsPage:
    TEXT = reference("commands")

    @pytest.mark.parametrize("name", sorted(name for name, app in get_commands().items() if app in OURS))
    def test_names_every_command_with_its_options(self, name: str) -> None:
        section = section_of(self.TEXT, f"`{name}`")
        parser = command_named(name).create_parser("manage.py", name)
        stock = {option for action in BaseCommand().create_parser("", "")._actions for option in action.option_strings}
        for action in parser._actions:
            for option in set(action.option_strings) - stock:
                assert f"`{option}" in section, option
            if not action.option_strings:
                assert f"`{action.metavar or action.dest.upper()}`" in section, action.dest

    @pytest.mark.parametrize("call", dev.CALLS)
    def test_names_every_call_of_dev(self, call: str) -> None:
        assert f"`{call}`" in headings_of(section_of(self.TEXT, "dev.py"))


class TestSettingsPage:
    TEXT = reference("settings")

    def test_names_every_variable_with_its_default(self) -> None:
        rows = dict(re.findall(r"^\| `([A-Z_]+)` \|[^|]*\| ([^|]*?) \|", self.TEXT, re.MULTILINE))
        read = dict(variables_read())

        assert set(rows) == set(read)
        for name, default in read.items():
            if default is not None:
                assert rows[name] == default, name

    def test_agrees_with_the_example_for_operators(self) -> None:
        shown = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

        assert set(dict(variables_read())) <= shown | {"DEVELOPMENT", "STATIC_ROOT", "DATABASE_URL"}


def variables_read() -> Iterator[tuple[str, str | None]]:
    """Each variable that ``environment.py`` reads, with its default as the page writes it; None if computed."""
    for node in ast.walk(ast.parse((ROOT / "campone" / "environment.py").read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "env":
                name, *rest = node.args
                yield ast.literal_eval(name), default_as_written(rest[0] if rest else None)


def default_as_written(node: ast.expr | None) -> str | None:
    """`` `8` `` for a number, ``needed`` for an empty text or list that the checks refuse."""
    if not isinstance(node, ast.Constant | ast.List):
        return None
    value: Any = ast.literal_eval(node)
    if value in ("", []):
        return None
    return f"`{int(value) if isinstance(value, bool) else value}`"


class TestErrorsPage:
    TEXT = reference("errors")

    def test_has_a_section_for_each_code_and_no_other(self) -> None:
        sections = re.findall(r"^### `(\w+)`$", self.TEXT, re.MULTILINE)

        assert sorted(sections) == sorted(KINDS)

    @pytest.mark.parametrize("code", KINDS)
    def test_says_what_the_answer_says(self, code: str) -> None:
        section = " ".join(section_of(self.TEXT, f"`{code}`").split())
        kind = KINDS[code]

        assert f"**{kind.status.value} {kind.status.phrase}**" in section
        assert f"{kind.title} {kind.advice}" in section
        assert ("Repeat: yes" if kind.status in RETRYABLE else "Repeat: no") in section

    @pytest.mark.parametrize("code", KINDS)
    def test_shows_the_body(self, code: str) -> None:
        shown = [json.loads(block.text) for block in blocks_of(section_of(self.TEXT, f"`{code}`"))]

        assert shown == [body for name, body in problem_examples().items() if name.partition(".")[0] == code][:1]

    def test_names_every_code_of_a_field(self) -> None:
        rows = set(re.findall(r"^\| `(\w+)` \|", section_of(self.TEXT, "Codes of single faults"), re.MULTILINE))

        assert field_codes() - set(KINDS) <= rows

    def test_names_every_warning(self) -> None:
        rows = set(re.findall(r"^\| `(\w+)` \|", section_of(self.TEXT, "Warnings"), re.MULTILINE))

        assert rows == codes_given_to("Remark", 0)


def field_codes() -> set[str]:
    """Every code that a single fault can carry: those of the fields, and those raised by name."""
    raised = codes_given_to("Fault", 1) | codes_given_to("Malformed", 0) | codes_given_to("_sum_fault", 0)
    fields = [SaleSerializer(), TransactionQuery(), ProductQuery()]
    return raised | {code for each in fields for code in codes_of(each)}


def codes_of(field: serializers.Field[Any, Any, Any, Any]) -> Iterator[str]:
    """The codes a field can fail with, those of the fields inside it included."""
    unreachable = {"min_length", "invalid_unicode"}
    yield from set(field.error_messages) - unreachable
    if isinstance(field, serializers.ListSerializer):
        yield from codes_of(cast(Any, field.child))
    if isinstance(field, serializers.Serializer):
        for inner in field.fields.values():
            yield from codes_of(cast(Any, inner))


def codes_given_to(name: str, place: int) -> set[str]:
    """The texts that stand at one place in every call of ``name`` in the bridge."""
    calls = [node for path in sources() for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    given = [
        call.args[place]
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == name and len(call.args) > place
    ]
    return {node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str)}


class TestApiPage:
    TEXT = reference("api")

    @pytest.mark.parametrize("scope", Scope.values)
    def test_names_every_scope(self, scope: str) -> None:
        assert f"`{scope}`" in self.TEXT

    @pytest.mark.parametrize("outcome", Outcome.values)
    def test_names_every_outcome(self, outcome: str) -> None:
        assert f"| `{outcome}` |" in self.TEXT

    def test_names_every_field_and_parameter(self) -> None:
        sale = SaleSerializer()
        inner = [cast(Any, sale.fields[name]).child.fields for name in ("items", "payments")]
        for name in [*sale.fields, *inner[0], *inner[1], *TransactionQuery().fields, *ProductQuery().fields]:
            assert f"`{name}`" in self.TEXT, name


class TestDataModelPage:
    TEXT = reference("data-model")

    def test_names_every_table_and_constraint(self) -> None:
        for model in apps.get_models():
            if model._meta.app_label in OURS:
                assert f"`{model._meta.db_table}`" in self.TEXT
                for constraint in model._meta.constraints:
                    assert f"`{constraint.name}`" in self.TEXT
