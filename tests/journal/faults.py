"""What both SAPs of the tests have in common: real HTTP on the loopback, and faults to order.

A fault is met by the next call of its kind: those that book (post, reverse) and those that only read have a queue each.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Fault(Enum):
    """What may go wrong between us and SAP."""

    HANG_BEFORE = "no answer in time, nothing done"
    HANG_AFTER = "no answer in time, done"
    DROP_BEFORE = "connection dropped, nothing done"
    DROP_AFTER = "connection dropped, done"
    LATE = "connection dropped, done minutes later"
    GATEWAY_BEFORE = "502 from something in between, nothing done"
    GATEWAY_AFTER = "502 from something in between, done"
    GARBLED_AFTER = "an answer that cannot be read, done"
    REFUSED = "understood and refused"
    SESSION_ENDED = "session ended, nothing done"


IS_DONE = {Fault.HANG_AFTER, Fault.DROP_AFTER, Fault.GATEWAY_AFTER, Fault.GARBLED_AFTER}
HANGS = {Fault.HANG_BEFORE, Fault.HANG_AFTER}
DROPS = {Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.LATE}
GATEWAYS = {Fault.GATEWAY_BEFORE, Fault.GATEWAY_AFTER}
GATEWAY = "<html><body>502 Bad Gateway</body></html>"


class Reply(NamedTuple):
    """An answer of a SAP of the tests."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Call(NamedTuple):
    """A call as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class FakeSap:
    """A SAP of the tests: subclasses know what it answers; here is what goes wrong on the way."""

    def __init__(self) -> None:
        self.booking_faults: deque[Fault] = deque()
        self.reading_faults: deque[Fault] = deque()
        self.calls: list[Call] = []
        self.late: list[Callable[[], Any]] = []
        self.lock = threading.Lock()
        self._ending = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_for(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def bookings(self) -> list[Call]:
        """The calls that would have changed the books."""
        return [call for call in self.calls if self.books(call)]

    def finish_late(self) -> None:
        """A slow SAP comes to its end: what it had taken in is booked."""
        with self.lock:
            while self.late:
                self.late.pop(0)()

    def answer(self, call: Call) -> Reply | None:
        """The answer to a call; None closes the connection without one."""
        with self.lock:
            self.calls.append(call)
            books = self.books(call)
            queue = self.booking_faults if books else self.reading_faults
            fault = queue.popleft() if queue and self.can_go_wrong(call) else None
            reply = self._with(fault, call)
        if fault in HANGS:
            self._ending.wait(2)
        return reply

    def _with(self, fault: Fault | None, call: Call) -> Reply | None:
        if fault is None:
            return self.reply(call)
        if fault is Fault.LATE:
            self.late.append(lambda: self.reply_late(call))
        done = self.reply(call) if fault in IS_DONE else None
        if fault in HANGS or fault in DROPS:
            return None
        if fault in GATEWAYS:
            return Reply(502, GATEWAY.encode())
        if fault is Fault.GARBLED_AFTER:
            return Reply(done.status if done else 200, b"\x00 what?")
        return self.fault_reply(fault, call)

    def books(self, call: Call) -> bool:
        """Whether a call would change the books."""
        raise NotImplementedError

    def can_go_wrong(self, call: Call) -> bool:
        """Whether faults are for a call of this kind."""
        return True

    def reply(self, call: Call) -> Reply:
        """What it answers when nothing goes wrong."""
        raise NotImplementedError

    def reply_late(self, call: Call) -> Reply:
        """The same, when it comes to it minutes later: whoever called was let in then."""
        return self.reply(call)

    def fault_reply(self, fault: Fault, call: Call) -> Reply:
        """What it answers when it refuses, or knows the session no more."""
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        """Who hangs up in the middle does so on purpose here."""


def _handler_for(sap: FakeSap) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = sap.answer(Call(self.command, self.path, headers, self.rfile.read(length)))
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            body = b"" if reply.status == 204 else reply.body
            if reply.status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 (the library's name)

        def log_message(self, *args: Any) -> None:
            """Nothing on the terminal."""

    return Handler
