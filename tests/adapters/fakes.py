"""Vendors' services over real HTTP on this machine: with pages, time-outs, 429, and tokens that expire."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
HANGS = -1


@dataclass
class Asked:
    """A call that has arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class FakeService:
    """A service that answers from what a test has put into it; ``faults`` come first, one for each call."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    faults: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)

    def fail(self, path: str, status: int, **headers: str) -> None:
        """The next call whose path begins so (is so, with a ``$`` after it) is answered with this status, or hangs."""
        self.faults.append((path, status, {name.replace("_", "-"): text for name, text in headers.items()}))

    def paths(self) -> list[str]:
        """What was asked, in order."""
        return [f"{each.method} {each.path}" for each in self.asked]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and JSON, or bytes."""
        raise NotImplementedError

    def respond(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        self.asked.append(asked)
        for fault in self.faults:
            if f"{asked.path}$".startswith(fault[0]):
                self.faults.remove(fault)
                if fault[1] == HANGS:
                    time.sleep(1.5)
                return max(fault[1], 500 if fault[1] == HANGS else 0), {"error": "on purpose"}, fault[2]
        return (*self.answer(asked), {})


@contextmanager
def running(service: FakeService) -> Iterator[None]:
    """Serve it on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): text for name, text in self.headers.items()}
            status, content, more = service.respond(Asked(self.command, parts.path, query, headers, body))
            answer = content if isinstance(content, bytes) else json.dumps(content).encode()
            try:
                self.send_response(status)
                for name, text in {"Content-Length": str(len(answer)), **more}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(answer)
            except OSError:
                return  # who asked has gone

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 (names of the standard library)

        def log_message(self, *args: Any) -> None:
            """Tests speak for themselves."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class FakeZettle(FakeService):
    """OAuth, Pusher and purchases of one merchant."""

    organization: str = "5e3b0f64-1f3a-4c0a-9f0e-0d2a8b7c6d51"
    purchases: list[Json] = field(default_factory=list)
    subscriptions: list[Json] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    expired: set[str] = field(default_factory=set)
    assertion: str = "eyJ-key-of-the-merchant"
    page: int = 2

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path == "/token":
            return self._token(asked)
        if asked.token not in self.tokens or asked.token in self.expired:
            return 401, {"error": "invalid_token"}
        if asked.path == "/users/self":
            return 200, {"uuid": "7a1abbf4", "organizationUuid": self.organization}
        if asked.path.startswith("/organizations/self/subscriptions"):
            return self._subscription(asked)
        if asked.path == "/purchases/v2":
            return 200, self._page(asked.query)
        return 404, {}

    def _token(self, asked: Asked) -> tuple[int, Any]:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("assertion") != self.assertion or not form.get("client_id"):
            return 400, {"error": "invalid_grant"}
        self.tokens.append(f"access-{len(self.tokens)}")
        return 200, {"access_token": self.tokens[-1], "expires_in": 7200}

    def _subscription(self, asked: Asked) -> tuple[int, Any]:
        if asked.method == "GET":
            return 200, [
                {name: text for name, text in row.items() if name != "signingKey"} for row in self.subscriptions
            ]
        if asked.method == "DELETE":
            gone = asked.path.rpartition("/")[2]
            self.subscriptions = [row for row in self.subscriptions if row["uuid"] != gone]
            return 204, b""
        wanted = json.loads(asked.body)
        self.subscriptions.append(
            {**wanted, "status": "ACTIVE", "signingKey": f"signing-key-{len(self.paths())}-of-32-characters"}
        )
        return 200, self.subscriptions[-1]

    def _page(self, query: dict[str, str]) -> Json:
        later = [each for each in self.purchases if each["timestamp"] >= query["startDate"]]
        start = int(query.get("lastPurchaseHash", "0"))
        rows = later[start : start + min(self.page, int(query["limit"]))]
        return {"purchases": rows, "lastPurchaseHash": str(start + len(rows)), "linkUrls": []}


@dataclass
class FakeSumUp(FakeService):
    """The transactions of one merchant; each changes when a test says so."""

    merchant: str = "MSEEBLICK"
    key: str = "sup_sk_of-the-merchant"
    transactions: dict[str, Json] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    page: int = 2
    links: str = "query"

    def put(self, details: Json, *, changed: str, kind: str = "PAYMENT") -> None:
        """A transaction is new, or has changed at an instant."""
        self.transactions[details["id"]] = details
        self.changed[details["id"]] = changed
        self.kinds[details["id"]] = kind

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.token != self.key:
            return 401, {"error_code": "NOT_AUTHORIZED"}
        base = f"/v2.1/merchants/{self.merchant}/transactions"
        if asked.path == base:
            found = self.transactions.get(asked.query.get("id", ""))
            return (200, found) if found else (404, {"error_code": "NOT_FOUND"})
        return (200, self._history(asked)) if asked.path == f"{base}/history" else (404, {})

    def _history(self, asked: Asked) -> Json:
        since, start = asked.query["changes_since"], int(asked.query.get("from", "0"))
        found = sorted(name for name, instant in self.changed.items() if instant >= since)
        items = [self._row(name) for name in found[start : start + self.page]]
        query = f"changes_since={since}&from={start + self.page}"
        hrefs = {
            "query": query,
            "path": f"{asked.path}?{query}",
            "elsewhere": f"http://evil.example/steal?{query}",
            "again": f"changes_since={since}&from={start}",
        }
        more = start + self.page < len(found)
        return {"items": items, "links": [{"rel": "next", "href": hrefs[self.links]}] if more else []}

    def _row(self, name: str) -> Json:
        details = self.transactions[name]
        same = ("amount", "currency", "timestamp", "status", "payment_type", "transaction_code")
        row = {each: details[each] for each in same if each in details}
        return {**row, "transaction_id": name, "type": self.kinds[name], "user": "kasse@seeblick.example"}
