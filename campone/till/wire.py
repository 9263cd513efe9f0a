"""One connection to the server, kept alive; every call ends in an answer or in the word that none came."""

import http.client
from dataclasses import dataclass
from enum import Enum, auto
from typing import Self
from urllib.parse import urlsplit

BASE_PATH = "/api/v1/public/pos/"
TIMEOUT_SECONDS = 10.0


class NoAnswer(Exception):
    """Nothing usable came back: whether the server did its work is unknown."""


class LostAnswer(NoAnswer):
    """The answer was thrown away on purpose."""


class Loss(Enum):
    """What the simulation does to an answer."""

    NONE = auto()
    UNREAD = auto()
    """The connection is closed as soon as the request is out."""
    UNNOTED = auto()
    """The answer arrives, but the till forgets it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Address:
    """Where the bridge is reached; ``base`` is the path of the API with its final slash."""

    secure: bool
    host: str
    port: int | None
    base: str


def address_from(url: str) -> Address:
    """Read the server's root, the API's base or the full transactions URL; all three mean the same.

    Raises:
        ValueError: not an http(s) URL, or one with a user name, a query or a fragment.

    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an URL begins with http:// or https:// and a host name.")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("no user name, query or fragment belongs into the URL.")
    root = f"{parts.path}/".partition(BASE_PATH)[0].rstrip("/")
    secure = parts.scheme == "https"
    return Address(secure=secure, host=parts.hostname, port=parts.port, base=root + BASE_PATH)


class Wire:
    """One till's connection. Not to be shared between threads at the same time."""

    def __init__(self, address: Address, *, token: str, timeout: float = TIMEOUT_SECONDS) -> None:
        """Nothing is sent yet; ``timeout`` in seconds, for connecting and for each wait on the other side."""
        kind = http.client.HTTPSConnection if address.secure else http.client.HTTPConnection
        self._connection = kind(address.host, address.port, timeout=timeout)
        self._base = address.base
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": "simulated-till/1",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the next call connects anew."""
        self._connection.close()

    def call(self, method: str, path: str, body: bytes | None = None, *, loss: Loss = Loss.NONE) -> Answer:
        """Send one request; a ``path`` without leading slash counts from the API's base.

        Raises:
            NoAnswer: reset, refused, timed out, or cut off in the body.

        """
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        target = path if path.startswith("/") else self._base + path
        try:
            self._connection.request(method, target, body=body, headers=headers)
            answer = self._answer(loss)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(f"{type(error).__name__}: {error}") from None
        if loss is not Loss.NONE:
            raise LostAnswer("the answer was thrown away")
        return answer

    def _answer(self, loss: Loss) -> Answer:
        if loss is Loss.UNREAD:
            self.close()
            return Answer(status=0, headers={}, body=b"")
        response = self._connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
