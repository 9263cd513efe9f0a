"""``kill -9`` at every line: whatever the cashier was told is safe is stored, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server.process import PROJECT
from tests.till_client.fake import TOKEN, FakeBridge
from tests.till_client.sales import croissants
from till_client import Drain, Outbox, TillClient


class TestATillThatDies:
    def test_at_any_line_loses_no_sale_and_doubles_none(self, bridge: FakeBridge, tmp_path: Path) -> None:
        labs = [start_lab(bridge, tmp_path, first=first, step=2) for first in (1, 2)]
        lives = [json.loads(line) for lab in labs for line in lab.communicate(timeout=110)[0].splitlines()]

        survivors = [life for life in lives if life["died"] is None]
        assert len(survivors) == 2
        deaths = {life["died"].split(":")[0] for life in lives if life["died"]}
        assert deaths >= {"outbox.py", "outbox_file.py", "draining.py", "client.py", "wire.py", "answers.py", "sale.py"}
        assert len(lives) > 250
        for life in lives:
            assert set(life["told"]) <= set(bridge.stored), life
            counts = life["counts"]
            assert counts["waiting"] == counts["sending"] == 0, life
            assert counts["acknowledged"] >= len(life["told"]), life
            assert counts["poison"] <= 1, life
        assert {name: bodies for name, bodies in bridge.sent.items() if len(bodies) > 1} == {}
        assert survivors[0]["counts"] == {"waiting": 0, "sending": 0, "acknowledged": 4, "poison": 1}


def start_lab(bridge: FakeBridge, folder: Path, *, first: int, step: int) -> subprocess.Popen[str]:
    """A process that lets a till die at every ``step``-th line."""
    arguments = [bridge.url, TOKEN, str(folder), str(first), str(step)]
    command = [sys.executable, "-m", "tests.till_client.dying", *arguments]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


SELLER = """
import sys, time
from till_client import Drain, Outbox, TillClient
outbox, url, token = sys.argv[1:]
with Outbox(outbox) as outbox, TillClient(url, token, timeout=5) as client:
    drain = Drain(outbox, client)
    print("ready", flush=True)
    while (wait := drain.step()) is not None:
        time.sleep(min(wait, 0.05))
    print(drain.tally.created + drain.tally.replayed, flush=True)
"""


class TestManyProcesses:
    def test_drain_one_outbox_and_send_nothing_twice(self, bridge: FakeBridge, tmp_path: Path) -> None:
        path = tmp_path / "outbox.sqlite3"
        with Outbox(path) as outbox:
            outbox.put_all(croissants(number) for number in range(900))

        drains = [start_drain(path, bridge) for _ in range(4)]
        acknowledged = [int(drain.communicate(timeout=60)[0].split()[-1]) for drain in drains]

        assert [drain.returncode for drain in drains] == [0] * 4
        assert sum(acknowledged) == len(bridge.stored) == 900
        assert bridge.posts() < 20

    def test_open_a_new_outbox_at_the_same_moment(self, bridge: FakeBridge, tmp_path: Path) -> None:
        drains = [start_drain(tmp_path / "outbox.sqlite3", bridge) for _ in range(5)]

        assert [drain.communicate(timeout=60)[0].split() for drain in drains] == [["ready", "0"]] * 5

    def test_take_over_what_a_dead_one_had_claimed(self, bridge: FakeBridge, tmp_path: Path) -> None:
        """It is frozen in the middle of a call, and killed there; its claim runs out, and another sends the same."""
        path = tmp_path / "outbox.sqlite3"
        with Outbox(path) as outbox:
            outbox.put_all(croissants(number) for number in range(50))
        with bridge.turn:  # the fake answers nobody meanwhile
            dying = start_drain(path, bridge)
            wait_for_claims(path)
            dying.send_signal(signal.SIGSTOP)
            os.kill(dying.pid, signal.SIGKILL)
            dying.communicate(timeout=10)

        with (
            Outbox(path, clock=lambda: time.time() + 121) as outbox,
            TillClient(bridge.url, TOKEN, timeout=5) as client,
        ):
            assert outbox.counts()["sending"] == 50
            assert Drain(outbox, client).until_settled()
            assert outbox.counts()["acknowledged"] == len(bridge.stored) == 50


def start_drain(path: Path, bridge: FakeBridge) -> subprocess.Popen[str]:
    """A process of its own that drains until everything is settled."""
    command = [sys.executable, "-c", SELLER, str(path), bridge.url, TOKEN]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def wait_for_claims(path: Path) -> None:
    """Until another process has begun to send."""
    with Outbox(path) as outbox:
        for _ in range(1000):
            if outbox.counts()["sending"]:
                return
            time.sleep(0.01)
    pytest.fail("Nobody has begun to send.")
