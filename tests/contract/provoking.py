"""How each problem of each operation comes about: the real thing, by HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import override_settings

from apikeys import verification
from apikeys.models import Scope
from pos_bridge import till_view
from pos_bridge.examples import FIVE_FIELDS
from pos_bridge.many_examples import BATCH, DAY_OF_SALES
from pos_bridge.models import BridgeSettings
from pos_bridge.operations import Operation, code_of
from pos_bridge.problem_examples import (
    FAULTY_BATCHES,
    FAULTY_DAYS,
    FAULTY_QUERIES,
    OTHER_SALE,
    REFUSED_SALES,
    UNREADABLE,
)
from pos_bridge.wire import most_bytes
from tenants.models import Tenant
from tests.factories import BOTH, mint
from tests.till import Till

PATHS = {
    "list_transactions": "/transactions/",
    "post_transaction": "/transactions/",
    "get_transaction": f"/transactions/{FIVE_FIELDS['external_ref']}/",
    "post_batch": "/transactions/batch/",
    "get_transaction_called_batch": "/transactions/batch/",
    "get_summary": "/transactions/summary/",
    "post_reconciliation": "/reconciliations/",
    "list_gaps": "/gaps/",
    "list_products": "/products/",
    "ping": "/ping/",
}


# Of a good call.
BODIES: dict[str, Any] = {
    "post_transaction": FIVE_FIELDS,
    "post_batch": BATCH,
    "post_reconciliation": DAY_OF_SALES,
}
QUERIES = {"get_summary": "?business_date=2026-04-29"}


@dataclass(frozen=True)
class Scene:
    """A campground, an operation of its till, and what it takes to make that fail."""

    tenant: Tenant
    operation: Operation
    patch: pytest.MonkeyPatch

    def call(self, *, scopes: tuple[str, ...] = BOTH, token: str | None = "", **changes: Any) -> HttpResponse:
        """A good call of the operation, but for ``changes``: method, query, body, headers, budget."""
        name = self.operation.name
        good = json.dumps(BODIES[name]).encode() if name in BODIES else b""
        if token == "":
            token = mint(self.tenant, scopes=scopes, budget=changes.get("budget")).token
        return Till(token).call(
            changes.get("method", self.operation.method.upper()),
            PATHS[name] + changes.get("query", QUERIES.get(name, "")),
            body=changes.get("body", good),
            headers=changes.get("headers"),
        )

    def post(self, document: Any) -> HttpResponse:
        """Post a sale."""
        return self.call(body=json.dumps(document).encode())


def provoke(problem: str, scene: Scene) -> HttpResponse:
    """The answer that a problem example shows."""
    if problem in FAULTY_QUERIES:
        return scene.call(query=f"?{FAULTY_QUERIES[problem]}")
    for faulty in (REFUSED_SALES, FAULTY_BATCHES, FAULTY_DAYS):
        if problem in faulty:
            return scene.post(faulty[problem])
    return DEEDS[code_of(problem)](scene)


def _with_a_revoked_key(scene: Scene) -> HttpResponse:
    minted = mint(scene.tenant)
    minted.key.revoke(at=datetime(2026, 4, 29, tzinfo=timezone.utc))
    return scene.call(token=minted.token)


def _over_budget(scene: Scene) -> HttpResponse:
    minted = mint(scene.tenant, budget=1)
    scene.call(token=minted.token)
    return scene.call(token=minted.token)


def _with_the_bridge_off(scene: Scene) -> HttpResponse:
    BridgeSettings.objects.create(tenant=scene.tenant, enabled=False)
    return scene.call()


def _from_elsewhere(scene: Scene) -> HttpResponse:
    return scene.call(token=mint(scene.tenant, networks=["192.0.2.0/24"]).token)


def _in_clear(scene: Scene) -> HttpResponse:
    with override_settings(PROXY_COUNT=1):
        return scene.call(headers={"x-forwarded-proto": "http"})


def _with_the_wrong_scope(scene: Scene) -> HttpResponse:
    return scene.call(scopes=(Scope.POS_READ if scene.operation.method == "post" else Scope.POS_WRITE,))


def _what_is_not_there(scene: Scene) -> HttpResponse:
    return scene.call(query="?page=99" if scene.operation.query else "")  # only lists have both


def _another_sale_under_the_reference(scene: Scene) -> HttpResponse:
    scene.post(FIVE_FIELDS)
    return scene.post(OTHER_SALE)


def _with_a_byte_too_many(scene: Scene) -> HttpResponse:
    return scene.call(body=b" " * (most_bytes({"PATH_INFO": PATHS[scene.operation.name]}) + 1))


def _with_too_many_unproven_keys(scene: Scene) -> HttpResponse:
    scene.patch.setattr(verification, "verify_own_token", _raising(verification.TooManyUnproven()))
    return scene.call()


def _with_a_failure(failure: Exception) -> Callable[[Scene], HttpResponse]:
    def deed(scene: Scene) -> HttpResponse:
        scene.patch.setattr(till_view, "Charge", _raising(failure))
        return scene.call()

    return deed


def _raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


DEEDS: dict[str, Callable[[Scene], HttpResponse]] = {
    "parse_error": lambda scene: scene.call(body=UNREADABLE),
    "bad_request": lambda scene: scene.call(headers={"host": "not-ours.example"}),
    "invalid_key": lambda scene: scene.call(token=None),
    "key_inactive": _with_a_revoked_key,
    "https_required": _in_clear,
    "address_not_allowed": _from_elsewhere,
    "insufficient_scope": _with_the_wrong_scope,
    "pos_bridge_disabled": _with_the_bridge_off,
    "not_found": _what_is_not_there,
    "method_not_allowed": lambda scene: scene.call(method="DELETE"),
    "not_acceptable": lambda scene: scene.call(headers={"accept": "text/html"}),
    "external_ref_conflict": _another_sale_under_the_reference,
    "payload_too_large": _with_a_byte_too_many,
    "unsupported_media_type": lambda scene: scene.call(headers={"content-type": "text/xml"}),
    "throttled": _over_budget,
    "server_error": _with_a_failure(RuntimeError("A mouse in the engine room")),
    "busy": _with_too_many_unproven_keys,
    "unavailable": _with_a_failure(OperationalError("The database is away")),
}
