"""A bridge for tests: speaks as much of the contract as a till needs, and remembers every byte it was sent.

``faults`` are played out one per call, from the left: a status, ``"cut"`` (stored, then half an answer),
``"drop"`` (nothing stored, no answer), ``"swallow"`` (stored, no answer), ``"portal"`` (somebody else's 200),
``"proxy"`` (somebody else's 404), ``"empty"`` (201 without a body), or a pair of status and ``Retry-After``.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

BASE = "/api/v1/public/pos/"
TOKEN = "ck_" + "K10sk" + "a" * 27
Json: TypeAlias = dict[str, Any]
Fault: TypeAlias = int | str | tuple[int, str]


class FakeBridge(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Calls)
        self.turn = threading.RLock()
        self.stored: dict[str, Json] = {}
        self.sent: defaultdict[str, set[str]] = defaultdict(set)
        self.calls: list[str] = []
        self.faults: list[Fault] = []
        self.crashing: set[str] = set()
        self.offers_batch = True
        self.key_expires = ""
        self.products = [{"sku": "CROI", "name": "Croissant", "unit_price": "3.50"}, {"sku": "GAS", "name": "Gas"}]
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A till that was killed in the middle is what these tests are about."""

    def posts(self) -> int:
        """Calls so far that brought sales."""
        return sum(call.startswith("POST transactions") for call in self.calls)

    def take(self, sale: Json) -> tuple[int, Json]:
        """As the contract has it: new, again, another sale, or refused."""
        reference = sale["external_ref"]
        with self.turn:
            self.sent[reference].add(json.dumps(sale, sort_keys=True))
            if reference in self.crashing:
                return 500, problem(500, "server_error")
            if sum(Decimal(line["line_total"]) for line in sale["items"]) != Decimal(sale["total_amount"]):
                return 400, problem(400, "total_mismatch")
            known = self.stored.get(reference)
            if known and known["total_amount"] != sale["total_amount"]:
                return 409, problem(409, "external_ref_conflict")
            if known:
                return 200, known
            fresh = {**sale, "id": f"id-{len(self.stored)}", "business_date": sale["occurred_at"][:10]}
            self.stored[reference] = fresh
            return 201, fresh

    def total(self) -> Decimal:
        """All that is stored."""
        return sum((Decimal(sale["total_amount"]) for sale in self.stored.values()), Decimal(0))


class Calls(BaseHTTPRequestHandler):
    server: FakeBridge
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.removeprefix(BASE)
        with self.server.turn:
            self.server.calls.append(f"POST {path}")
            fault = self.server.faults.pop(0) if self.server.faults else None
        if fault == "drop":
            self.close_connection = True
        elif isinstance(fault, int | tuple) or fault in {"portal", "proxy"}:
            self.fail(fault)
        else:
            status, content = self.post(path, json.loads(body))
            self.answer(status, content, fault=str(fault or ""))

    def do_GET(self) -> None:
        path = self.path.removeprefix(BASE)
        with self.server.turn:
            self.server.calls.append(f"GET {path}")
            fault = self.server.faults.pop(0) if self.server.faults else None
        if fault is not None:
            self.fail(fault)
        else:
            self.answer(*self.get(path))

    def fail(self, fault: Fault) -> None:
        if fault in {"portal", "proxy"}:
            self.answer_bytes(200 if fault == "portal" else 404, b"<h1>Welcome to our Wi-Fi</h1>")
            return
        status, wait = fault if isinstance(fault, tuple) else (fault, "")
        content = problem(int(status), "throttled" if status == 429 else "server_error")
        self.answer(int(status), content, headers={"Retry-After": wait} if wait else {})

    def post(self, path: str, content: Json) -> tuple[int, Json]:
        if path == "reconciliations/":
            return 201, self.reconcile(content)
        if path == "transactions/":
            return self.server.take(content)
        if path == "transactions/batch/" and self.server.offers_batch:
            return self.batch(content)
        return 405, problem(405, "method_not_allowed")

    def batch(self, content: Json) -> tuple[int, Json]:
        names = {201: "created", 200: "replayed", 409: "conflict", 400: "invalid", 500: "failed"}
        taken = [(sale["external_ref"], *self.server.take(sale)) for sale in content["transactions"]]
        results = [
            {"external_ref": reference, "result": names[status], "status": status, "body": body}
            for reference, status, body in taken
        ]
        return 200, {"results": results, "counts": {}}

    def reconcile(self, content: Json) -> Json:
        told = {each["external_ref"]: each["total_amount"] for each in content["transactions"]}
        day = {name for name, sale in self.server.stored.items() if sale["business_date"] == content["business_date"]}
        missing, unknown = sorted(set(told) - set(self.server.stored)), sorted(day - set(told))
        verdict = "incomplete" if missing or unknown else "complete"
        listed = [{"external_ref": name} for name in unknown]
        return {**content, "verdict": verdict, "missing_here": missing, "unknown_to_you": listed}

    def get(self, path: str) -> tuple[int, Json]:
        parts = urlsplit(path)
        if parts.path == "ping/":
            return 200, {"tenant": {"slug": "seeblick"}}
        if parts.path == "products/":
            return self.page(int(parse_qs(parts.query).get("page", ["1"])[0]))
        if parts.path == "transactions/summary/":
            return 200, {"count": len(self.server.stored)}
        found = self.server.stored.get(unquote(parts.path.removeprefix("transactions/")[:-1]))
        return (200, found) if found else (404, problem(404, "not_found"))

    def page(self, number: int) -> tuple[int, Json]:
        tag = f'"{number}-{self.server.products[number - 1]["name"]}"'
        if self.headers.get("If-None-Match") == tag:
            return 304, {}
        more = number < len(self.server.products)
        following = f"http://elsewhere.example/{BASE}products/?page={number + 1}" if more else None
        return 200, {"results": [self.server.products[number - 1]], "next": following, "etag": tag}

    def answer(self, status: int, content: Json, *, fault: str = "", headers: dict[str, str] | None = None) -> None:
        if etag := content.get("etag"):
            headers = {**(headers or {}), "ETag": etag}
        body = b"" if fault == "empty" or status == 304 else json.dumps(content).encode()
        self.answer_bytes(status, body, fault=fault, headers=headers)

    def answer_bytes(self, status: int, body: bytes, *, fault: str = "", headers: dict[str, str] | None = None) -> None:
        if fault == "swallow":
            self.close_connection = True
            return
        self.send_response(status)
        ends = {"X-Api-Key-Expires": self.server.key_expires} if self.server.key_expires else {}
        for name, value in {**(headers or {}), **ends, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)
        self.close_connection = self.close_connection or fault == "cut"


def problem(status: int, code: str) -> Json:
    """An error in the bridge's own words."""
    fault = {"field": "total_amount", "code": code, "message": "Does not fit."}
    return {"status": status, "code": code, "errors": [fault], "retryable": status in {429, 500, 503}}


@contextmanager
def fake_bridge() -> Iterator[FakeBridge]:
    """A fake that listens; ended on every way out."""
    bridge = FakeBridge()
    thread = threading.Thread(target=bridge.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield bridge
    finally:
        bridge.shutdown()
        bridge.server_close()
        thread.join()
