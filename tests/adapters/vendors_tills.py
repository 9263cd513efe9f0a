"""Vendors' tills in tests: they call a connection's address as the vendor does, the way every such call goes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from django.http import HttpResponse

from adapters.connections import address_of, open_connection
from adapters.models import Connection
from adapters.vendors import VENDORS
from tenants.models import Tenant
from tests.factories import NOON
from tests.till import HOST, TillClient

Json = dict[str, Any]


def connection_of(tenant: Tenant, vendor: str, *, at: datetime = NOON, **fields: Any) -> Connection:
    """A connection as staff open one."""
    named = {"name": "Restaurant", "currency": tenant.currency, **fields}
    connection = Connection(tenant=tenant, vendor=vendor, created_at=at, **named)
    open_connection(connection, label=VENDORS[vendor].label)
    return connection


class VendorTill:
    """Calls below a connection's address; every answer must be JSON or empty."""

    def __init__(self, connection: Connection, *, host: str = HOST) -> None:
        self.path = urlsplit(address_of(connection) or "").path
        self.client = TillClient(raise_request_exception=False)
        self.host = host

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> HttpResponse:
        """Any call, its body as it is."""
        named = {"host": self.host, **{name.replace("_", "-"): text for name, text in headers.items()}}
        answer = self.client.generic(method, self.path + path, body, "application/json", headers=named)
        assert not answer.content or answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Request-Id"]
        return cast(HttpResponse, answer)


class LightspeedTill(VendorTill):
    """A restaurant's till with its key."""

    def __init__(self, connection: Connection, token: str, **options: Any) -> None:
        super().__init__(connection, **options)
        self.token = token

    def charge(self, account: Json, *, delivery: str = "", **headers: str) -> HttpResponse:
        """Send a closed account, under the identity of a delivery if there is one."""
        named = {**headers, **({"x_lightspeed_idempotency_key": delivery} if delivery else {})}
        body = json.dumps({**account, "apiKey": self.token}).encode()
        return self.call("POST", "/charge", body, **named)

    def search(self, term: str = "", **headers: str) -> HttpResponse:
        """Look for a guest."""
        query = f"?businessExternalReference=seeblick-restaurant&apiKey={self.token}&term={term}"
        return self.call("GET", f"/search{query}", b"", **headers)


def fondue(**changes: Any) -> Json:
    """An account of CHF 54.00, paid by card; ``changes`` replace or add fields, ``...`` takes one away."""
    account = {
        "businessExternalReference": "seeblick-restaurant",
        "fiscId": "A60411.17",
        "uuid": "7L0uXk1cTpOqJt0b9vYyQg==",
        "closeDate": "2026-04-29T18:27:33.266Z",
        "receiptId": "R60411.17",
        "transactions": [
            {"description": "Fondue", "unitAmount": 27.0, "quantity": 2, "amount": 54.0, "taxRate": 1.081},
        ],
        "payments": [{"methodCode": "CARD", "methodName": "Karte", "amount": 54.0, "gratuity": 3.0}],
        **changes,
    }
    return {name: value for name, value in account.items() if value is not ...}
