"""A campaign that cannot notice anything proves nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.malformed.bodies import DOORS, post_misspelt
from tests.malformed.calls import call_numbered, call_oddly
from tests.malformed.hearing import Caller, Heard
from tests.malformed.verdict import Verdict

JSON = {"content-type": "application/json"}


class TestAnAnswer:
    @pytest.mark.parametrize(
        "heard",
        [
            Heard(500, JSON, b"{}"),
            Heard(502, {"content-type": "text/html"}, b"<h1>"),
            Heard(503, JSON, b"{}"),
            Heard(400, {"content-type": "text/html"}, b"<h1>Bad Request</h1>"),
            Heard(400, JSON, b"{"),
            Heard(0),
        ],
    )
    def test_that_no_sound_service_gives_is_found(self, heard: Heard) -> None:
        verdict = Verdict()
        verdict.hear("bodies:7", heard)

        assert [each.case for each in verdict.findings] == ["bodies:7"]
        assert "bodies:7" in "\n".join(verdict.lines())

    @pytest.mark.parametrize(
        "heard", [Heard(201, JSON, b"{}"), Heard(304), Heard(400, JSON, b"{}"), Heard(501, {}, b"no such coding")]
    )
    def test_of_a_sound_service_is_not(self, heard: Heard) -> None:
        verdict = Verdict()
        verdict.hear("bodies:7", heard)

        assert verdict.findings == []

    def test_to_what_is_no_http_may_be_none(self) -> None:
        verdict = Verdict()
        verdict.hear("calls:7", Heard(0), must_answer=False)

        assert verdict.findings == []


class Forgetful(BaseHTTPRequestHandler):
    """Takes every sale, and knows of none afterwards."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, b'{"external_ref": "M-1"}')

    def do_GET(self) -> None:
        self.answer(404, b"{}")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing to say."""


@contextmanager
def forgetful() -> Iterator[int]:
    """The port of a service that loses what it takes."""
    with HTTPServer(("127.0.0.1", 0), Forgetful) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class TestACampaign:
    def test_finds_what_was_taken_and_is_not_there(self) -> None:
        verdict = Verdict()
        with forgetful() as port:
            caller = Caller(port)
            post_misspelt(caller, verdict, token="x", seed=1, numbers=range(20), tell=print)
            caller.hang_up()

        assert verdict.findings
        assert all("read back as 404" in each.what for each in verdict.findings)

    def test_finds_a_service_that_is_not_there(self) -> None:
        verdict = Verdict()
        with forgetful() as port:
            pass
        post_misspelt(Caller(port), verdict, token="x", seed=1, numbers=range(3), tell=print)

        assert [each.what for each in verdict.findings] == ["no answer"] * 3

    def test_plays_a_case_again_as_it_was(self) -> None:
        assert call_numbered(7, seed=3, token="x") == call_numbered(7, seed=3, token="x")
        assert call_numbered(7, seed=3, token="x") != call_numbered(7, seed=4, token="x")

    def test_hears_an_odd_call_out(self) -> None:
        verdict = Verdict()
        with forgetful() as port:
            caller = Caller(port)
            call_oddly(caller, verdict, token="x", seed=1, numbers=range(5))
            caller.hang_up()

        assert sum(verdict.statuses.values()) == 5

    def test_knocks_at_every_door_that_takes_a_body(self) -> None:
        assert {each.partition("?")[0].rstrip("/") for each in DOORS} == {
            "transactions",
            "transactions/batch",
            "reconciliations",
        }
