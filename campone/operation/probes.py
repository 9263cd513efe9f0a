"""WSGI: ``/healthz``, ``/readyz`` and ``/metrics``, before anything of Django is asked.

An orchestrator asks by the machine's address and by plain HTTP; neither host name nor TLS, session nor database of a
page may stand in its way. ``/healthz`` asks nothing but this process.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import Error
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST
from psycopg_pool import PoolTimeout

from campone.operation.exposition import exposed
from campone.operation.hearing import Listener
from campone.operation.readiness import Readiness
from campone.operation.standing import LastLook, Standing
from campone.operation.tallies import tallies_in
from kasse.statements import give_connection_back
from pos_bridge.wire import WSGIApplication
from tenants.addresses import client_address, proven_address

Answer = tuple[str, str, bytes]
NOT_FOUND = "404 Not Found"


class Probes:
    """Answers whoever runs the service, and hands everything else on."""

    def __init__(self, *, others: WSGIApplication, listener: Listener | None) -> None:
        self.others = others
        self.listener = listener
        self.readiness = Readiness()
        self.last_look = LastLook()
        self.answers: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "/healthz": self._health,
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self.answers.get(environ.get("PATH_INFO", ""))
        if answer is None:
            return self.others(environ, start_response)
        reading = environ.get("REQUEST_METHOD") in {"GET", "HEAD"}
        status, kind, body = answer(environ) if reading else as_json("405 Method Not Allowed", detail="not_allowed")
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        start_response(status, headers if reading else [*headers, ("Allow", "GET, HEAD")])
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else body]

    def _health(self, environ: dict[str, Any]) -> Answer:
        return as_json("200 OK", status="alive")

    def _ready(self, environ: dict[str, Any]) -> Answer:
        missing = self.readiness.missing()
        if missing:
            return as_json("503 Service Unavailable", status="not ready", missing=missing)
        return as_json("200 OK", status="ready")

    def _metrics(self, environ: dict[str, Any]) -> Answer:
        if self.listener is None or settings.METRICS_FOLDER is None or not may_see_figures(environ):
            return as_json(NOT_FOUND, detail="not_found")
        self.listener.hear()
        figures = exposed(tallies_in(settings.METRICS_FOLDER), self._look(), name_tenants=settings.METRICS_TENANTS)
        return "200 OK", CONTENT_TYPE_LATEST, figures

    def _look(self) -> Standing | None:
        try:
            return self.last_look.at(timezone.now())
        except (Error, PoolTimeout):
            return None
        finally:
            give_connection_back()


def may_see_figures(environ: dict[str, Any]) -> bool:
    """Whether a caller has the token, or calls from an address that is let in."""
    sent = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
    token = settings.METRICS_TOKEN
    if token and hmac.compare_digest(sent, f"Bearer {token}".encode()):
        return True
    request = WSGIRequest(environ)
    # Whoever came by some of our proxies and past the outer ones has a proxy's address, and not one of their own.
    return is_let_in((proven_address if environ.get("HTTP_X_FORWARDED_FOR") else client_address)(request))


def is_let_in(address: str) -> bool:
    """Whether an address lies in one of METRICS_ADDRESSES."""
    try:
        return any(ip_address(address) in network for network in settings.METRICS_ADDRESSES)
    except ValueError:
        return False


def as_json(line: str, /, **told: Any) -> Answer:
    """An answer in JSON."""
    return line, "application/json", json.dumps(told).encode()
