"""A bridge, a client for it, an outbox with a clock that a test sets, and chance from a fixed seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.server.fixtures import server, server_of_this_run
from tests.till_client.fake import TOKEN, FakeBridge, fake_bridge
from till_client import Drain, Outbox, TillClient

__all__ = ["server", "server_of_this_run"]


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_777_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def bridge() -> Iterator[FakeBridge]:
    with fake_bridge() as bridge:
        yield bridge


@pytest.fixture
def client(bridge: FakeBridge) -> Iterator[TillClient]:
    with TillClient(bridge.url, TOKEN, timeout=5) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite3", clock=clock) as outbox:
        yield outbox


@pytest.fixture
def drain(outbox: Outbox, client: TillClient) -> Drain:
    return Drain(outbox, client, rng=Random(7))


def run_down(drain: Drain, clock: Clock, *, most: int = 400) -> float:
    """Step until everything is settled, with waits that pass at once; the seconds that would have been waited."""
    began = clock.now
    for _ in range(most):
        wait = drain.step()
        if wait is None:
            return clock.now - began
        clock.now += wait
    raise AssertionError(f"Not settled after {most} steps: {drain.outbox.counts()}")
