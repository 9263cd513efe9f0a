"""The relay: for a till that can call only once. What it has answered 202 to is on the disk."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.server.process import PROJECT
from tests.till_client.fake import TOKEN, FakeBridge
from tests.till_client.sales import croissants, refused
from till_client import Drain, Outbox, Relay, TillClient, sale_from


@pytest.fixture
def relay(bridge: FakeBridge, client: TillClient, tmp_path: Path) -> Iterator[Relay]:
    with Outbox(tmp_path / "relay.sqlite3") as outbox:
        relay = Relay(outbox)
        thread = threading.Thread(target=relay.run, args=(Drain(outbox, client, rng=Random(7)),))
        thread.start()
        yield relay
        relay.stop()
        thread.join()


def call(port: int, method: str, body: bytes | None = None, path: str = "/", **headers: str) -> tuple[int, Any]:
    """One call on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Content-Type": "application/json"} | named)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def until(condition: Any) -> None:
    """Wait for it, and fail when it does not come."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestARelay:
    def test_answers_at_once_and_forwards_the_same_bytes(self, relay: Relay, bridge: FakeBridge) -> None:
        bridge.faults = [503, 503]
        body = sale_from(croissants(1)).body

        status, told = call(relay.server_port, "POST", body, "/api/v1/public/pos/transactions/")

        assert (status, told["external_ref"]) == (202, "kiosk-1")
        assert told["state"] in {"waiting", "sending"}
        until(lambda: "kiosk-1" in bridge.stored)
        until(lambda: call(relay.server_port, "GET", path="/?external_ref=kiosk-1")[1]["state"] == "acknowledged")
        assert bridge.sent["kiosk-1"] == {json.dumps(json.loads(body), sort_keys=True)}

    def test_takes_a_repeat_as_the_same_sale(self, relay: Relay, bridge: FakeBridge) -> None:
        body = sale_from(croissants(1)).body

        statuses = [call(relay.server_port, "POST", body)[0] for _ in range(3)]

        assert statuses == [202] * 3
        until(lambda: call(relay.server_port, "GET")[1]["sales"]["acknowledged"] == 1)
        assert len(bridge.stored) == 1

    def test_tells_why_a_sale_was_set_aside(self, relay: Relay, bridge: FakeBridge) -> None:
        call(relay.server_port, "POST", sale_from(refused(1)).body)

        until(lambda: call(relay.server_port, "GET")[1]["sales"]["poison"] == 1)
        assert call(relay.server_port, "GET", path="/?external_ref=bad-1")[1]["reason"].startswith("400 total_mismatch")

    def test_refuses_what_it_could_not_forward(self, relay: Relay) -> None:
        port, body = relay.server_port, sale_from(croissants(1)).body
        call(port, "POST", body)

        assert call(port, "POST", b"croissants")[0] == 400
        assert call(port, "POST", sale_from(croissants(1, total_amount="9.00")).body)[0] == 409
        assert call(port, "POST", b"x" * 300_000)[0] == 413
        assert call(port, "POST", body, Content_Type="text/plain")[0] == 415
        assert call(port, "POST", body, Content_Length="croissants")[0] == 411
        assert call(port, "GET", path="/?external_ref=nobody")[0] == 404

    def test_is_not_for_pages_of_strangers(self, relay: Relay, bridge: FakeBridge) -> None:
        """A browser on the till's machine can reach the relay; what it sends names a page or a foreign host."""
        body = sale_from(croissants(1)).body

        assert call(relay.server_port, "POST", body, Origin="https://games.example")[0] == 403
        assert call(relay.server_port, "POST", body, Host="games.example")[0] == 403
        assert call(relay.server_port, "GET", Host="games.example:80")[0] == 403
        assert relay.outbox.counts()["waiting"] == len(bridge.stored) == 0

    def test_does_not_take_what_it_cannot_write_down(self, relay: Relay) -> None:
        (pages,) = relay.outbox._file.read("PRAGMA page_count", ())[0]
        relay.outbox._file.read(f"PRAGMA max_page_count = {pages}", ())

        status, told = call(relay.server_port, "POST", sale_from(croissants(1, metadata={"n": "x" * 90_000})).body)

        assert (status, told["code"]) == (503, "not_taken")

    def test_listens_on_this_machine_alone(self, relay: Relay) -> None:
        assert relay.server_address[0] == "127.0.0.1"


class TestARelayThatIsKilled:
    def test_has_lost_nothing_that_it_answered_202_to(self, bridge: FakeBridge, tmp_path: Path) -> None:
        path = tmp_path / "relay.sqlite3"
        bridge.faults = ["drop"] * 1000  # the bridge is away
        relay = start_relay(path, bridge)
        told = []
        for number in range(30):
            assert call(relay_port(relay), "POST", sale_from(croissants(number)).body)[0] == 202
            told.append(f"kiosk-{number}")
        os.kill(relay.pid, signal.SIGKILL)
        relay.communicate()

        bridge.faults = []
        with (
            Outbox(path, clock=lambda: time.time() + 1000) as outbox,
            TillClient(bridge.url, TOKEN, timeout=5) as client,
        ):
            assert Drain(outbox, client).until_settled()
        assert set(bridge.stored) == set(told)

    def test_ends_cleanly_when_asked_to(self, bridge: FakeBridge, tmp_path: Path) -> None:
        relay = start_relay(tmp_path / "relay.sqlite3", bridge)
        relay_port(relay)

        relay.send_signal(signal.SIGTERM)

        assert relay.communicate(timeout=20)[1] == ""
        assert relay.returncode == 0


PORTS: dict[int, int] = {}


def start_relay(path: Path, bridge: FakeBridge) -> subprocess.Popen[str]:
    """``python -m till_client relay`` on a free port."""
    command = [sys.executable, "-m", "till_client", "--outbox", str(path), "relay", "--port", "0"]
    environment = {**os.environ, "TILL_URL": bridge.url, "TILL_TOKEN": TOKEN}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=PROJECT, env=environment, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def relay_port(relay: subprocess.Popen[str]) -> int:
    """The port, as the relay has printed it."""
    if relay.pid not in PORTS:
        assert relay.stdout
        PORTS[relay.pid] = int(relay.stdout.readline().strip().rstrip("/").rpartition(":")[2])
    return PORTS[relay.pid]
