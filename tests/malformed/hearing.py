"""Bytes to a server and whatever comes back, taken as it is: an answer, several, or an end."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass, field

PATIENCE = 10.0
HEAD = re.compile(rb"\AHTTP/1\.1 ([0-9]{3})[^\r\n]*\r\n(.*?\r\n)?\r\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer; status 0 stands for none: the server has hung up or fallen silent."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


SILENCE = Heard(0)


class Caller:
    """One connection at a time, kept as long as the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, sent: bytes, *, method: str = "POST", alone: bool = False) -> Heard:
        """Send, and hear one answer. ``alone`` on a connection of its own, whose end is told to the server."""
        if alone:
            self.hang_up()
        started = time.perf_counter()
        for _attempt in range(2):
            fresh = self._socket is None
            try:
                heard = self._ask(sent, method, half_closed=alone)
            except OSError:
                heard = SILENCE
            if alone or heard.status == 0 or heard.headers.get("connection", "").lower() == "close":
                self.hang_up()
            if heard.status or fresh:
                break
        return Heard(heard.status, heard.headers, heard.body, time.perf_counter() - started)

    def hang_up(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, sent: bytes, method: str, *, half_closed: bool) -> Heard:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        self._socket.sendall(sent)
        if half_closed:
            self._socket.shutdown(socket.SHUT_WR)
        return self._hear(self._socket, method)

    @staticmethod
    def _hear(connected: socket.socket, method: str) -> Heard:
        heard = b""
        while not (head := HEAD.match(heard)):
            part = connected.recv(65536)
            if not part:
                return SILENCE
            heard += part
        lines = (line.partition(":") for line in (head[2] or b"").decode("latin-1").split("\r\n") if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        status, body = int(head[1]), heard[head.end() :]
        length = 0 if method == "HEAD" or status in {204, 304} else int(headers.get("content-length", "0"))
        while len(body) < length:
            part = connected.recv(65536)
            if not part:
                return SILENCE
            body += part
        return Heard(status, headers, body[:length])
