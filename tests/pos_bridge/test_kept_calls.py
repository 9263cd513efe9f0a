"""Rows that the operator's log has kept for the activity log come into it after all, each once."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError

from pos_bridge.kept_calls import kept_rows
from pos_bridge.models import InboundCall, Outcome
from tenants.models import Tenant
from tests.pos_bridge.breaking import statements_failing
from tests.till import Till, croissants_and_coffee

ROW_OF_A_CALL = "INSERT INTO pos_bridge_inboundcall "


@pytest.fixture
def kept(till: Till, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Path:
    """The operator's log of a service that could store a sale, and no row for it."""
    with statements_failing(OperationalError("no space left on device"), touching=ROW_OF_A_CALL):
        assert till.post(croissants_and_coffee()).status_code == 201
    told = logging.Formatter("{asctime} {levelname} {name}: {message}", style="{")
    path = tmp_path / "server.log"
    path.write_text("".join(f"{told.format(record)}\n" for record in caplog.records))
    return path


class TestTakeKeptCalls:
    def test_stores_the_row_as_it_would_have_been(
        self, kept: Path, seeblick: Tenant, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert not InboundCall.objects.exists()

        call_command("take_kept_calls", str(kept))

        row = InboundCall.objects.get()
        assert (row.tenant, row.status, row.outcome) == (seeblick, 201, Outcome.CREATED)
        assert (row.method, row.path) == ("POST", "/api/v1/public/pos/transactions/")
        assert row.external_ref == "seeblick-2026-04-29-T-1"
        assert row.latency_ms > 0
        assert "1 taken, 0 known" in capsys.readouterr().out

    def test_stores_nothing_twice(self, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("take_kept_calls", str(kept), str(kept))

        assert InboundCall.objects.count() == 1
        assert "0 taken, 1 known" in capsys.readouterr().out

    def test_reads_a_log_whose_lines_are_json(self, kept: Path) -> None:
        lines = [
            json.dumps({"logger": said[2].rstrip(":"), "message": said[3]})
            for said in (line.split(" ", 4)[1:] for line in kept.read_text().splitlines())
        ]

        assert list(kept_rows(lines)) == list(kept_rows(kept.read_text().splitlines()))
        assert len(list(kept_rows(lines))) == 1

    @pytest.mark.parametrize(
        "line", ["", "{", "Traceback (most recent call last):", '{"message": 7}', "row kept here: {"]
    )
    def test_passes_over_what_is_no_row(self, line: str) -> None:
        assert list(kept_rows([line])) == []

    @pytest.mark.parametrize("before", ["{message}", "Service Unavailable: /{message}"])
    def test_passes_over_what_a_stranger_has_made_another_say(self, kept: Path, before: str) -> None:
        line = kept.read_text().splitlines()[-1]
        said = before.format(message=line.partition(": ")[2])

        assert list(kept_rows([f"2026-04-29 12:00:00,000 ERROR django.request: {said}"])) == []
        assert list(kept_rows([json.dumps({"logger": "django.request", "message": said})])) == []
        assert list(kept_rows([line.partition("Activity")[0] + "Not Found: " + line])) == []

    def test_reads_what_a_collector_has_put_something_before(self, kept: Path) -> None:
        line = kept.read_text().splitlines()[-1]

        assert len(list(kept_rows([f"bridge-1  | {line}"]))) == 1
