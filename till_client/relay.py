"""A small server beside the till, for tills that can call only once.

It answers 202 as soon as the sale is on the disk, and sends it on later. It listens on this machine alone
unless told otherwise, since whoever can reach it can sell.

    POST /                 a sale            202 taken · 400 unusable · 409 reference taken · 503 not taken
    GET  /                 the outbox: how many sales are in which state
    GET  /?external_ref=…  one sale: its state, and the bridge's reason if it was set aside

Any path will do: a till that was set to the bridge's own address needs another host and nothing else.
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from till_client.access import is_loopback
from till_client.draining import Drain
from till_client.errors import OutboxFailed, ReferenceTaken, UnusableSale
from till_client.outbox import Kept, Outbox
from till_client.sale import LARGEST_SALE

LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 10.0


class Relay(ThreadingHTTPServer):
    """Takes sales into an outbox; `sending` drains it meanwhile."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, outbox: Outbox, *, host: str = LOOPBACK, port: int = 0) -> None:
        """Listen at once; port 0 takes a free one, ``server_port`` tells which."""
        super().__init__((host, port), _Handler)
        self.outbox = outbox
        self.is_local = is_loopback(host)
        self.woken = threading.Event()
        self._stop = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A till that hangs up early is no news; nothing of what it sent belongs into a log."""

    def run(self, drain: Drain) -> None:
        """Take sales and send them on, until `stop` is called from another thread or a signal."""
        sender = threading.Thread(target=self._send, args=(drain,), name="relay-drain")
        sender.start()
        try:
            self.serve_forever(poll_interval=0.2)
        finally:
            self._stop.set()
            self.woken.set()
            sender.join()
            self.server_close()

    def stop(self) -> None:
        """Take nothing more; what lies in the outbox is sent after the next start."""
        self._stop.set()
        self.woken.set()
        threading.Thread(target=self.shutdown, daemon=True).start()

    def _send(self, drain: Drain) -> None:
        """A drain that breaks must not take the till's door with it: it is said, and begun anew."""
        while not self._stop.is_set():
            try:
                drain.for_ever(self._stop, woken=self.woken)
            except OutboxFailed as failed:
                drain.say(str(failed))
                self._stop.wait(5.0)


class _Refusal(Exception):
    """A call that is not served; the message is for who made it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class _Handler(BaseHTTPRequestHandler):
    server: Relay
    protocol_version = "HTTP/1.1"
    server_version = "till-client-relay"
    sys_version = ""
    timeout = PATIENCE_SECONDS

    def do_POST(self) -> None:
        """Take a sale."""
        self._reply(self._take)

    def do_GET(self) -> None:
        """Look into the outbox."""
        self._reply(self._look)

    def _reply(self, deed: Callable[[], tuple[int, dict[str, Any]]]) -> None:
        """After a refusal the connection ends: what is left of the request may be unread."""
        try:
            self._require_a_till()
            status, content = deed()
        except _Refusal as refusal:
            self.close_connection = True
            status, content = refusal.status, {"code": refusal.code, "detail": str(refusal)}
        self._answer(status, content)

    def _take(self) -> tuple[int, dict[str, Any]]:
        try:
            kept = self.server.outbox.put(self._body())
        except UnusableSale as unusable:
            raise _Refusal(400, "unusable", str(unusable)) from None
        except ReferenceTaken as taken:
            raise _Refusal(409, "reference_taken", str(taken)) from None
        except OutboxFailed:
            raise _Refusal(503, "not_taken", "The sale could not be written down: keep it, send it again.") from None
        self.server.woken.set()
        return 202, _told(kept)

    def _look(self) -> tuple[int, dict[str, Any]]:
        references = parse_qs(urlsplit(self.path).query).get("external_ref")
        try:
            if references is None:
                return 200, {"sales": self.server.outbox.counts()}
            kept = self.server.outbox.find(references[0])
        except OutboxFailed:
            raise _Refusal(503, "unavailable", "The outbox cannot be read.") from None
        if kept is None:
            raise _Refusal(404, "not_found", "No such sale has come through this relay.")
        return 200, _told(kept)

    def _body(self) -> bytes:
        """The whole body."""
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            raise _Refusal(411, "length_required", "Say the length of the body.")
        if len(length) > 9 or int(length) > LARGEST_SALE:
            raise _Refusal(413, "payload_too_large", f"A sale has at most {LARGEST_SALE // 1024} KiB.")
        if self.headers.get_content_type() != "application/json":
            raise _Refusal(415, "unsupported_media_type", "Send application/json.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _Refusal(400, "cut_off", "The body is shorter than it was said to be.")
        return body

    def _require_a_till(self) -> None:
        """That it is a till that calls, and no page in a browser on the same machine.

        Anybody's page may call this machine: the browser says so by ``Origin``, or comes by a name of the page's.
        """
        try:
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        except ValueError:
            host = ""
        if "Origin" in self.headers or (self.server.is_local and not is_loopback(host)):
            raise _Refusal(403, "not_for_pages", "Only a till on this machine may call here.")

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
        """Nothing: a path may hold a reference, and a till's line is no place for a diary."""


def _told(kept: Kept) -> dict[str, Any]:
    """A sale as a till hears of it."""
    done = {
        "waiting": "written down, will be sent",
        "sending": "written down, is being sent",
        "acknowledged": "the bridge has it",
        "poison": "set aside: a person has to look at it",
    }
    return {
        "external_ref": kept.external_ref,
        "state": kept.state,
        "done": done[kept.state],
        "attempts": kept.attempts,
        "reason": kept.reason,
    }
