"""What threads ask for at the same moment is done in one go; nobody waits long for others, or fails with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from kasse.together import Together
from tests.races.racing import until

WAIT = 10
"""Seconds after which something hangs."""


class Refused(Exception):
    """What the stand-in for a database says."""


@dataclass
class Piece:
    """Some work, and what came of it."""

    name: str
    done: list[str] = field(default_factory=list)


class Desk:
    """Does work, and notes what went together; a go waits for its ``gates``, and fails if it holds any of ``bad``."""

    def __init__(self, *, patience: float = WAIT, most: int = 32, settles: bool = True) -> None:
        self.goes: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.gates: dict[str, threading.Event] = {}
        self.bad: dict[str, BaseException] = {}
        self.together = Together[Piece](
            self._do, nothing_came_of_it=lambda _error: settles, most=most, patience=patience
        )

    def _do(self, pieces: Sequence[Piece]) -> None:
        names = [each.name for each in pieces]
        self.goes.append(names)
        self.begun.release()
        for each in pieces:
            if each.name in self.gates:
                assert self.gates[each.name].wait(WAIT)
        for each in pieces:
            if each.name in self.bad:
                raise self.bad[each.name]
        for each in pieces:
            each.done.append(",".join(names))

    def hold(self, name: str) -> threading.Event:
        """Nothing that goes with this one ends before the event is set."""
        self.gates[name] = threading.Event()
        return self.gates[name]

    def wait_for_a_go(self) -> None:
        """Until one more has begun."""
        assert self.begun.acquire(timeout=WAIT)

    def wait_for_waiting(self, count: int) -> None:
        """Until so many stand in line."""
        until(lambda: len(self.together._waiting) == count)


@contextmanager
def threads(desk: Desk) -> Iterator[Callable[..., Future[Piece]]]:
    """Gives a way to have work done, in a thread of its own."""

    def ask(name: str, turn: Any) -> Piece:
        piece = Piece(name)
        desk.together.do(piece, turn=turn)
        return piece

    with ThreadPoolExecutor(64) as pool:
        yield lambda name, turn=None: pool.submit(ask, name, turn or name)


class TestWhatComesAtTheSameMoment:
    def test_alone_begins_at_once(self) -> None:
        desk = Desk()
        with threads(desk) as ask:
            assert ask("a").result(WAIT).done == ["a"]
            assert ask("b").result(WAIT).done == ["b"]

    def test_goes_together_once_it_has_to_wait(self) -> None:
        desk = Desk()
        opened = desk.hold("a")
        with threads(desk) as ask:
            first = ask("a")
            desk.wait_for_a_go()
            others = [ask(name) for name in "bcd"]
            desk.wait_for_waiting(3)
            opened.set()
            assert first.result(WAIT).done == ["a"]
            assert len({tuple(each.result(WAIT).done) for each in others}) == 1
        assert [sorted(names) for names in desk.goes] == [["a"], ["b", "c", "d"]]

    def test_waits_for_its_turn(self) -> None:
        desk = Desk()
        opened = desk.hold("a")
        with threads(desk) as ask:
            asked = [ask("a")]
            desk.wait_for_a_go()
            for number, (name, turn) in enumerate([("b", 1), ("c", 1), ("d", 2), ("e", 1)], start=1):
                asked.append(ask(name, turn))
                desk.wait_for_waiting(number)
            opened.set()
            [each.result(WAIT) for each in asked]
        assert desk.goes == [["a"], ["b", "d"], ["c"], ["e"]]

    def test_is_no_more_than_what_goes_at_once(self) -> None:
        desk = Desk(most=3)
        opened = desk.hold("a")
        with threads(desk) as ask:
            asked = [ask("a")]
            desk.wait_for_a_go()
            for number in range(1, 8):
                asked.append(ask(str(number)))
                desk.wait_for_waiting(number)
            opened.set()
            [each.result(WAIT) for each in asked]
        assert desk.goes == [["a"], ["1", "2", "3"], ["4", "5", "6"], ["7"]]

    def test_leaves_nobody_behind(self) -> None:
        desk = Desk(patience=0.001)
        with threads(desk) as ask:
            asked = [ask(str(number), number % 7) for number in range(3000)]
            done = [each.result(WAIT * 3).done for each in asked]
        assert all(len(each) == 1 for each in done)
        assert sorted(int(name) for names in desk.goes for name in names) == list(range(3000))
        assert all(len({int(name) % 7 for name in names}) == len(names) for names in desk.goes)
        assert desk.together._leader is None
        assert not desk.together._waiting


class TestOneThatTakesLong:
    def test_holds_nobody_else_up(self) -> None:
        desk = Desk(patience=0.05)
        opened = desk.hold("stuck")
        with threads(desk) as ask:
            stuck = ask("stuck")
            desk.wait_for_a_go()
            for name in "abcdef":
                assert name in ask(name).result(WAIT).done[0]
            assert not stuck.done()
            opened.set()
            assert stuck.result(WAIT).done == ["stuck"]

    def test_holds_up_whoever_went_with_it(self) -> None:
        desk = Desk(patience=0.05)
        first, stuck = desk.hold("first"), desk.hold("stuck")
        with threads(desk) as ask:
            asked = [ask("first")]
            desk.wait_for_a_go()
            desk.together._patience = WAIT
            asked += [ask("stuck"), ask("beside")]
            desk.wait_for_waiting(2)
            first.set()
            desk.wait_for_a_go()
            time.sleep(0.1)
            assert not asked[2].done()
            stuck.set()
            assert asked[2].result(WAIT).done in (["stuck,beside"], ["beside,stuck"])


class TestOneThatFails:
    def ask_together(self, desk: Desk, *names: str) -> list[Future[Piece]]:
        opened = desk.hold("first")
        with threads(desk) as ask:
            ask("first")
            desk.wait_for_a_go()
            asked = [ask(name) for name in names]
            desk.wait_for_waiting(len(names))
            opened.set()
        return asked

    def test_fails_by_itself_if_nothing_came_of_it(self) -> None:
        desk = Desk()
        desk.bad["poison"] = Refused("no")

        a, poison, b = self.ask_together(desk, "a", "poison", "b")

        assert [a.result().done, b.result().done] == [["a"], ["b"]]
        with pytest.raises(Refused, match="no"):
            poison.result()
        assert sorted(desk.goes[1]) == ["a", "b", "poison"]
        assert sorted(desk.goes[2:]) == [["a"], ["b"], ["poison"]]

    def test_fails_with_all_if_nobody_knows_what_came_of_it(self) -> None:
        desk = Desk(settles=False)
        cause = ValueError("the wire")
        desk.bad["lost"] = Refused("gone")
        desk.bad["lost"].__cause__ = cause

        asked = self.ask_together(desk, "a", "lost", "b")

        raised = [each.exception() for each in asked]
        assert [(type(each), str(each), each.__cause__) for each in raised if each] == [(Refused, "gone", cause)] * 3
        assert len({id(each) for each in raised}) == 3
        assert len(desk.goes) == 2

    def test_alone_is_not_done_again(self) -> None:
        desk = Desk()
        desk.bad["poison"] = Refused("no")
        with threads(desk) as ask, pytest.raises(Refused):
            ask("poison").result(WAIT)
        assert desk.goes == [["poison"]]

    def test_leaves_the_next_one_to_go_on(self) -> None:
        desk = Desk(settles=False)
        desk.bad["a"] = KeyboardInterrupt()
        with threads(desk) as ask:
            with pytest.raises(KeyboardInterrupt):
                ask("a").result(WAIT)
            assert ask("b").result(WAIT).done == ["b"]
