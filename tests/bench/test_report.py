"""Medians, ratios, goals and tables."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bench.conditions import Conditions
from bench.contest import Route
from bench.flood import Flood
from bench.goals import Goal, both, goals_of, per_second
from bench.load import Sent
from bench.many import Many
from bench.report import BEGIN, END, PAGE, MarksMissing, Report, markdown, replace_between_marks, write_json
from bench.rounds import Round, median_of, median_ratio
from bench.sqlite import OnSqlite
from bench.targets import FLOOR, PRODUCT, TEXTBOOK


def sent(requests: int, *, refused: int = 0) -> Sent:
    return Sent(requests, 1.0, refused, 0, p50=1.0, p95=2.0, p99=3.0)


def measured(requests: int, *, server: float, database: float) -> Round:
    """One second of calls; CPU in seconds for a thousand of them."""
    cpu = [seconds * requests / 1000 for seconds in (server, database)]
    return Round(sent(requests), cpu[0], cpu[1], memory=100, wal=1500 * requests)


POSTS = {
    FLOOR: [measured(9000, server=0, database=0.2), measured(6000, server=0, database=0.2)],
    PRODUCT: [measured(3000, server=0.4, database=0.2), measured(2000, server=0.4, database=0.22)],
    TEXTBOOK: [measured(300, server=5.0, database=1.0), measured(100, server=5.0, database=1.2)],
}
FLOOD = Flood([sent(1000)], [sent(700)], [sent(500, refused=500)], memory_before=200, memory_after=230)
ON_SQLITE = OnSqlite([measured(1500, server=0.5, database=0)], "")
MANY = Many(sales=1000, process_cpu=0.05, database_cpu=0.05)


@pytest.fixture
def report() -> Report:
    conditions = Conditions("A processor", 2, "6.1", "3.12", "16.4", 250.0, 0.1)
    at = datetime(2026, 4, 29, 8, 14, 32, tzinfo=timezone.utc)
    return Report(
        at, False, conditions, {Route.POST.value: POSTS, Route.READ_BACK.value: POSTS}, {}, FLOOD, ON_SQLITE, MANY
    )


class TestARound:
    def test_counts_cost_by_accepted_calls(self) -> None:
        refused_half = Round(sent(1000, refused=500), server_cpu=0.5, database_cpu=0.25, memory=0, wal=1_000_000)

        assert (refused_half.server, refused_half.database, refused_half.both) == (1.0, 0.5, 1.5)
        assert refused_half.wal_per_call == 2000


class TestMedians:
    def test_of_a_figure_is_the_middle_round(self) -> None:
        rounds = [measured(requests, server=1, database=1) for requests in (100, 900, 200)]

        assert median_of(rounds, per_second) == 200

    def test_of_a_ratio_compares_neighbours(self) -> None:
        assert median_ratio(POSTS, PRODUCT, TEXTBOOK, per_second) == pytest.approx((10 + 20) / 2)
        assert median_ratio(POSTS, TEXTBOOK, PRODUCT, both) == pytest.approx(10.0)


class TestGoals:
    @pytest.mark.parametrize(("figure", "verdict"), [(12, "aim reached"), (9, "holds"), (7.9, "**missed**")])
    def test_more_is_better(self, figure: float, verdict: str) -> None:
        assert Goal("textbook DRF", "less CPU", 8, 12, figure).verdict == verdict

    @pytest.mark.parametrize(("figure", "verdict"), [(1.2, "aim reached"), (1.4, "holds"), (1.6, "**missed**")])
    def test_less_is_better_where_it_says_at_most(self, figure: float, verdict: str) -> None:
        assert Goal("floor", "database CPU", 1.5, 1.2, figure, at_most=True).verdict == verdict

    def test_are_those_of_whoever_was_measured(self) -> None:
        goals = {(goal.against, goal.figure): goal.measured for goal in goals_of(POSTS, FLOOD, ON_SQLITE, MANY)}

        assert goals == {
            ("textbook DRF", "less CPU"): pytest.approx(10.0),
            ("textbook DRF", "req/s"): pytest.approx(15.0),
            ("floor", "req/s"): pytest.approx(1 / 3),
            ("floor", "database CPU"): pytest.approx(1.05),
            ("flood of wrong tokens", "honest req/s of quiet"): pytest.approx(0.7),
            ("flood of wrong tokens", "memory taken more"): 30,
            ("floor", "req/s on SQLite, one process"): pytest.approx(0.2),
            ("single posts", "less CPU, a hundred at once"): pytest.approx(6.1),
        }

    def test_without_the_service_are_none(self) -> None:
        assert list(goals_of({TEXTBOOK: POSTS[TEXTBOOK]}, None, None, None)) == []


class TestMarkdown:
    def test_puts_the_cheapest_first(self, report: Report) -> None:
        text = markdown(report)

        assert text.index("| floor: pgbench") < text.index("| **this service**") < text.index("| textbook DRF")

    def test_a_figure_that_does_not_count_gives_way_to_its_reason(self, report: Report) -> None:
        text = markdown(replace(report, faults={TEXTBOOK: "audit: 5 sales were accepted, 4 are stored"}))

        assert "| textbook DRF on gunicorn | does not count: audit: 5 sales were accepted, 4 are stored |" in text
        assert "less CPU | ≥ 8×" not in text

    def test_every_row_has_as_many_cells_as_its_header(self, report: Report) -> None:
        for block in markdown(report).split("\n\n"):
            rows = [line for line in block.splitlines() if line.startswith("|")]

            assert len({line.count("|") for line in rows}) <= 1


class TestThePage:
    def test_keeps_the_prose_around_the_tables(self) -> None:
        page = f"# Performance\n\nBefore.\n\n{BEGIN}\n\nold\n\n{END}\n\nAfter.\n"

        assert replace_between_marks(page, "new") == f"# Performance\n\nBefore.\n\n{BEGIN}\n\nnew\n\n{END}\n\nAfter.\n"

    def test_has_the_marks(self) -> None:
        assert replace_between_marks(PAGE.read_text(), "") != PAGE.read_text()

    def test_without_marks_is_refused(self) -> None:
        with pytest.raises(MarksMissing):
            replace_between_marks("# Performance\n", "new")


class TestWriteJson:
    def test_keeps_every_round(self, report: Report, tmp_path: Path) -> None:
        kept = json.loads(write_json(report, tmp_path).read_text())

        assert [each["sent"]["requests"] for each in kept["paths"][Route.POST][PRODUCT]] == [3000, 2000]
        assert kept["at"] == "2026-04-29T08:14:32Z"
