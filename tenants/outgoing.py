"""Calls to machines outside: SAP today, the clouds of till vendors tomorrow.

Whatever address a campground has typed, a call

* goes by HTTPS, its certificate checked, and never follows a redirect
* never reaches this machine itself, nor what only its own network card knows: every address that a name resolves to
  is looked at, and the very one that was looked at is connected to
* waits so long and no longer, and reads so much and no more

``ALLOW_LOOPBACK_CALLS``, for development and tests, lets calls reach this machine, by plain HTTP too.

Errors::

    CallFailed
    ├── NotSent       surely nobody has acted on it
    └── AnswerLost    it may have been acted on: whoever repeats it has to ask first
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv6Address, ip_address
from time import monotonic
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpcore
import httpx
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

LARGEST_ANSWER = 4 * 1024 * 1024
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 40.0
"""For each part of an answer; a ledger that books a day takes a while."""
WHOLE_CALL_SECONDS = 120.0
"""From the connection to the last byte: whoever sends one byte after the other does not keep us for ever."""


class BadAddress(Exception):
    """The address is none that may be called; its text says why."""


class CallFailed(Exception):
    """A call without an answer; its text says why, and holds no secret."""


class NotSent(CallFailed):
    """Nobody has received the call."""


class AnswerLost(CallFailed):
    """The call went out, its answer did not come."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case."""


def require_callable(url: str) -> None:
    """See that an address may be called, as far as its text tells; its name is resolved when it is called.

    Raises:
        BadAddress: it may not.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise BadAddress(_("This is not an address.")) from None
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.ALLOW_LOOPBACK_CALLS):
        raise BadAddress(_("The address must begin with https://."))
    if not host or parts.username is not None or parts.password is not None:
        raise BadAddress(_("The address must name a host, and no user."))
    if host == "localhost" or host.endswith(".localhost") or _is_numeric(host):
        _require_elsewhere(host if _is_numeric(host) else "127.0.0.1")


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _require_elsewhere(address: str) -> None:
    """Refuse this machine, its network card's own addresses, and what is no machine at all."""
    if settings.ALLOW_LOOPBACK_CALLS:
        return
    number = ip_address(address)
    if isinstance(number, IPv6Address) and number.ipv4_mapped:
        number = number.ipv4_mapped
    if number.is_loopback or number.is_link_local or number.is_multicast or number.is_unspecified or number.is_reserved:
        raise BadAddress(_("The address leads to this machine itself, or to no machine."))


class _Elsewhere(httpcore.SyncBackend):
    """Connects to addresses that have been looked at. The certificate is still checked against the name."""

    def __init__(self, call: _Call) -> None:
        super().__init__()
        self.call = call

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError(UNKNOWN_NAME) from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            _require_elsewhere(address)
        stream = super().connect_tcp(addresses[0], port, timeout, local_address, socket_options)
        return _Bounded(stream, self.call)


@dataclass(slots=True)
class _Call:
    """When the call that is being made has to be over, on the monotonic clock."""

    ends: float = 0.0

    def patience(self, seconds: float | None, error: type[Exception]) -> float:
        """How long to wait for the next part, at most ``seconds``."""
        left = self.ends - monotonic()
        if left <= 0:
            raise error("The call has taken too long.")
        return left if seconds is None else min(left, seconds)


class _Bounded(httpcore.NetworkStream):
    """A connection on which a call takes so long and no longer, however often a part of its answer comes."""

    def __init__(self, stream: httpcore.NetworkStream, call: _Call) -> None:
        self._stream = stream
        self._call = call

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._call.patience(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._call.patience(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        patience = self._call.patience(timeout, httpcore.ConnectTimeout)
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, patience), self._call)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@cache
def _trusted() -> ssl.SSLContext:
    """The public certificate authorities, or those that ``SSL_CERT_FILE`` names; reading them takes a while."""
    return httpx.create_ssl_context()


class _Transport(httpx.HTTPTransport):
    """httpx on connections that lead elsewhere."""

    def __init__(self, verify: ssl.SSLContext, call: _Call) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._pool = httpcore.ConnectionPool(ssl_context=verify, network_backend=_Elsewhere(call))


class Outgoing:
    """Calls to one outside machine, kept together: its cookies are kept while it is open."""

    def __init__(self, *, auth: tuple[str, str] | None = None, patience: float | None = None) -> None:
        """``auth``, a user and a password, is sent with each call; ``patience`` in seconds for a part of an answer."""
        self._call = _Call()
        self._client = httpx.Client(
            transport=_Transport(_trusted(), self._call),
            auth=auth,
            timeout=httpx.Timeout(patience or ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def forget_cookies(self) -> None:
        """Begin anew, as somebody unknown."""
        self._client.cookies.clear()

    def call(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call, and its whole answer, whatever its status.

        Raises:
            NotSent: nobody was reached.
            AnswerLost: somebody was, and then nothing more, or too much, was heard.
        """
        try:
            require_callable(url)
            sent = dict(headers or {})
            self._call.ends = monotonic() + WHOLE_CALL_SECONDS
            with self._client.stream(method, url, content=content, headers=sent, params=query) as answer:
                return Answer(answer.status_code, _read(answer), dict(answer.headers))
        except BadAddress as error:
            raise NotSent(str(error)) from None
        except (httpx.InvalidURL, UnicodeError):
            raise NotSent(_("This is not an address.")) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(_reason(error)) from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise AnswerLost(_reason(error)) from None


def _read(answer: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > LARGEST_ANSWER:
            raise AnswerLost(_("The answer is too long."))
        parts.append(part)
    return b"".join(parts)


REASONS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, gettext_noop("No connection within the time.")),
    (httpx.ConnectError, gettext_noop("No connection.")),
    (httpx.TimeoutException, gettext_noop("No answer within the time.")),
    (httpx.RemoteProtocolError, gettext_noop("The connection was closed without an answer.")),
    (httpx.NetworkError, gettext_noop("The connection broke.")),
    (Exception, gettext_noop("The call failed.")),
)
UNKNOWN_NAME = "The name is not known."


def _reason(error: Exception) -> str:
    """A sentence of ours; that of a library may name what was sent."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _("The certificate of the other side is not valid.")
    if UNKNOWN_NAME in str(error):
        return _("The name of the other side is not known.")
    return next(_(sentence) for kind, sentence in REASONS if isinstance(error, kind))
