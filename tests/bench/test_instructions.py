"""The gate's judgement and its file; what it counts is counted by ``python3 dev.py gate`` alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from apikeys.minting import Minted
from bench import callgrind, instructions
from bench.callgrind import CountingFailed, ValgrindMissing, list_dumps, read_total, require_valgrind
from bench.counted_sales import NotAccepted, make_environ, sell
from bench.instructions import Drift, compare, judge, make_environment, per_sale, runtime, with_figures
from kasse.models import Transaction
from tenants.models import Tenant
from tests.contract.bare_wsgi import connections_left_open
from tests.till import BASE

with patch.dict(os.environ):  # the entry takes the secrets out of it, which the servers of other tests need
    from campone.wsgi import application

DRIFT = Drift(above=3, below=10)
RECORDED: dict[str, Any] = {
    "allowed_drift_percent": {"above": 3, "below": 10},
    "figures": {"CPython 3.99 riscv64": {"PostgreSQL": 7, "SQLite": 8}},
}


class TestOneSale:
    def test_is_the_difference_so_that_what_is_done_once_falls_out(self) -> None:
        once, sale = 5_000_000, 1_200_000

        few, many = once + 50 * sale, once + 250 * sale

        assert per_sale(few, many) == sale


class TestAVerdict:
    @pytest.mark.parametrize("counted", [1_000_000, 1_030_000, 900_000])
    def test_is_good_within_the_drift(self, counted: int) -> None:
        assert judge("SQLite", counted, 1_000_000, DRIFT).passes

    def test_names_count_figure_and_change(self) -> None:
        said = judge("SQLite", 1_012_000, 1_000_000, DRIFT).sentence

        assert said == "SQLite: 1,012,000 instructions per sale, +1.2 % against the figure of 1,000,000."

    def test_refuses_work_that_was_added(self) -> None:
        verdict = judge("PostgreSQL", 1_030_100, 1_000_000, DRIFT)

        assert not verdict.passes
        assert "; +3 % is allowed" in verdict.sentence

    def test_refuses_a_figure_that_hides_the_next_slow_down(self) -> None:
        verdict = judge("PostgreSQL", 899_900, 1_000_000, DRIFT)

        assert not verdict.passes
        assert "tighten the figure" in verdict.sentence

    def test_without_a_figure_is_the_count_alone(self) -> None:
        verdict = judge("PostgreSQL", 1_200_000, None, DRIFT)

        assert verdict.passes
        assert "1,200,000" in verdict.sentence
        assert f"no figure for {runtime()}" in verdict.sentence


class TestComparing:
    COUNTED = {"PostgreSQL": 1_200_000, "SQLite": 1_500_000}

    def test_fails_if_one_engine_fails(self, capsys: pytest.CaptureFixture[str]) -> None:
        recorded = with_figures(RECORDED, {**self.COUNTED, "SQLite": 1_000_000})

        assert compare(recorded, self.COUNTED) == 1
        assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["PostgreSQL", "SQLite"]

    def test_passes_with_the_figures_that_were_just_recorded(self) -> None:
        assert compare(with_figures(RECORDED, self.COUNTED), self.COUNTED) == 0

    def test_passes_on_a_python_without_figures(self) -> None:
        assert compare(RECORDED, self.COUNTED) == 0


class TestRecording:
    def test_leaves_the_figures_of_other_pythons(self) -> None:
        recorded = with_figures(RECORDED, {"PostgreSQL": 1, "SQLite": 2})

        assert recorded["figures"] == {
            "CPython 3.99 riscv64": {"PostgreSQL": 7, "SQLite": 8},
            runtime(): {"PostgreSQL": 1, "SQLite": 2},
        }

    def test_leaves_the_allowed_drift(self) -> None:
        recorded = with_figures(RECORDED, {"PostgreSQL": 1, "SQLite": 2})

        assert recorded["allowed_drift_percent"] == RECORDED["allowed_drift_percent"]


class TestTheFile:
    CONTENT = json.loads(instructions.FILE.read_text())

    def test_was_counted_by_the_tool_of_today(self) -> None:
        assert self.CONTENT["tool"] == callgrind.TOOL

    def test_has_a_figure_for_each_engine(self) -> None:
        assert self.CONTENT["figures"]
        for figures in self.CONTENT["figures"].values():
            assert set(figures) == set(instructions.ENGINES)

    def test_allows_little(self) -> None:
        drift = instructions.read_drift(self.CONTENT)

        assert 1 <= drift.above <= 5
        assert 1 <= drift.below <= 15


class TestADump:
    def test_is_read_by_its_total(self) -> None:
        dump = "version: 1\nevents: Ir\nfn=(1) main\n16 400\n\ntotals: 29556411\n"

        assert read_total(dump) == 29_556_411

    def test_without_a_total_is_no_count(self) -> None:
        with pytest.raises(CountingFailed):
            read_total("version: 1\nevents: Ir\n")

    def test_stands_in_the_order_of_its_marks(self, tmp_path: Path) -> None:
        for number in (10, 9, 1):
            (tmp_path / f"callgrind.{number}").touch()
        (tmp_path / "callgrind").touch()

        assert [path.name for path in list_dumps(tmp_path / "callgrind")] == [
            "callgrind.1",
            "callgrind.9",
            "callgrind.10",
        ]


class TestAMachineWithoutValgrind:
    def test_is_told_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shutil.which", lambda _name: None)

        with pytest.raises(ValgrindMissing, match="apt install valgrind"):
            require_valgrind()


class TestTheCountedSales:
    def test_are_taken_without_a_word(self, key: Minted, waldrand: Tenant) -> None:
        """A warning would be work that a good till's sale does not cause."""
        answers: list[dict[str, Any]] = []

        def listening(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            answer = application(environ, start_response)
            answers.append(json.loads(b"".join(answer)))
            return [b""]

        with connections_left_open():
            sell(listening, key.token, range(3))

        assert len({answer["id"] for answer in answers}) == 3
        assert not [answer for answer in answers if "warnings" in answer]
        assert Transaction.objects.of(key.key.tenant).count() == 3

    def test_go_where_tills_post(self) -> None:
        environ = make_environ("ck_x", b"{}")

        assert environ["PATH_INFO"] == f"{BASE}/transactions/"
        assert environ["wsgi.input"].read() == b"{}"

    def test_are_sent_with_references_of_one_length_and_each_its_own(self) -> None:
        bodies: list[dict[str, Any]] = []

        def noting(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            bodies.append(json.loads(environ["wsgi.input"].read()))
            start_response("201 Created", [])
            return [b"{}"]

        sell(noting, "ck_x", range(98, 102))

        references = [body["external_ref"] for body in bodies]
        assert len(set(references)) == 4
        assert len({len(reference) for reference in references}) == 1

    def test_stop_at_the_first_that_is_not_accepted(self) -> None:
        def replaying(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            start_response("200 OK", [])
            return [b'{"status": "COMPLETED"}']

        with pytest.raises(NotAccepted, match="200 OK"):
            sell(replaying, "ck_x", range(2))

    def test_are_sold_with_the_services_own_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POS_CONFLICT_POLICY", "replay")
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")

        environment = make_environment("postgres://seeblick@localhost/counted")

        assert environment["DJANGO_SETTINGS_MODULE"] == "campone.settings"
        assert environment["DATABASE_URL"] == "postgres://seeblick@localhost/counted"
        assert "POS_CONFLICT_POLICY" not in environment
