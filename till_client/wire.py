"""One connection to the bridge, kept alive; every call ends in a whole answer or in `NoAnswer`.

Nothing is followed: a redirect is an answer like any other, so the token goes to one host only.
"""

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, Self

from till_client.access import Address, Token
from till_client.errors import NoAnswer

TIMEOUT_SECONDS = 20.0
LARGEST_ANSWER = 16 * 1024 * 1024
PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


class Wire:
    """One connection. Not to be shared between threads at the same time."""

    def __init__(
        self,
        address: Address,
        *,
        token: Token,
        timeout: float = TIMEOUT_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing is sent yet.

        ``timeout`` in seconds bounds connecting and, apart from that, the whole of a call: an answer that
        comes drop by drop is none. ``tls`` replaces the machine's own trust, for a private authority.
        """
        self._address = address
        self._token = token
        self._timeout = timeout
        self._connection = self._make_connection(tls)
        self._was_used = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the next call connects anew."""
        self._connection.close()
        self._was_used = False

    def call(
        self, method: str, path: str, body: bytes | None = None, *, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request; ``path`` counts from the API's base.

        A connection that was kept may have been closed by the other side in the meantime. That shows only
        now, so such a call is made once more on a new one: every call here may be repeated.

        Raises:
            NoAnswer: refused, reset, timed out, cut off, too long, or not HTTP at all.

        """
        was_used = self._was_used
        try:
            return self._call(method, path, body, headers or {})
        except (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected) as error:
            self.close()
            if not was_used:
                raise NoAnswer(_in_words(error)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise NoAnswer(_in_words(error)) from None
        return self.call(method, path, body, headers=headers)

    def _call(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = self._connection
        if connection.sock is None:
            connection.connect()
        deadline = time.monotonic() + self._timeout
        connected: socket.socket = connection.sock  # connect() sets it, which its types do not say
        connected.settimeout(self._timeout)
        # http.client calls this with its socket; the deadline comes along.
        connection.response_class = lambda sock, **options: http.client.HTTPResponse(  # type: ignore[assignment]
            _Deadlined(sock, deadline),  # type: ignore[arg-type]
            **options,
        )
        connection.request(method, self._address.base + path, body=body, headers=self._headers(body) | headers)
        response = connection.getresponse()
        content = _read(response)
        self._was_used = connection.sock is not None
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _headers(self, body: bytes | None) -> dict[str, str]:
        always = {
            "Authorization": self._token.header(),
            "Accept": "application/json",
            "User-Agent": "till-client/1",
        }
        return always | ({"Content-Type": "application/json"} if body is not None else {})

    def _make_connection(self, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
        host, port = self._address.host, self._address.port
        if not self._address.secure:
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        context = tls or ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=context)


def _read(response: http.client.HTTPResponse) -> bytes:
    """The whole body, and no more than anybody should keep in memory."""
    pieces, length = [], 0
    while piece := response.read(PIECE):
        pieces.append(piece)
        length += len(piece)
        if length > LARGEST_ANSWER:
            raise http.client.HTTPException("the answer is too long")
    if response.length:  # a read of a piece says nothing of what is missing
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(pieces)


def _in_words(error: Exception) -> str:
    """One line for the log. Only what the system says: other errors may quote what was sent or received."""
    said = error.strerror or str(error) if isinstance(error, OSError) else ""
    return " ".join(f"{type(error).__name__} {said}".split())[:200]


class _Deadlined(io.RawIOBase):
    """A socket for reading, whose every wait ends at one common moment of ``time.monotonic()``."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self._socket = sock
        self._deadline = deadline
        self._raw: Any = sock.makefile("rb", buffering=0)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What ``http.client`` asks of a socket."""
        return io.BufferedReader(self, PIECE)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        if self._socket.fileno() >= 0:  # http.client closes its own handle early when none is kept alive
            self._socket.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
