"""Rounds in turn, and what tills send in them."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from bench import shop
from bench.audit import Tables
from bench.contest import Contestant, Route
from bench.load import LoadFailed, Sent
from bench.rounds import Entrant, run_rounds
from bench.servers import Server
from bench.targets import PRODUCT, Target

AT = datetime(2026, 4, 29, 8, 14, 32, tzinfo=timezone.utc)
ONE_SECOND = Sent(100, 1.0, 0, 0, p50=1.0, p95=2.0, p99=3.0)


class TestRunRounds:
    def test_gives_everyone_a_turn_before_anyone_has_another(self) -> None:
        turns: list[tuple[str, int]] = []

        def entrant(name: str) -> Entrant:
            def load(number: int) -> Sent:
                turns.append((name, number))
                return ONE_SECOND

            return Entrant(name, load, None)

        results = run_rounds([entrant("a"), entrant("b")], database=None, count=2, tell=lambda _: None)

        assert turns == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
        assert {name: len(rounds) for name, rounds in results.items()} == {"a": 2, "b": 2}

    def test_goes_on_without_whom_the_load_generator_could_not_reach(self) -> None:
        def breaks(_number: int) -> Sent:
            raise LoadFailed("Nothing was answered.")

        told: list[str] = []
        results = run_rounds(
            [Entrant("a", breaks, None), Entrant("b", lambda _: ONE_SECOND, None)],
            database=None,
            count=2,
            tell=told.append,
        )

        assert {name: len(rounds) for name, rounds in results.items()} == {"a": 0, "b": 2}
        assert told[0] == "  round 1 a          out: Nothing was answered."

    def test_counts_nobody_whose_calls_were_all_refused(self) -> None:
        refused = Sent(100, 1.0, 100, 0, p50=1.0, p95=2.0, p99=3.0)

        results = run_rounds([Entrant("a", lambda _: refused, None)], database=None, count=1, tell=lambda _: None)

        assert results == {"a": []}


class TestTheTills:
    @pytest.fixture
    def contestant(self, tmp_path: Path) -> Contestant:
        tokens = [f"ck_Till{number:04}" + "0" * 24 for number in range(16)]
        target = Target(PRODUCT, PRODUCT, [], {}, shop.Keys(tokens, "", ""), Tables())
        return Contestant(
            target, Server(0, 0, tmp_path / "log"), tmp_path, AT, etags=[f'"{number}"' for number in range(16)]
        )

    @pytest.mark.parametrize("route", Route)
    def test_each_have_a_key_of_their_own(self, contestant: Contestant, route: Route) -> None:
        calls = contestant.calls(route, "r1")

        assert [call.token for call in calls] == contestant.target.keys.tills

    def test_never_post_the_same_reference_twice(self, contestant: Contestant) -> None:
        calls = [*contestant.calls(Route.POST, "r1"), *contestant.calls(Route.POST, "r2")]

        assert len({call.body for call in calls}) == 32
        assert all(shop.PLACE.encode() in call.body for call in calls)

    def test_retry_the_same_sale_in_every_round(self, contestant: Contestant) -> None:
        assert contestant.calls(Route.RETRY, "r1") == contestant.calls(Route.RETRY, "r2")

    def test_ask_for_products_that_they_know(self, contestant: Contestant) -> None:
        assert [call.if_none_match for call in contestant.calls(Route.UNCHANGED, "r1")] == contestant.etags
