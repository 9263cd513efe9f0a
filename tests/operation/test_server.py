"""The operator's side of a real server: figures of all its workers, its log, its start, its end, its reload."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from apikeys.minting import Minted
from tests.operation.test_figures import figures
from tests.server.calls import WireTill
from tests.server.process import Server, running_server
from tests.till import croissants_and_coffee

TOKEN = "figures-for-the-operator"
CALLS = 60


@pytest.fixture
def watched(tmp_path: Path, transactional_db: None) -> Iterator[Server]:
    """A server with everything that an operator can switch on."""
    folder = tmp_path / "figures"
    folder.mkdir()
    with running_server(tmp_path, METRICS_TOKEN=TOKEN, METRICS_FOLDER=str(folder), LOG_FORMAT="json") as server:
        yield server


def ask(server: Server, path: str) -> tuple[int, bytes]:
    """As Prometheus asks: by the machine's address."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


class TestAServer:
    def test_counts_the_calls_of_all_its_workers_and_never_fewer(self, watched: Server, key: Minted) -> None:
        till = WireTill(watched.port, key.token)
        seen = []
        with ThreadPoolExecutor(8) as tills:
            for number in range(0, CALLS, 20):
                sales = [croissants_and_coffee(external_ref=f"T-{number + each}") for each in range(20)]
                assert {answer.status for answer in tills.map(till.post, sales)} == {201}
                seen += [created(watched) for _ in range(4)]
        deadline = time.monotonic() + 30
        while created(watched) < CALLS:  # what another worker has heard within the last second
            assert time.monotonic() < deadline
            time.sleep(0.1)

        assert seen == sorted(seen)
        assert created(watched) == CALLS
        assert figures(ask(watched, "/metrics")[1])["bridge_workers"] == {(): 2}

    def test_is_alive_and_ready(self, watched: Server) -> None:
        assert ask(watched, "/healthz")[0] == 200
        assert ask(watched, "/readyz") == (200, b'{"status": "ready"}')

    def test_writes_a_line_of_json_for_each_call_until_its_end(
        self, tmp_path: Path, transactional_db: None, key: Minted
    ) -> None:
        with running_server(tmp_path, LOG_FORMAT="json", LOG_CALLS="1", LOG_LEVEL="INFO") as server:
            till = WireTill(server.port, key.token)
            answers = [till.post(croissants_and_coffee(external_ref=f"T-{number}")) for number in range(CALLS)]

        lines = [json.loads(line) for line in server.log.splitlines()]
        told = Counter(line["request_id"] for line in lines if line["logger"] == "campone.calls")
        assert told == Counter(answer.headers["x-request-id"] for answer in answers)
        assert key.token not in server.log

    def test_says_that_it_serves_once_it_does(self, tmp_path: Path, transactional_db: None) -> None:
        with running_server(tmp_path) as server:
            deadline = time.monotonic() + 30
            while "Serving" not in server.log:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert ask(server, "/healthz")[0] == 200

    def test_that_is_reloaded_loses_no_call(self, tmp_path: Path, transactional_db: None, key: Minted) -> None:
        with running_server(tmp_path) as server, ThreadPoolExecutor(4) as tills:
            till = WireTill(server.port, key.token)
            sales = [croissants_and_coffee(external_ref=f"T-{number}") for number in range(200)]
            answers = [tills.submit(till.post, sale) for sale in sales]
            os.kill(server.process.pid, signal.SIGHUP)

            assert Counter(answer.result().status for answer in answers) == {201: 200}


def created(server: Server) -> float:
    """How many sales the figures tell of."""
    told = figures(ask(server, "/metrics")[1]).get("bridge_calls_total", {})
    return told.get(("", "POST", "created", "transactions", "201"), 0)
