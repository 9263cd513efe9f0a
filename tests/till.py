"""A till in tests: the API through Django's test client, with a key and JSON in both directions."""

from __future__ import annotations

import json
from typing import Any, TypeAlias, cast
from urllib.parse import quote

from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from pos_bridge.handler import TillMiddleware

BASE = "/api/v1/public/pos"
HOST = "api.campone.example"

Body: TypeAlias = dict[str, Any]


def croissants_and_coffee(**changes: Any) -> Body:
    """A sale of CHF 12.50 in cash; ``changes`` replace or add fields, ``...`` takes one away."""
    body = {
        "external_ref": "seeblick-2026-04-29-T-1",
        "payment_method": "CASH",
        "total_amount": "12.50",
        "items": [
            {"description": "Croissant", "quantity": 2, "unit_price": "3.50", "line_total": "7.00"},
            {"description": "Kaffee", "quantity": 1, "unit_price": "5.50", "line_total": "5.50"},
        ],
        "occurred_at": "2026-04-29T08:14:32Z",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}


class TillClientHandler(TillMiddleware, ClientHandler):
    """The way of a till's call, for the test client."""


class TillClient(Client):
    """Calls the API as the server does, without the middleware of pages."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.handler = TillClientHandler(self.handler.enforce_csrf_checks)


class Till:
    """Calls the API as a till would; every answer must be JSON or empty."""

    def __init__(self, token: str | None, *, host: str = HOST) -> None:
        self.client = TillClient(raise_request_exception=False)
        self.headers = {"host": host} | ({"authorization": f"Bearer {token}"} if token else {})

    def call(self, method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> HttpResponse:
        """Any call, its body as it is."""
        every = {**self.headers, **(headers or {})}
        content_type = every.pop("content-type", "application/json")
        response = self.client.generic(method, BASE + path, body, content_type, headers=every)
        assert not response.content or response.headers["Content-Type"] == "application/json"
        assert response.headers["X-Request-Id"]
        return cast(HttpResponse, response)

    def post(self, body: Any, **headers: str) -> HttpResponse:
        """Post a sale."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", "/transactions/", body=json.dumps(body).encode(), headers=named)

    def get(self, path: str, **headers: str) -> HttpResponse:
        """Read something."""
        return self.call("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def read_back(self, reference: str) -> HttpResponse:
        """Read one sale by its reference."""
        return self.get(f"/transactions/{quote(reference, safe='')}/")


def body_of(response: HttpResponse) -> Body:
    """The JSON of an answer."""
    return cast(Body, json.loads(response.content))
