"""WSGI: vendors' calls go the short way of tills, without what only pages need; and a chunked body gets its length."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from adapters.connections import BASE_PATH
from pos_bridge.wire import MOST_BYTES, WSGIApplication


class VendorDoor:
    """Calls below the vendors' base path to one application, everything else to the other."""

    def __init__(self, *, vendors: WSGIApplication, others: WSGIApplication) -> None:
        self.vendors = vendors
        self.others = others

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(f"{BASE_PATH}/"):
            return self.others(environ, start_response)
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and not environ.get("CONTENT_LENGTH"):
            body = _read_bounded(environ["wsgi.input"])
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return self.vendors(environ, start_response)


def _read_bounded(stream: Any) -> bytes:
    """At most one byte more than the bound, which is enough to be refused by it."""
    body = bytearray()
    while len(body) <= MOST_BYTES and (chunk := stream.read(min(MOST_BYTES + 1 - len(body), 65536))):
        body += chunk
    return bytes(body)
