"""The service as a server calls it: through its WSGI entry, without Django's test client in between."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pytest

from pos_bridge import handler
from tests.till import BASE, HOST

with patch.dict(os.environ):  # the entry takes the secrets out of it, which the servers of other tests need
    from campone.wsgi import application


class Chunks(BytesIO):
    """A body as servers hand over a chunked one: a read gives what has come, not all that was asked for."""

    def __init__(self, body: bytes, size: int = 1000) -> None:
        super().__init__(body)
        self.size = size

    def read(self, most: int | None = -1, /) -> bytes:
        wanted = self.size if most is None or most < 0 else min(most, self.size)
        return super().read(wanted)


@dataclass(frozen=True)
class Answer:
    """What went over the wire."""

    status_code: int
    headers: HTTPMessage
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The JSON in it."""
        answer: dict[str, Any] = json.loads(self.content)
        return answer


def call(token: str, method: str, path: str, *, body: bytes = b"", query: str = "", **environ: Any) -> Answer:
    """Call the service; ``environ`` replaces or adds variables of the WSGI environment, None takes one away."""
    heads: list[tuple[int, HTTPMessage]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        message = HTTPMessage()
        for name, value in headers:
            message[name] = value
        heads.append((int(status[:3]), message))

    variables = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": BASE + path,
        "QUERY_STRING": query,
        "SERVER_NAME": HOST,
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": HOST,
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "https",
        **environ,
    }
    with connections_left_open():
        response = application({name: value for name, value in variables.items() if value is not None}, start_response)
        content = b"".join(response)
    [(status_code, headers)] = heads
    return Answer(status_code, headers, content)


@contextmanager
def connections_left_open() -> Iterator[None]:
    """Keep the connection that holds the test's transaction; the test client does the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, "give_connection_back", lambda: None)
        yield
