from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeGuard

import pytest
from django.core.exceptions import ImproperlyConfigured

from campone.environment import PROJECT, Environment, read_environment

SECRET = "k7Qz2mX9vB4nL8pR3sT6wY1cF5gH0jDk7Qz2mX9vB4nL8pR3sT6wY1cF5gH0jD"
NEEDED = {
    "SECRET_KEY": SECRET,
    "ALLOWED_HOSTS": "api.campone.example,.campone.example",
    "TENANT_DOMAIN": "campone.example",
    "PUBLIC_URL": "https://api.campone.example",
}
ENVIRONMENT = (PROJECT / "campone" / "environment.py").read_text()
EXAMPLE = (PROJECT / ".env.example").read_text()
COMPOSE_ALONE = {"POSTGRES_PASSWORD", "APP_PASSWORD", "CERTIFICATES", "PLAIN_PORT", "TLS_PORT"}

WRONG = [
    ("ALLOW_LOOPBACK_CALLS", "perhaps"),
    ("ALLOW_LOOPBACK_CALLS", "1"),
    ("DEVELOPMENT", "maybe"),
    ("EMAIL_FROM", "the bridge"),
    ("EMAIL_URL", "mail.campone.example"),
    ("EMAIL_URL", "https://anna:top-secret@mail.campone.example"),
    ("EMAIL_URL", "smtps://anna:top-secret@:465"),
    ("EMAIL_URL", "smtp://anna:top-secret@mail.campone.example:port"),
    ("SECRET_KEY", "too-short-a-secret"),
    ("SECRET_KEY", "abc" * 30),
    ("SECRET_KEY_FALLBACKS", "an-old-but-weak-secret"),
    ("SECRET_KEY_FALLBACKS", f"{SECRET},an-old-but-weak-secret"),
    ("ALLOWED_HOSTS", " , "),
    ("TENANT_DOMAIN", "Campone.Example"),
    ("TENANT_DOMAIN", ".campone.example"),
    ("TENANT_DOMAIN", "campone.example."),
    ("TENANT_DOMAIN", "campone.example:8000"),
    ("TENANT_DOMAIN", "https://campone.example"),
    ("TENANT_DOMAIN", "*"),
    ("PUBLIC_URL", "api.campone.example"),
    ("PUBLIC_URL", "http://api.campone.example"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", "https://api.campone.example/bridge"),
    ("PUBLIC_URL", "https://api.campone.example/?till=1"),
    ("PUBLIC_URL", "https://api.campone.example/#top"),
    ("PUBLIC_URL", "https://anna:secret@api.campone.example"),
    ("PUBLIC_URL", "https://api.campone.example:99999"),
    ("PUBLIC_URL", "https://[::1"),
    ("PUBLIC_URL", "ftp://api.campone.example"),
    ("DATABASE_URL", ""),
    ("DATABASE_URL", "campone.sqlite3"),
    ("DATABASE_URL", "mysql://campone:top-secret@database/campone"),
    ("DATABASE_URL", "postgres://campone:top-secret@database:port/campone"),
    ("DATABASE_URL", "postgres://campone:top-sec#ret@database/campone"),
    ("DATABASE_URL", "postgres://campone:top-sec[ret@database/campone"),
    ("DATABASE_POOL_SIZE", "many"),
    ("DATABASE_POOL_SIZE", "-1"),
    ("STATIC_ROOT", ""),
    ("LOG_LEVEL", "info"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
    ("LOG_CALLS", "perhaps"),
    ("METRICS_TOKEN", "too-short"),
    ("METRICS_ADDRESSES", "everyone"),
    ("METRICS_ADDRESSES", "10.0.0.1/8"),
    ("METRICS_TENANTS", "perhaps"),
    ("METRICS_FOLDER", "/no/such/folder"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
    ("PROXY_COUNT", ""),
    ("PROXY_COUNT", "-1"),
    ("PROXY_COUNT", "10"),
    ("PROXY_COUNT", "one"),
    ("POS_CONFLICT_POLICY", "overwrite"),
    ("POS_CONFLICT_POLICY", "REFUSE"),
    ("ACTIVITY_RETENTION_DAYS", "-1"),
    ("ACTIVITY_RETENTION_DAYS", "90.5"),
]

Read = Callable[..., Environment]


def is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch("[A-Z][A-Z_]+", value) is not None


def variables_read() -> set[str]:
    """The name in every call on ``env``, or with ``env`` as its argument, in the source of ``environment.py``."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(ENVIRONMENT)):
        if isinstance(node, ast.Call):
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            concerned = [each.id for each in (owner, *node.args) if isinstance(each, ast.Name)]
            if "env" in concerned:
                texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
                # The name stands first; what follows is its default.
                names |= {text for text in texts[:1] if is_name(text)}
    return names


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Reads what is needed, but for the changes; ``None`` takes a variable away."""
    for name in variables_read():
        monkeypatch.delenv(name, raising=False)

    def read_with(**changes: str | None) -> Environment:
        for name, value in {**NEEDED, **changes}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return read_environment()

    return read_with


def sentence(read: Read, **changes: str | None) -> str:
    """What is said to the operator: one sentence, that names the variable and keeps its value to itself."""
    with pytest.raises(ImproperlyConfigured) as refused:
        read(**changes)
    said = str(refused.value)
    assert said
    assert "\n" not in said
    return said


class TestTheEnvironment:
    def test_needs_four_variables_and_no_more(self, read: Read) -> None:
        found = read()

        assert not found.development
        assert found.allowed_hosts == ["api.campone.example", ".campone.example"]
        assert found.public_url == "https://api.campone.example"
        assert found.secret_key_fallbacks == []
        assert (found.proxy_count, found.log_level) == (0, "INFO")
        assert (found.conflict_policy, found.activity_retention_days) == ("refuse", 90)
        assert found.static_root == PROJECT / "var" / "static"
        assert found.database["NAME"] == f"{PROJECT}/var/campone.sqlite3"

    @pytest.mark.parametrize("name", sorted(NEEDED))
    @pytest.mark.parametrize("value", [None, ""])
    def test_says_which_needed_one_is_missing(self, read: Read, name: str, value: str | None) -> None:
        assert name in sentence(read, **{name: value})

    @pytest.mark.parametrize(("name", "value"), WRONG)
    def test_says_in_one_sentence_which_one_is_wrong(self, read: Read, name: str, value: str) -> None:
        said = sentence(read, **{name: value})

        assert name in said
        if name.startswith(("SECRET", "DATABASE_URL", "EMAIL_URL")) and value:
            assert value not in said
            assert "top-sec" not in said

    def test_is_wrong_in_no_variable_without_a_case_above(self) -> None:
        assert {name for name, _value in WRONG} == variables_read()

    def test_reads_every_variable(self, read: Read) -> None:
        found = read(
            DEVELOPMENT="1",
            SECRET_KEY_FALLBACKS=f"{SECRET}-2025, {SECRET}-2024",
            PUBLIC_URL="http://127.0.0.1:8000/",
            ALLOWED_HOSTS="127.0.0.1, .localhost",
            TENANT_DOMAIN="localhost",
            STATIC_ROOT="/srv/static",
            LOG_LEVEL="ERROR",
            PROXY_COUNT="2",
            POS_CONFLICT_POLICY="replay",
            ACTIVITY_RETENTION_DAYS="0",
        )

        assert found.development
        assert found.secret_key_fallbacks == [f"{SECRET}-2025", f"{SECRET}-2024"]
        assert found.allowed_hosts == ["127.0.0.1", ".localhost"]
        assert (found.public_url, found.tenant_domain) == ("http://127.0.0.1:8000", "localhost")
        assert (found.static_root, found.log_level) == (Path("/srv/static"), "ERROR")
        assert (found.proxy_count, found.conflict_policy, found.activity_retention_days) == (2, "replay", 0)

    def test_keeps_secrets_out_of_its_text(self, read: Read) -> None:
        found = read(
            SECRET_KEY_FALLBACKS=f"{SECRET}-2025", DATABASE_URL="postgres://campone:top-secret@database/campone"
        )

        assert found.database["PASSWORD"] == "top-secret"
        assert SECRET not in repr(found) + str(found)
        assert "top-secret" not in repr(found) + str(found)


class TestTheDatabase:
    def test_on_sqlite_answers_only_what_is_safe_on_disk(self, read: Read, tmp_path: Path) -> None:
        database = read(DATABASE_URL=f"sqlite:///{tmp_path}/campone.sqlite3").database

        assert database["NAME"] == f"{tmp_path}/campone.sqlite3"
        assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
        assert "synchronous=FULL" in database["OPTIONS"]["init_command"]

    def test_on_postgresql_is_reached_through_a_pool(self, read: Read) -> None:
        database = read(DATABASE_URL="postgres://campone:p%40ss@database:5433/ledger?sslmode=verify-full").database

        assert (database["HOST"], database["PORT"], database["NAME"]) == ("database", 5433, "ledger")
        assert (database["USER"], database["PASSWORD"]) == ("campone", "p@ss")
        assert database["OPTIONS"]["sslmode"] == "verify-full"
        assert database["OPTIONS"]["pool"]["max_size"] == 8

    def test_on_postgresql_is_reached_without_a_pool_if_told(self, read: Read) -> None:
        database = read(DATABASE_URL="postgresql://database/ledger", DATABASE_POOL_SIZE="0").database

        assert "pool" not in database["OPTIONS"]
        assert database["CONN_MAX_AGE"] is None


class TestTheStart:
    def start(self, **changes: str | None) -> subprocess.CompletedProcess[str]:
        """``manage.py check`` as an operator would call it, with nothing else set."""
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "SYSTEMROOT", "HOME"}}
        environment = {name: value for name, value in {**kept, **NEEDED, **changes}.items() if value is not None}
        return subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_goes_on_when_all_is_well(self) -> None:
        done = self.start()

        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SECRET_KEY", None),
            ("SECRET_KEY", "too-short-a-secret"),
            ("PUBLIC_URL", "https://[::1"),
            ("DATABASE_URL", "mysql://campone:top-secret@database/campone"),
            ("PROXY_COUNT", "one"),
        ],
    )
    def test_ends_in_one_line_when_a_variable_is_wrong(self, name: str, value: str | None) -> None:
        done = self.start(**{name: value})

        assert done.returncode != 0
        assert done.stdout == ""
        assert re.fullmatch(rf"Cannot start: .*{name}.*\n", done.stderr)
        assert value is None or value not in done.stderr


