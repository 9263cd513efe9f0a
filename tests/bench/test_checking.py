"""The check of the contract bites: a target that answers wrongly is named, and out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from bench import shop
from bench.checking import Unlike, check_contract, expect, wait_until_ready
from bench.load import get_call

AT = datetime(2026, 4, 29, 8, 14, 32, tzinfo=timezone.utc)
KEYS = shop.Keys(["ck_" + "A" * 32], "ck_" + "R" * 32, "ck_" + "X" * 32)


class Careless(BaseHTTPRequestHandler):
    """Stores nothing, and says 201 to every sale; else what ``mood`` says."""

    mood: ClassVar[dict[str, Any]] = {}

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kept = {"id": 1, "source": "EXTERNAL_POS", "status": "COMPLETED", "currency": "CHF", "tip_amount": "0.00"}
        told: dict[str, Any] = {
            "business_date": "2026-04-29",
            "received_at": "2026-04-29T08:14:32Z",
            "metadata": {},
            "refund_of": None,
        }
        self.answer(201, {**sent, **kept, **told, **self.mood})

    def do_GET(self) -> None:
        self.answer(200, {})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps({name: value for name, value in body.items() if value != "left out"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class TestCheckContract:
    def test_finds_a_retry_that_is_stored_again(self, port: int) -> None:
        with pytest.raises(Unlike, match="a retry is answered 201, not 200"):
            check_contract(KEYS, port=port, now=AT)

    def test_finds_a_record_that_is_not_whole(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Careless, "mood", {"business_date": "left out"})

        with pytest.raises(Unlike, match="the record is not whole"):
            check_contract(KEYS, port=port, now=AT)

    def test_finds_another_total(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Careless, "mood", {"total_amount": "35.9"})

        with pytest.raises(Unlike, match="the record is not whole"):
            check_contract(KEYS, port=port, now=AT)


class TestExpect:
    def test_names_a_server_that_is_not_there(self) -> None:
        with pytest.raises(Unlike, match="a ping: "):
            expect(200, get_call(KEYS.tills[0], "ping/"), "a ping", port=1)


class TestWaitUntilReady:
    def test_ends_with_the_first_answer(self, port: int) -> None:
        wait_until_ready(KEYS.tills[0], port=port)

    def test_gives_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bench.checking.PATIENCE", 0.01)

        with pytest.raises(Unlike, match="no ping was answered"):
            wait_until_ready(KEYS.tills[0], port=1)
