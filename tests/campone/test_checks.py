from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db.backends.sqlite3.base import DatabaseWrapper
from pytest_django import Settings

from campone import checks as numbered
from campone.environment import SQLITE_OPTIONS


def found(*tags: str, deploy: bool = False, databases: list[str] | None = None) -> set[str | None]:
    """The ids of our own messages."""
    messages = checks.run_checks(tags=tags or None, include_deployment_checks=deploy, databases=databases)
    return {message.id for message in messages if str(message.id).startswith("campone.")}


class TestHosts:
    def test_are_fine_as_the_tests_set_them(self) -> None:
        assert found() == set()

    def test_must_hold_that_of_the_public_url(self, settings: Settings) -> None:
        settings.PUBLIC_URL = "https://bridge.example.org"

        assert found() == {"campone.E001"}

    def test_must_hold_those_of_the_campgrounds(self, settings: Settings) -> None:
        settings.ALLOWED_HOSTS = ["api.campone.example"]

        assert found() == {"campone.E002"}

    @pytest.mark.parametrize("hosts", [[".campone.example"], ["*"], ["api.campone.example", ".campone.example"]])
    def test_may_be_named_by_their_domain(self, settings: Settings, hosts: list[str]) -> None:
        settings.ALLOWED_HOSTS = hosts

        assert found() == set()

    def test_may_have_a_port_and_capitals_in_the_public_url(self, settings: Settings) -> None:
        settings.PUBLIC_URL = "https://API.campone.example:8443"

        assert found() == set()

    def test_that_are_wrong_stop_every_command(self, settings: Settings) -> None:
        settings.ALLOWED_HOSTS = ["somewhere.example"]

        with pytest.raises(SystemCheckError) as stopped:
            call_command("check")

        assert "campone.E001" in str(stopped.value)
        assert "campone.E002" in str(stopped.value)


class TestTheEngine:
    @pytest.mark.parametrize(("engine", "ids"), [("sqlite3", ["campone.W001"]), ("postgresql", [])])
    def test_is_worth_a_warning_if_it_is_sqlite(
        self, monkeypatch: pytest.MonkeyPatch, engine: str, ids: list[str]
    ) -> None:
        databases = {"default": {"ENGINE": f"django.db.backends.{engine}"}}
        monkeypatch.setattr(numbered, "settings", SimpleNamespace(DATABASES=databases))

        assert [message.id for message in numbered.check_engine(None)] == ids

    @pytest.mark.sqlite
    def test_is_looked_at_in_deployment_alone(self) -> None:
        assert found("database") == set()
        assert found("database", deploy=True) == {"campone.W001"}

    @pytest.mark.postgresql
    def test_is_fine_if_it_is_postgresql(self) -> None:
        assert found("database", deploy=True) == set()


@pytest.mark.django_db
class TestWriteAheadLogging:
    def connect(self, path: Path | str, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> DatabaseWrapper:
        """A connection such as production has on SQLite, whatever engine the tests run on."""
        unset = dict.fromkeys(("USER", "PASSWORD", "HOST", "PORT"), "")
        times = {"TIME_ZONE": None, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": True}
        wrapper = DatabaseWrapper({"NAME": str(path), "OPTIONS": options, **unset, **times}, "on_disk")
        monkeypatch.setattr(numbered, "connections", {"on_disk": wrapper})
        return wrapper

    def ids(self, wrapper: DatabaseWrapper) -> list[str | None]:
        try:
            return [message.id for message in numbered.check_wal(None, databases=["on_disk"])]
        finally:
            wrapper.close()

    def test_is_granted_on_a_local_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.ids(self.connect(tmp_path / "campone.sqlite3", monkeypatch, SQLITE_OPTIONS)) == []
        with closing(sqlite3.connect(tmp_path / "campone.sqlite3")) as plain:
            assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_that_is_not_granted_is_an_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # A network drive answers "delete" when it is asked for WAL; so does a file that was never asked.
        wrapper = self.connect(tmp_path / "campone.sqlite3", monkeypatch, {})

        assert self.ids(wrapper) == ["campone.E003"]

    def test_is_no_matter_in_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.ids(self.connect(":memory:", monkeypatch, {})) == []

    def test_is_not_looked_at_unless_a_database_is_named(self) -> None:
        assert numbered.check_wal(None) == []
        assert found("database") == set()

    def test_is_fine_where_the_tests_run(self) -> None:
        assert numbered.check_wal(None, databases=["default"]) == []
