"""What an orchestrator asks: does it live, is it ready."""

from __future__ import annotations

import json
import os
import time

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import DjangoAssertNumQueries

from campone.operation import readiness
from campone.operation.probes import Probes
from campone.operation.readiness import Readiness, look_at_database
from tests.operation.asking import ask, nobody_else


@pytest.fixture
def probes() -> Probes:
    return Probes(others=nobody_else, listener=None)


class TestHealth:
    def test_asks_nothing_but_the_process(self, probes: Probes) -> None:
        """Without a database fixture, any query here would fail."""
        answer = ask(probes, "/healthz")

        assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "alive"})
        assert answer["Cache-Control"] == "no-store"

    def test_is_asked_by_whatever_host_name(self, probes: Probes) -> None:
        assert ask(probes, "/healthz", HTTP_HOST="10.1.2.3:8000").status_code == 200

    def test_has_no_body_for_head(self, probes: Probes) -> None:
        answer = ask(probes, "/healthz", method="HEAD")

        assert (answer.status_code, answer.content, answer["Content-Length"]) == (200, b"", "19")

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
    def test_is_only_read(self, probes: Probes, path: str) -> None:
        answer = ask(probes, path, method="POST")

        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")

    @pytest.mark.parametrize("path", ["/", "/healthz/", "/healthz/x", "/kasse/"])
    def test_leaves_every_other_path_to_others(self, probes: Probes, path: str) -> None:
        assert ask(probes, path).status_code == 418


class TestReadiness:
    def test_is_there_with_database_and_migrations(self, transactional_db: None, probes: Probes) -> None:
        answer = ask(probes, "/readyz")

        assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "ready"})

    def test_misses_a_migration(self, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readiness, "migrations_of_this_version", lambda: {("kasse", "9999_of_tomorrow")})

        assert look_at_database() == ["migrations"]

    def test_a_newer_versions_migrations_do_not_matter(
        self, transactional_db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        of_yesterday = set(sorted(readiness.migrations_of_this_version())[1:])
        monkeypatch.setattr(readiness, "migrations_of_this_version", lambda: of_yesterday)

        assert look_at_database() == []

    @pytest.mark.sqlite
    def test_misses_a_file_that_may_be_written(self, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        def may(path: str, mode: int) -> bool:
            return (path, mode) != (connection.settings_dict["NAME"], os.W_OK)

        assert look_at_database() == []
        monkeypatch.setattr(os, "access", may)

        assert look_at_database() == ["writing"]

    @pytest.mark.postgresql
    def test_misses_a_server_that_stores_anything(
        self, transactional_db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connection.close()
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict["OPTIONS"], "options", "-c default_transaction_read_only=on")
            assert look_at_database() == ["writing"]

        assert look_at_database() == []

    def test_a_database_that_is_away_is_told_and_nothing_of_why(
        self, probes: Probes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*args: object) -> None:
            raise OperationalError("connection to 10.9.8.7 as campone refused")

        monkeypatch.setattr(MigrationRecorder, "applied_migrations", away)

        answer = ask(probes, "/readyz")

        assert answer.status_code == 503
        assert json.loads(answer.content) == {"status": "not ready", "missing": ["database"]}

    def test_a_database_that_hangs_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def hang() -> list[str]:
            time.sleep(0.5)
            return []

        monkeypatch.setattr(readiness, "look_at_database", hang)
        monkeypatch.setattr(readiness, "PATIENCE", 0.01)
        looking = Readiness()

        assert [looking.missing(), looking.missing()] == [["database"], ["database"]]

        monkeypatch.setattr(readiness, "PATIENCE", 10)
        assert looking.missing() == []

    def test_many_who_ask_are_one_question(self, monkeypatch: pytest.MonkeyPatch) -> None:
        looks: list[int] = []

        def look() -> list[str]:
            looks.append(1)
            return []

        monkeypatch.setattr(readiness, "look_at_database", look)
        looking = Readiness()

        assert [looking.missing() for _ in range(50)] == [[]] * 50
        assert len(looks) == 1

    def test_costs_two_statements(
        self, transactional_db: None, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(2):  # whether there is a table of migrations, and what stands in it
            look_at_database()
