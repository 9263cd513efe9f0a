"""The service as its operator's tools ask it: at the door of WSGI, where probes stand."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory

from campone.operation.probes import Probes


def ask(probes: Probes, path: str, *, method: str = "GET", **sent: Any) -> HttpResponse:
    """What is answered."""
    environ = RequestFactory().generic(method, path, **sent).environ
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(probes(environ, lambda status, headers: heads.append((status, headers))))
    status, headers = heads[0]
    return HttpResponse(body, status=int(status[:3]), headers=dict(headers))


def nobody_else(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The pages behind the probes."""
    start_response("418 Behind the probes", [])
    return []
