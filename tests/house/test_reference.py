"""The reference: it names everything there is, and says of it what the code says."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands
from django.core.management.base import BaseCommand
from rest_framework import serializers

import dev
from apikeys.models import Scope
from campone.environment import read_environment
from kasse.models import Transaction
from pos_bridge.contract import SaleSerializer
from pos_bridge.kinds import KINDS, RETRYABLE
from pos_bridge.models import Outcome
from pos_bridge.problem_examples import problem_examples
from pos_bridge.queries import ProductQuery, TransactionQuery
from tests.house.documents import (
    OURS,
    ROOT,
    blocks_of,
    command_named,
    headings_of,
    reference,
    section_of,
    sources,
)
from tests.till import Till, croissants_and_coffee


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
        assert {name: rows[name] for name, default in read.items() if default} == {
            name: default for name, default in read.items() if default
        }

    def test_agrees_with_the_example_for_operators(self) -> None:
        shown = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
        for_compose_alone = {"POSTGRES_PASSWORD", "APP_PASSWORD", "CERTIFICATES", "PLAIN_PORT", "TLS_PORT"}

        assert shown - for_compose_alone == set(dict(variables_read()))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SECRET_KEY", ""),
            ("SECRET_KEY", "croissant"),
            ("ALLOWED_HOSTS", " , "),
            ("TENANT_DOMAIN", "Camp One"),
            ("PUBLIC_URL", "https://api.campone.example/bridge"),
            ("STATIC_ROOT", ""),
            ("DATABASE_URL", "mysql://campone@db.campone.example/campone"),
            ("PROXY_COUNT", "one"),
            ("ALLOW_LOOPBACK_CALLS", "1"),
            ("EMAIL_URL", "mail.campone.example"),
            ("EMAIL_FROM", "the bridge"),
        ],
    )
    def test_says_what_the_start_says(self, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(name, value)

        with pytest.raises(ImproperlyConfigured) as refused:
            read_environment()

        assert f"| `{refused.value}` |" in self.TEXT

    def test_names_every_system_check(self) -> None:
        raised = set(re.findall(r'id="(campone\.[EW]\d+)"', (ROOT / "campone" / "checks.py").read_text()))

        assert raised == set(re.findall(r"^\| `(campone\.[EW]\d+)` \|", self.TEXT, re.MULTILINE))


def variables_read() -> Iterator[tuple[str, str]]:
    """Each variable that ``environment.py`` reads, with its default as the page writes it; "" if that is no literal."""
    for node in ast.walk(ast.parse((ROOT / "campone" / "environment.py").read_text())):
        if isinstance(node, ast.Call) and re.fullmatch(r"env\.\w+|_list", ast.unparse(node.func)):
            literals = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if literals and re.fullmatch(r"[A-Z_]+", str(literals[0])):
                yield str(literals[0]), default_as_written(literals[1:])


def default_as_written(literals: list[Any]) -> str:
    """A default as the page shows it; nothing for an empty text, which the checks refuse or which means none."""
    shown = [int(value) if isinstance(value, bool) else value for value in literals if value != ""]
    return f"`{shown[0]}`" if shown else ""


class TestErrorsPage:
    TEXT = reference("errors")

    def test_has_a_section_for_each_code_and_no_other(self) -> None:
        sections = re.findall(r"^### `(\w+)`$", self.TEXT, re.MULTILINE)

        assert sorted(sections) == sorted(KINDS)

    @pytest.mark.parametrize("code", KINDS)
    def test_says_what_the_answer_says(self, code: str) -> None:
        section = " ".join(section_of(self.TEXT, f"`{code}`").split())
        kind = KINDS[code]

        assert f"**{kind.status.value}**" in section
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

    def test_shows_what_is_hashed(self, till: Till) -> None:
        """The sale of the tutorial; its texts are not part of it, so that other croissants do as well."""
        shown = [block.text.strip() for block in blocks_of(self.TEXT) if block.language == "json"][-1]

        answer = till.post(croissants_and_coffee())

        assert answer.status_code == 201, answer.content
        assert Transaction.objects.get().fingerprint == f"v1:{hashlib.sha256(shown.encode()).hexdigest()}"
