"""A till's end of the line: one connection that is kept as long as it lives, and calls that wait only so long."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.faults.model import Answer

HOST = "api.campone.example"
BASE = "/api/v1/public/pos"


class Refused(Exception):
    """Nobody takes the connection: nothing was sent."""


class Dropped(Exception):
    """The other side has hung up before the answer was whole."""


def request(method: str, path: str, *, token: str, request_id: str, body: bytes = b"") -> bytes:
    """A call as bytes."""
    head = (
        f"{method} {BASE}/{path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
        f"X-Request-Id: {request_id}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Line:
    """One connection at a time to ``port``; after anything but a whole answer the next call begins another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, sent: bytes, *, patience: float) -> Answer:
        """Send, and wait for the answer so many seconds.

        Raises:
            TimeoutError: they are over.
            Refused, Dropped: see there.
        """
        was_kept = self._streams is not None
        try:
            async with asyncio.timeout(patience):
                return await self._call(sent)
        except (ConnectionError, EOFError, ValueError) as error:
            self.hang_up()
            raise Dropped("kept connection" if was_kept else "new connection") from error
        except BaseException:
            self.hang_up()
            raise

    async def _call(self, sent: bytes) -> Answer:
        if self._streams is None:
            try:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError as error:
                raise Refused from error
        reader, writer = self._streams
        writer.write(sent)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        named = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        content = await reader.readexactly(int(named["content-length"]))
        if named.get("connection", "").lower() == "close":
            self.hang_up()
        return Answer(int(first.split()[1]), named, content)

    def hang_up(self) -> None:
        """End the connection without a word more."""
        if self._streams is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._streams[1].transport.abort()
            self._streams = None
