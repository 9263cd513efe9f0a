"""A till on a real socket: Python's own HTTP client, and bytes as they are for what no client would send."""

from __future__ import annotations

import http.client
import json
import re
import socket
from dataclasses import dataclass
from typing import Any, Self, cast
from urllib.parse import quote

from tests.till import BASE, HOST, Body

PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the names of headers in small letters."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Body:
        """The JSON of the answer."""
        return cast(Body, json.loads(self.content))


class WireTill:
    """A till that calls a server on the loopback, on a new connection each time unless one is handed over."""

    def __init__(self, port: int, token: str | None, *, host: str = HOST) -> None:
        self.port = port
        self.headers = {"Host": host} | ({"Authorization": f"Bearer {token}"} if token else {})

    def connect(self) -> http.client.HTTPConnection:
        """A connection of its own, for calls that share one."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        on: http.client.HTTPConnection | None = None,
    ) -> Answer:
        """Any call below the base path."""
        connection = on or self.connect()
        try:
            connection.request(method, BASE + path, body, {**self.headers, **(headers or {})})
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            if on is None:
                connection.close()

    def post(self, body: Any, *, on: http.client.HTTPConnection | None = None) -> Answer:
        """Post a sale."""
        sent = json.dumps(body).encode()
        return self.call("POST", "/transactions/", body=sent, headers={"Content-Type": "application/json"}, on=on)

    def get(self, path: str, *, on: http.client.HTTPConnection | None = None) -> Answer:
        """Read something."""
        return self.call("GET", path, on=on)

    def read_back(self, reference: str) -> Answer:
        """Read one sale by its reference."""
        return self.get(f"/transactions/{quote(reference, safe='')}/")

    def head(self, method: str, path: str, *lines: str) -> bytes:
        """A request's first line and headers with the key, ended; for ``Conversation.send()``."""
        named = [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([f"{method} {BASE}{path} HTTP/1.1", *named, *lines, "", ""]).encode("latin-1")


class Conversation:
    """A bare connection: sends bytes, and hears everything until the server closes or falls silent."""

    def __init__(self, port: int, *, patience: float = 5) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self.heard = b""
        self.closed_by_server = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.socket.close()

    def send(self, sent: bytes) -> None:
        """Send these bytes and nothing else."""
        self.socket.sendall(sent)

    def listen(self, *, until: bytes | None = None) -> bytes:
        """Everything heard so far, at the latest when the server closes or has said nothing for its patience."""
        try:
            while until is None or until not in self.heard:
                part = self.socket.recv(65536)
                if not part:
                    self.closed_by_server = True
                    break
                self.heard += part
        except TimeoutError:
            pass
        except ConnectionResetError:
            self.closed_by_server = True
        return self.heard

    @property
    def statuses(self) -> list[int]:
        """The status of each answer heard, in order."""
        return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", self.heard)]
