from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from apikeys import verification
from apikeys.verification import ProvenTokens, TooManyUnproven

WAIT = 10.0


class Hashing:
    """Stands in for Argon2: counts, and waits at a gate while it is closed. The encoded hash is ``#`` + its token."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.threads: set[int] = set()
        self.priorities: set[int] = set()
        self.running = self.most_running = 0
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self._guard = threading.Lock()

    def __call__(self, token: str, encoded: str) -> bool:
        with self._guard:
            self.calls[token] += 1
            self.threads.add(threading.get_ident())
            self.priorities.add(os.getpriority(os.PRIO_PROCESS, 0))
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        self.begun.set()
        assert self.gate.wait(WAIT)
        # As a real one, it takes its time, so that others could overtake it.
        threading.Event().wait(0.005)
        with self._guard:
            self.running -= 1
        return encoded == f"#{token}"


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    stand_in = Hashing()
    monkeypatch.setattr(verification, "token_fits", stand_in)
    yield stand_in
    stand_in.gate.set()


def race(number: int, deed: Callable[[int], object]) -> list[object]:
    """The deed in so many threads that start together; what each returns or raises."""
    start = threading.Barrier(number)

    def run(index: int) -> object:
        start.wait(WAIT)
        try:
            return deed(index)
        except TooManyUnproven as refused:
            return type(refused)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


class TestAProvenToken:
    def test_is_hashed_once(self, hashing: Hashing) -> None:
        proven = ProvenTokens()

        assert all(proven.proves("right", "#right") for _ in range(5))

        assert hashing.calls == {"right": 1}

    def test_is_hashed_once_however_many_calls_race(self, hashing: Hashing) -> None:
        proven = ProvenTokens(patience=WAIT)

        answers = race(12, lambda _: proven.proves("right", "#right"))

        assert answers == [True] * 12
        assert hashing.calls == {"right": 1}

    def test_is_hashed_anew_once_its_stored_hash_is_another(self, hashing: Hashing) -> None:
        proven = ProvenTokens()
        assert proven.proves("right", "#right")

        assert not proven.proves("right", "#renewed")

        assert hashing.calls == {"right": 2}

    def test_is_kept_only_as_a_digest_with_a_key_of_this_process(self, hashing: Hashing) -> None:
        one, other = ProvenTokens(), ProvenTokens()
        for proven in (one, other):
            proven.proves("the-raw-token", "#hash")

        assert "the-raw-token" not in repr(vars(one))
        assert set(one._facts[False]) != set(other._facts[False])

    def test_outlives_any_number_of_failures(self, hashing: Hashing) -> None:
        proven = ProvenTokens(capacity=3)
        proven.proves("right", "#right")

        assert not any(proven.proves(f"wrong-{number}", "#right") for number in range(20))

        assert proven.proves("right", "#right")
        assert hashing.calls["right"] == 1

    def test_gives_way_only_to_more_proven_ones_and_the_longest_unused_first(self, hashing: Hashing) -> None:
        proven = ProvenTokens(capacity=2)
        for token in ("bread", "beer", "bread", "gas"):
            proven.proves(token, f"#{token}")

        for token in ("bread", "gas", "beer"):
            proven.proves(token, f"#{token}")

        assert hashing.calls == {"bread": 1, "gas": 1, "beer": 2}

    def test_does_not_wait_behind_unproven_ones(self, hashing: Hashing) -> None:
        proven = ProvenTokens(queue=1)
        proven.proves("right", "#right")
        hashing.gate.clear()
        hashing.begun.clear()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(proven.proves, "unproven", "#right")
            assert hashing.begun.wait(WAIT)

            assert proven.proves("right", "#right")

            hashing.gate.set()


class TestAFailure:
    def test_is_remembered_too(self, hashing: Hashing) -> None:
        proven = ProvenTokens()

        assert not any(proven.proves("wrong", "#right") for _ in range(5))

        assert hashing.calls == {"wrong": 1}

    def test_is_remembered_in_bounded_memory(self, hashing: Hashing) -> None:
        proven = ProvenTokens(capacity=3)

        for number in range(50):
            proven.proves(f"wrong-{number}", "#right")

        assert len(proven._facts[False]) == 3
        assert not proven._running


class TestTheQueue:
    def test_lets_one_hash_run_at_a_time(self, hashing: Hashing) -> None:
        proven = ProvenTokens(queue=12, patience=WAIT)

        answers = race(12, lambda index: proven.proves(f"till-{index}", f"#till-{index}"))

        assert answers == [True] * 12
        assert hashing.most_running == 1

    def test_hashes_on_a_thread_of_its_own_since_each_that_hashes_keeps_the_memory(self, hashing: Hashing) -> None:
        proven = ProvenTokens(queue=12, patience=WAIT)

        race(12, lambda index: proven.proves(f"till-{index}", f"#till-{index}"))
        proven.proves("right", "#right")

        assert len(hashing.threads) == 1
        assert threading.get_ident() not in hashing.threads

    def test_has_one_hash_for_all_unknown_prefixes_however_many_ask_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[str] = []

        def make(token: str) -> str:
            threading.Event().wait(0.01)
            made.append(token)
            return f"#{token}"

        verification._make_hash_of_nobody.cache_clear()
        monkeypatch.setattr(verification, "hash_token", make)

        answers = race(12, lambda _: verification._hash_of_nobody())

        verification._make_hash_of_nobody.cache_clear()
        assert len(made) == 1
        assert len(set(answers)) == 1

    def test_gives_way_to_whoever_sells(self, hashing: Hashing) -> None:
        before = os.getpriority(os.PRIO_PROCESS, 0)

        ProvenTokens().proves("till", "#till")

        assert hashing.priorities == {max(before, verification.NICENESS) if sys.platform == "linux" else before}
        assert os.getpriority(os.PRIO_PROCESS, 0) == before

    def test_refuses_one_more_than_it_holds(self, hashing: Hashing) -> None:
        proven = ProvenTokens(queue=2, patience=WAIT)
        hashing.gate.clear()
        with ThreadPoolExecutor(2) as pool:
            waiting = [pool.submit(proven.proves, token, f"#{token}") for token in ("bread", "beer")]
            wait_until(lambda: len(proven._running) == 2)

            with pytest.raises(TooManyUnproven):
                proven.proves("gas", "#gas")

            hashing.gate.set()
            assert [each.result(WAIT) for each in waiting] == [True, True]
        assert proven.proves("gas", "#gas")

    def test_has_no_place_taken_by_those_who_wait_for_the_same_pair(self, hashing: Hashing) -> None:
        proven = ProvenTokens(queue=1, patience=WAIT)
        hashing.gate.clear()
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(proven.proves, "right", "#right") for _ in range(4)]
            assert hashing.begun.wait(WAIT)
            hashing.gate.set()

            assert [each.result(WAIT) for each in waiting] == [True] * 4
        assert hashing.calls == {"right": 1}

    def test_is_left_by_who_has_waited_too_long(self, hashing: Hashing) -> None:
        proven = ProvenTokens(patience=0.05)
        hashing.gate.clear()
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(proven.proves, "right", "#right")
            assert hashing.begun.wait(WAIT)

            with pytest.raises(TooManyUnproven):
                proven.proves("right", "#right")

            hashing.gate.set()
            assert first.result(WAIT)

    def test_goes_on_after_a_hash_that_breaks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        proven = ProvenTokens(queue=1)

        def out_of_memory(token: str, encoded: str) -> bool:
            raise MemoryError

        monkeypatch.setattr(verification, "token_fits", out_of_memory)
        with pytest.raises(MemoryError):
            proven.proves("right", "#right")

        monkeypatch.setattr(verification, "token_fits", lambda token, encoded: True)
        assert proven.proves("right", "#right")

    def test_refuses_without_naming_the_token(self, hashing: Hashing) -> None:
        proven = ProvenTokens(queue=0)

        with pytest.raises(TooManyUnproven) as refused:
            proven.proves("the-raw-token", "#right")

        assert "the-raw-token" not in repr(refused.value) + str(refused.value)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Fail, rather than hang, if it never becomes so."""
    pause = threading.Event()
    for _ in range(1000):
        if is_so():
            return
        pause.wait(WAIT / 1000)
    pytest.fail("It never became so.")
