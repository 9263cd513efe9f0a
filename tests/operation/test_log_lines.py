"""The operator's log: every line parses, none holds what it should not."""

from __future__ import annotations

import io
import json
import logging
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from apikeys.minting import Minted
from apikeys.tokens import TEST_START, make_token
from campone.operation.call_lines import write_calls
from campone.operation.hearing import Listener
from campone.operation.log_lines import JSONLine, TextLine
from pos_bridge import answered
from tests.till import Till, croissants_and_coffee

LOGGER = logging.getLogger("campone.tests")


@pytest.fixture
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """All that is said, as JSON unless the test asks for another formatter."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(getattr(request, "param", JSONLine)())
    root = logging.getLogger()
    root.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    logging.getLogger("campone.calls").setLevel(logging.INFO)
    yield said
    root.removeHandler(handler)


def lines_of(log: io.StringIO) -> list[dict[str, Any]]:
    """Each line on its own, as whatever collects them reads them."""
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """Writes a line for each call."""
    monkeypatch.setattr(answered, "LISTENING", deque())
    return Listener([write_calls])


class TestALineOfJSON:
    def test_says_when_who_and_what(self, log: io.StringIO) -> None:
        LOGGER.info("%d sales", 3)

        line = lines_of(log)[0]
        assert (line["level"], line["logger"], line["message"]) == ("INFO", "campone.tests", "3 sales")
        assert line["time"].endswith("+00:00")

    def test_is_one_line_whatever_is_said(self, log: io.StringIO) -> None:
        LOGGER.warning('a "quoted"\r\nforged: {"level": "INFO"}\x1b[2J\u2028')

        assert len(lines_of(log)) == 1
        assert "\x1b" not in log.getvalue()

    def test_holds_a_traceback_in_a_field(self, log: io.StringIO) -> None:
        LOGGER.error("Not closed.", exc_info=ValueError("no such day"))

        line = lines_of(log)[0]
        assert line["message"] == "Not closed."
        assert line["traceback"].endswith("ValueError: no such day")

    def test_leaves_out_what_django_adds(self, log: io.StringIO) -> None:
        LOGGER.error("Failed.", extra={"request": "<WSGIRequest: GET '/?q=private'>", "status_code": 500})

        assert set(lines_of(log)[0]) <= {"time", "level", "logger", "message", "request_id", "method", "path"}

    def test_names_the_call_under_way(self, log: io.StringIO, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise RuntimeError("out of flour")

        monkeypatch.setattr("pos_bridge.api.take_in", fail)

        answer = till.post(croissants_and_coffee())

        line = next(line for line in lines_of(log) if line["level"] == "ERROR")
        assert answer.status_code == 500
        assert (line["request_id"], line["method"]) == (answer["X-Request-Id"], "POST")
        assert "RuntimeError" in line["traceback"]


@pytest.mark.parametrize("log", [JSONLine, TextLine], indirect=True)
class TestAnyLine:
    def test_cuts_tokens_to_their_public_start(self, log: io.StringIO, key: Minted) -> None:
        LOGGER.error("Refused %s", key.token, exc_info=ValueError(f"Authorization: Bearer {key.token}"))

        assert key.token[11:] not in log.getvalue()
        assert log.getvalue().count(f"{key.token[:11]}…") + log.getvalue().count(f"{key.token[:11]}\\u2026") == 2

    def test_cuts_tokens_of_test_keys(self, log: io.StringIO) -> None:
        token = make_token(TEST_START)

        LOGGER.error("Refused %s", token)

        assert token[12:] not in log.getvalue()

    def test_cannot_be_forged(self, log: io.StringIO) -> None:
        LOGGER.warning("T-1\r\n2026-07-15 ERROR forged\x1b[31m")

        assert len(log.getvalue().splitlines()) == 1
        assert "\x1b" not in log.getvalue()


class TestALineForEachCall:
    def test_says_what_was_asked_and_answered(self, log: io.StringIO, till: Till, listener: Listener) -> None:
        answer = till.post(croissants_and_coffee())
        listener.hear()

        line = lines_of(log)[-1]
        assert line["request_id"] == answer["X-Request-Id"]
        assert (line["method"], line["status"], line["outcome"]) == ("POST", 201, "created")
        assert line["path"] == "/api/v1/public/pos/transactions/"
        assert line["ms"] > 0

    def test_escapes_what_a_path_may_hold(self, log: io.StringIO, till: Till, listener: Listener) -> None:
        till.get("/transactions/T%0d%0a%1b[2J/")
        listener.hear()

        assert len(lines_of(log)) == 1
        assert lines_of(log)[0]["path"].endswith("/T\\r\\n\\x1b[2J/")

    def test_holds_neither_body_nor_token(self, log: io.StringIO, till: Till, key: Minted, listener: Listener) -> None:
        till.post(croissants_and_coffee(metadata={"note": "Frau Keller"}))
        till.get(f"/transactions/{key.token}/")
        listener.hear()

        assert not [word for word in ("Frau Keller", "Croissant", key.token) if word in log.getvalue()]
