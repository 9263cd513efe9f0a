"""What crosses the wire: bodies in, bounded and whole, whatever the transfer coding; answers out, in compact JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any, BinaryIO, TypeAlias, cast

import msgspec
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property  # that of functools holds a lock on all requests while one is read
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import _MediaType

from apikeys.authentication import token_in

MOST_BYTES = 256 * 1024
MOST_BYTES_OF_MANY = 2 * 1024 * 1024
OF_MANY = ("/transactions/batch", "/transactions/batch/", "/reconciliations", "/reconciliations/")
"""How the paths end that take many sales at once."""
CODINGS = frozenset({"HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING"})
LENGTH = re.compile(r"[0-9]{1,9}")

WSGIApplication: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PayloadTooLarge(APIException):
    """413 ``payload_too_large``."""

    status_code = 413
    default_code = "payload_too_large"


class JSONBytesParser(BaseParser):
    """``application/json`` in UTF-8, without a content coding."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The bytes, for ``intake.take_in()`` to read.

        Raises:
            UnsupportedMediaType: another charset, or a content or transfer coding.
        """
        request: Request = parser_context["request"]
        sent = _MediaType(media_type or "")
        charset = str(sent.params.get("charset", "utf-8")).lower()
        coded = request.headers.get("Content-Encoding", "identity") != "identity"
        # "gzip, chunked" comes to us without its chunks, but still compressed.
        coded = coded or request.headers.get("Transfer-Encoding", "chunked").lower() != "chunked"
        if sent.full_type != self.media_type or charset not in {"utf-8", "utf8"} or coded:
            raise UnsupportedMediaType(media_type or "")
        return stream.read()


def body_of(request: Request) -> bytes:
    """The body of a post, which is at hand by now (``read_body()``).

    Raises:
        UnsupportedMediaType: see ``JSONBytesParser``.
    """
    body: Any
    meta = request.META
    if meta.get("CONTENT_TYPE") == JSONBytesParser.media_type and not CODINGS & meta.keys():
        body = request.body
    else:
        # Django REST framework reads no body that is empty.
        body = request.data or b""
    return body or b"{}"


def json_answer(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An answer in compact JSON; None is an empty body."""
    content = b"" if data is None else msgspec.json.encode(data)
    return HttpResponse(content, status=status, headers={"Content-Type": "application/json", **(headers or {})})


class JSONNegotiation(DefaultContentNegotiation):
    """JSON in, JSON out: what nearly every call asks for is seen at a glance, the rest is looked at as ever."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser for the body."""
        if request.META.get("CONTENT_TYPE") == JSONBytesParser.media_type:
            return next(iter(parsers))
        return super().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer for the answer, and its media type."""
        if request.META.get("HTTP_ACCEPT", "*/*") in {"*/*", JSONBytesParser.media_type}:
            return next(iter(renderers)), JSONBytesParser.media_type
        return cast("tuple[BaseRenderer, str]", super().select_renderer(request, renderers, format_suffix))


def read_body(request: HttpRequest | Request) -> bool:
    """Read the body into memory, before the database is touched; False if it is larger than the bound.

    A caller that sends slowly then holds a thread, but no connection to the database.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not LENGTH.fullmatch(length):
        return False
    most = most_bytes(request.META) if int(length) > MOST_BYTES else MOST_BYTES
    return int(length) <= most and (length == "0" or len(request.body) <= most)


def most_bytes(meta: Mapping[str, Any]) -> int:
    """How large a body may be on the path of a call."""
    return MOST_BYTES_OF_MANY if meta.get("PATH_INFO", "").endswith(OF_MANY) else MOST_BYTES


class Utf8Request(WSGIRequest):
    """A request in UTF-8, whatever its header says.

    Django lets the header's ``charset`` choose how the query string is decoded, and does so before any
    middleware runs: ``charset=hex`` would end in a crash that is neither answered in JSON nor logged.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            self.content_type, self.content_params = "", {}


class TillRequest(Utf8Request):
    """A call of a till or a vendor: what Django asks its settings for again and again is known here."""

    @cached_property
    def body(self) -> bytes:
        """The whole body, or one byte more of it than ``read_body()`` lets pass."""
        return self.read(most_bytes(self.META) + 1)

    def get_host(self) -> str:
        """The host, if it is ours; the last few hundred spellings of it are remembered."""
        header = self.META.get("HTTP_HOST", "")
        host = _HOSTS.get(header)
        if host is None:
            host = super().get_host()
            if len(_HOSTS) >= MOST_HOSTS:
                _HOSTS.clear()
            _HOSTS[header] = host
        return host


_HOSTS: dict[str, str] = {}
MOST_HOSTS = 500


class ChunkedBodies:
    """WSGI: gives a chunked body its length, since Django reads only as far as ``Content-Length`` says.

    Without this a correct sale that comes in chunks would be read as an empty one. A stranger's body is not
    waited for: the answer is 401 whatever it holds.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked and token_in(environ.get("HTTP_AUTHORIZATION", "")):
            body = _read_bounded(environ["wsgi.input"], most_bytes(environ))
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return self.application(environ, start_response)


def _read_bounded(stream: BinaryIO, most: int) -> bytes:
    """At most one byte more than the bound, which is enough to be refused by it."""
    chunks: list[bytes] = []
    room = most + 1
    while room > 0 and (chunk := stream.read(min(room, 65536))):
        chunks.append(chunk)
        room -= len(chunk)
    return b"".join(chunks)
