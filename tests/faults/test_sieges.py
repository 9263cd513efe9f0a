"""What judges a siege: whatever a siege is there to find is made up by hand, and must be noticed."""

from __future__ import annotations

import json
import socket
from collections import Counter
from random import Random

import pytest

from tests.faults.books import Condition
from tests.faults.model import Answer
from tests.faults.sieges import clocks, dead_line, held, log_away, neighbours, oracle, revoking, same_moment, strangers
from tests.faults.sieges.besieging import first_ack_after, only
from tests.faults.sieges.clocks import A_YEAR_AHEAD, FEW, RIGHT, STEPS, Seen
from tests.faults.sieges.revoking import Call, Round
from tests.faults.sieges.sending import Heard as Sent
from tests.faults.sieges.strangers import Beside
from tests.faults.silence import deafen, established_to, hear_again
from tests.faults.tills import Heard


def broken(conditions: list[Condition]) -> set[int]:
    """By their place among a siege's own."""
    return {condition.number - 20 for condition in conditions if not condition.holds}


class TestALineThatIsDeaf:
    def test_confirms_nothing_until_it_hears_again(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            app = socket.create_connection(listener.getsockname())
            line, _ = listener.accept()
            with app, line:
                deafen(line)
                app.sendall(b"SELECT 1")
                line.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    line.recv(100)
                hear_again(line)
                line.settimeout(10)
                assert line.recv(100) == b"SELECT 1"

    def test_is_seen_as_long_as_somebody_believes_in_it(self) -> None:
        table = (
            "  sl  local_address rem_address   st\n"
            "   0: 0100007F:A001 0100007F:1538 01 rest\n"
            "   1: 0100007F:1538 0100007F:A001 01 rest\n"
            "   2: 0100007F:A002 0100007F:1538 06 rest\n"
        )
        assert established_to(0x1538, table) == {0xA001}


class TestADeadLine:
    COURSE = dead_line.Course(began=100.0, ended=160.0, stood=2, given_up=21.0)
    CALLS = (Heard(99.0, 14.0, 503), Heard(120.0, 3.0, 503), Heard(159.0, 1.5, 201))

    def judge(self, *more: Heard, course: dead_line.Course = COURSE) -> set[int]:
        return broken(dead_line.judge([*self.CALLS, *more], course))

    def test_that_is_given_up_in_time_is_as_it_must_be(self) -> None:
        assert self.judge() == set()

    def test_that_nobody_gives_up_is_noticed(self) -> None:
        assert self.judge(course=dead_line.Course(100.0, 160.0, 2, None)) == {1}

    def test_that_nobody_was_on_proves_nothing(self) -> None:
        assert self.judge(course=dead_line.Course(100.0, 160.0, 0, 1.0)) == {0}

    def test_on_which_somebody_waits_for_its_end_is_noticed(self) -> None:
        assert self.judge(Heard(99.5, 61.0, 503)) == {3}

    def test_that_makes_a_500_is_noticed(self) -> None:
        assert self.judge(Heard(130.0, 1.0, 500)) == {2}

    def test_after_which_nothing_is_sold_is_noticed(self) -> None:
        assert broken(dead_line.judge(self.CALLS[:2], self.COURSE)) == {4}

    def test_others_calls_are_none_of_its_business(self) -> None:
        assert self.judge(Heard(10.0, 1.0, 500), Heard(170.0, 1.0, 500)) == set()


class TestADatabaseThatHangs:
    def test_of_which_others_are_told_late_is_noticed(self) -> None:
        course = dead_line.Course(100.0, 160.0, 0, None)
        told = [Heard(110.0, 3.0, 503), Heard(101.0, 60.0, 201)]

        assert broken(dead_line.judge_hung(told, course)) == set()
        assert broken(dead_line.judge_hung([*told, Heard(111.0, 9.0, 503)], course)) == {2}


class TestHeldConnections:
    COURSE = held.Course(began=100.0, ended=130.0, held=197)

    @pytest.mark.parametrize(
        ("calls", "expected"),
        [
            ([Heard(101, 3.1, 503), Heard(129, 2, 201)], set()),
            ([Heard(101, 9.0, 503), Heard(129, 2, 201)], {3}),
            ([Heard(101, 3.1, 500), Heard(101, 3, 503), Heard(129, 2, 201)], {2}),
            ([Heard(101, 3.1, 503), Heard(129, 20, 201)], {4}),
            ([Heard(129, 2, 201)], {1}),
        ],
    )
    def test_are_judged(self, calls: list[Heard], expected: set[int]) -> None:
        assert broken(held.judge(calls, self.COURSE)) == expected


class TestALogThatTakesNothing:
    COURSE = (log_away.Away("no privilege", 100.0, 120.0),)
    CALLS = (Heard(101.0, 0.1, 201), Heard(102.0, 0.1, 200))

    @pytest.mark.parametrize(
        ("calls", "without", "kept", "expected"),
        [
            (CALLS, 2, 2, set()),
            (CALLS, 2, 1, {2}),
            (CALLS, 0, 0, {2}),
            ((*CALLS, Heard(103.0, 0.1, 503)), 2, 2, {0}),
            (CALLS[1:], 1, 1, {1}),
        ],
    )
    def test_is_judged(self, calls: tuple[Heard, ...], without: int, kept: int, expected: set[int]) -> None:
        assert broken(log_away.judge(calls, self.COURSE, without=without, kept=kept)) == expected


class TestClocks:
    def judge(self, last: Seen | None = None, statuses: Counter[int] | None = None) -> set[int]:
        """Of steps after which all is as it must be, and the last."""
        seen = [
            Seen(
                step=step,
                ending=401 if step == A_YEAR_AHEAD else 200,
                few=Counter({200: FEW - 1, 429: 6}),
                just_now=400 if step in clocks.BEHIND else 201,
            )
            for step in STEPS
        ]
        return broken(clocks.judge(statuses or Counter({201: 7}), [*seen, *([last] if last else [])]))

    def test_that_step_and_do_no_harm_are_as_it_must_be(self) -> None:
        assert self.judge() == set()

    def test_that_make_a_500_are_noticed(self) -> None:
        assert self.judge(statuses=Counter({201: 7, 500: 1})) == {0}

    @pytest.mark.parametrize(
        ("last", "expected"),
        [
            (Seen(RIGHT, 401, Counter({200: FEW}), 201), {1}),
            (Seen(A_YEAR_AHEAD, 200, Counter({200: FEW}), 201), {1}),
            (Seen(RIGHT, 200, Counter({200: FEW}), 400), {2}),
            (Seen(RIGHT, 200, Counter({429: 35}), 201), {3}),
        ],
    )
    def test_that_do_harm_are_noticed(self, last: Seen, expected: set[int]) -> None:
        assert self.judge(last) == expected


class TestRevocations:
    GOOD = Round(revoked=10.0, calls=(Call(9.0, 201), Call(9.9, 201), Call(10.1, 401)))

    @pytest.mark.parametrize(
        ("round_", "expected"),
        [
            (GOOD, set()),
            (Round(10.0, (*GOOD.calls, Call(10.01, 200))), {2}),
            (Round(10.0, GOOD.calls[:2]), {2, 3}),
        ],
    )
    def test_are_judged(self, round_: Round, expected: set[int]) -> None:
        assert broken(revoking.judge([round_], expected=1)) == expected

    def test_of_too_few_rounds_prove_too_little(self) -> None:
        assert broken(revoking.judge([self.GOOD], expected=2)) == {0}


class TestOneReference:
    GOOD = Counter({201: 1, 200: 49})

    @pytest.mark.parametrize(
        ("became", "expected"),
        [
            (GOOD, set()),
            (Counter({201: 2, 200: 48}), {1}),
            (Counter({200: 50}), {1}),
            (Counter({201: 1, 200: 48, 503: 1}), {1}),
        ],
    )
    def test_is_judged(self, became: Counter[int], expected: set[int]) -> None:
        assert broken(same_moment.judge_twins([self.GOOD, became], 2)) == expected

    @pytest.mark.parametrize(
        ("answered", "parked", "expected"),
        [
            (Counter({409: 9}), (1, 9), set()),
            (Counter({409: 9}), (2, 9), {2}),
            (Counter({409: 9}), (1, 8), {2}),
            (Counter({409: 8, 200: 1}), (1, 9), {2}),
        ],
    )
    def test_is_parked_once(self, answered: Counter[int], parked: tuple[int, int], expected: set[int]) -> None:
        assert broken([same_moment.judge_rivals(answered, parked, 9)]) == expected


class TestNeighbours:
    OWNERS = {"a": ("seeblick", "T-1"), "b": ("waldrand", "T-1"), "c": ("seeblick", "T-2")}

    def look(self, *sales: tuple[str, str], reference: str | None = "T-1", status: int = 200) -> set[int]:
        seen = neighbours.Seen(Counter({"read back": 1}))
        body = json.dumps({"results": [{"id": each, "external_ref": name} for each, name in sales]}).encode()
        neighbours.look_at(Answer(status, {}, body), "seeblick", reference, self.OWNERS, seen)
        return broken(neighbours.judge(seen, 1))

    def test_are_told_apart(self) -> None:
        assert self.look(("a", "T-1")) == set()
        assert self.look(("a", "T-1"), ("c", "T-2"), reference=None) == set()
        assert self.look(("a", "T-1"), ("b", "T-1")) == {1}
        assert self.look(("z", "T-1")) == {1, 2}
        assert self.look(("c", "T-2")) == {2}

    def test_that_are_shown_nothing_prove_nothing(self) -> None:
        assert self.look() == {1, 2, 3}
        assert self.look(("a", "T-1"), status=404) == {1, 2, 3}


class TestStrangers:
    SENT = Sent({"127.0.1.1": Counter({401: 500})}, seconds=2.0)
    TILLS = Beside([0.01] * 9, [0.015] * 9, Counter({201: 9}))

    @pytest.mark.parametrize(
        ("counted", "growth", "expected"),
        [(500, 1.0, set()), (499, 1.0, {2}), (501, 1.0, {2}), (500, 151.0, {3})],
    )
    def test_are_counted(self, counted: int, growth: float, expected: set[int]) -> None:
        rows = {"127.0.1.1": (counted, 101)}
        assert broken(strangers.judge_strangers(self.SENT, rows, self.TILLS, growth, expected=500)) == expected

    def test_that_are_let_in_are_noticed(self) -> None:
        sent = Sent({"127.0.1.1": Counter({401: 499, 200: 1})}, seconds=2.0)
        counted = {"127.0.1.1": (500, 101)}
        assert broken(strangers.judge_strangers(sent, counted, self.TILLS, 1.0, expected=500)) == {1}

    @pytest.mark.parametrize(
        ("tills", "growth", "expected"),
        [
            (TILLS, 10.0, set()),
            (TILLS, 65.0, {2}),
            (Beside([0.01] * 9, [0.021] * 9, Counter({201: 9})), 10.0, {3}),
            (Beside([0.01] * 9, [0.015] * 9, Counter({201: 8, 503: 1})), 10.0, {4}),
        ],
    )
    def test_with_forged_tokens_are_judged(self, tills: Beside, growth: float, expected: set[int]) -> None:
        assert broken(strangers.judge_forgers(self.SENT, tills, growth, expected=500)) == expected


class TestTheOracle:
    def times(self, seed: int, *, more: float = 0.0) -> list[float]:
        rng = Random(seed)
        return [0.004 + more + rng.expovariate(2000) for _ in range(2000)]

    def test_finds_nothing_where_there_is_nothing(self) -> None:
        assert broken(oracle.judge(self.times(1), self.times(2), {b"HTTP/1.1 401"}, expected=2000)) == set()

    def test_finds_fifty_microseconds(self) -> None:
        later = self.times(2, more=0.00005)
        assert broken(oracle.judge(self.times(1), later, {b"HTTP/1.1 401"}, expected=2000)) == {2}

    def test_finds_another_answer(self) -> None:
        statuses = {b"HTTP/1.1 401", b"HTTP/1.1 503"}
        assert broken(oracle.judge(self.times(1), self.times(2), statuses, expected=2000)) == {1}

    def test_ranks_as_the_books_do(self) -> None:
        assert oracle.mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == pytest.approx(0.00902, abs=1e-4)
        assert oracle.mann_whitney([1, 4, 5, 8], [2, 3, 6, 7]) == 1.0


class TestAnySiege:
    def test_hears_what_is_not_allowed_and_that_nothing_was_heard(self) -> None:
        assert only(20, Counter({201: 3}), (200, 201)).holds
        assert not only(20, Counter({201: 3, 429: 1}), (200, 201)).holds
        assert not only(20, Counter(), (200, 201)).holds

    def test_counts_recovery_from_the_first_sale_that_ends_after_it(self) -> None:
        heard = [Heard(1.0, 1.0, 201), Heard(9.0, 2.0, 503), Heard(9.5, 1.0, 200), Heard(10.2, 0.1, 201)]
        assert first_ack_after(heard, 10.0) == pytest.approx(0.3)
        assert first_ack_after(heard, 20.0) is None
