"""Bodies in: JSON read strictly, bounded, and whole, whatever the transfer coding."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, BinaryIO, TypeAlias

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.utils.mediatypes import _MediaType

from apikeys.authentication import may_be_a_till
from pos_bridge.strict_json import read_json

MOST_BYTES = 256 * 1024
LENGTH = re.compile(r"[0-9]{1,9}")

WSGIApplication: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PayloadTooLarge(APIException):
    """413 ``payload_too_large``."""

    status_code = 413
    default_code = "payload_too_large"


class StrictJSONParser(BaseParser):
    """``application/json`` in UTF-8, without a content coding."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The document, as ``strict_json.read_json()`` gives it.

        Raises:
            UnsupportedMediaType: another charset, or a content or transfer coding.
            Malformed: see ``read_json()``.
        """
        request: Request = parser_context["request"]
        sent = _MediaType(media_type or "")
        charset = str(sent.params.get("charset", "utf-8")).lower()
        coded = request.headers.get("Content-Encoding", "identity") != "identity"
        # "gzip, chunked" comes to us without its chunks, but still compressed.
        coded = coded or request.headers.get("Transfer-Encoding", "chunked").lower() != "chunked"
        if sent.full_type != self.media_type or charset not in {"utf-8", "utf8"} or coded:
            raise UnsupportedMediaType(media_type or "")
        return read_json(stream.read())


def read_body(request: HttpRequest | Request) -> bool:
    """Read the body into memory, before the database is touched; False if it is larger than the bound.

    A caller that sends slowly then holds a thread, but no connection to the database.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not LENGTH.fullmatch(length) or int(length) > MOST_BYTES:
        return False
    return len(request.body) <= MOST_BYTES


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


class ChunkedBodies:
    """WSGI: gives a chunked body its length, since Django reads only as far as ``Content-Length`` says.

    Without this a correct sale that comes in chunks would be read as an empty one. A stranger's body is not
    waited for: the answer is 401 whatever it holds.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked and may_be_a_till(environ.get("HTTP_AUTHORIZATION", "").encode("latin-1")):
            body = _read_bounded(environ["wsgi.input"])
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return self.application(environ, start_response)


def _read_bounded(stream: BinaryIO) -> bytes:
    """At most one byte more than the bound, which is enough to be refused by it."""
    chunks: list[bytes] = []
    room = MOST_BYTES + 1
    while room > 0 and (chunk := stream.read(min(room, 65536))):
        chunks.append(chunk)
        room -= len(chunk)
    return b"".join(chunks)