class TestTheExample:
    """``.env.example``: what an operator copies and fills in."""

    SHOWN = dict(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    SET = dict(re.findall(r"^([A-Z][A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))

    def test_shows_every_variable_and_no_other(self) -> None:
        assert set(self.SHOWN) == variables_read() | COMPOSE_ALONE

    def test_adds_only_what_docker_compose_reads_for_itself(self) -> None:
        asked_for = set(re.findall(r"\$\{(\w+)", (PROJECT / "docker-compose.yml").read_text()))

        assert asked_for - variables_read() == COMPOSE_ALONE

    def test_says_something_about_each(self) -> None:
        for name in self.SHOWN:
            lines = EXAMPLE.splitlines()
            [at] = [number for number, line in enumerate(lines) if re.match(rf"(# )?{name}=", line)]
            assert re.match(r"# +[^#]*[a-z]", lines[at - 1]), name

    def test_sets_no_secret(self) -> None:
        empty = {name for name, value in self.SET.items() if not value}

        assert empty == {"SECRET_KEY", "POSTGRES_PASSWORD", "APP_PASSWORD"}

    def test_starts_the_service_once_it_is_filled_in(self, read: Read) -> None:
        found = read(**{**self.SET, "SECRET_KEY": SECRET})

        assert found.allowed_hosts == ["api.campone.example", ".campone.example"]

    def test_shows_the_values_that_hold_unless_others_are_set(self, read: Read) -> None:
        # Written there as they are found from the project's folder; the code says where that is.
        paths = {"DATABASE_URL", "STATIC_ROOT"}
        left_out = {*self.SET, *COMPOSE_ALONE, *paths}
        defaults = {name: value for name, value in self.SHOWN.items() if name not in left_out}

        assert read(**defaults) == read(**dict.fromkeys(defaults))


class TestTheReference:
    def test_lists_every_variable_and_no_other(self) -> None:
        page = (PROJECT / "docs" / "reference" / "settings.md").read_text()

        assert set(re.findall(r"^\| `([A-Z][A-Z_]+)` \|", page, re.MULTILINE)) == variables_read()
