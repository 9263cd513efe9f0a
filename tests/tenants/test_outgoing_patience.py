"""How long a call may take, and addresses that are none: whatever the other side does, it ends, with a sentence."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from time import monotonic

import pytest
from pytest_django import Settings

from tenants import outgoing
from tenants.outgoing import AnswerLost, NotSent, Outgoing

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nX-Long: " + b"x" * 40 + b"\r\n\r\n" + b"y" * 20


@pytest.fixture
def slow(settings: Settings) -> Iterator[str]:
    """The address of somebody who sends a byte every tenth of a second, from the first one on."""
    settings.ALLOW_LOOPBACK_CALLS = True
    ending = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(4096)
                for byte in ANSWER:
                    if ending.wait(0.1):
                        return
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        ending.set()
        thread.join()


class TestACallThatDrips:
    @pytest.mark.parametrize("seconds", [0.5, 8.5])
    def test_ends_in_its_headers_and_in_its_body(
        self, slow: str, monkeypatch: pytest.MonkeyPatch, seconds: float
    ) -> None:
        monkeypatch.setattr(outgoing, "WHOLE_CALL_SECONDS", seconds)
        began = monotonic()

        with Outgoing() as out, pytest.raises(AnswerLost):
            out.call("POST", slow, content=b"{}")

        assert seconds - 0.1 < monotonic() - began < seconds + 1.5


@pytest.mark.parametrize(
    "url",
    [
        f"https://{'a' * 70}.ch/",
        "https://sap..example/",
        "https://.ch/",
        "https://xn--/",
        f"https://{'ü' * 80}.ch/",
        "https://sap.example\n/",
        "https://sap.example/\x00",
    ],
)
def test_what_is_no_address_reaches_nobody(url: str) -> None:
    with Outgoing() as out, pytest.raises(NotSent):
        out.call("POST", url, content=b"{}")
