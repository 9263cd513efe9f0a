"""Who calls: a pooled connection, and the key whose token came with the request."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, HTTPException, Request

KEY = """
    SELECT key.id, key.tenant_id, key.prefix, key.token_hash, key.scopes, key.budget, key.expires_at, key.revoked_at,
           tenant.slug, tenant.name, tenant.zone, tenant.currency, tenant.cutoff_hour, tenant.is_active,
           coalesce(card.enabled, true) AS enabled
    FROM apikeys_apikey key
    JOIN tenants_tenant tenant ON tenant.id = key.tenant_id
    LEFT JOIN pos_bridge_bridgesettings card ON card.tenant_id = tenant.id
    WHERE key.prefix = $1
"""


async def connect(request: Request) -> AsyncIterator[Any]:
    """A connection of the pool, for as long as the request takes."""
    async with request.app.state.pool.acquire() as connection:
        yield connection


Connection = Annotated[Any, Depends(connect)]


@dataclass(slots=True)
class Caller:
    """A proven key, and when its call came."""

    key: asyncpg.Record
    at: datetime
    started: float

    def require(self, scope: str) -> None:
        """Refuse with 403 what the key may not do."""
        if scope not in json.loads(self.key["scopes"]):
            raise HTTPException(403, "insufficient_scope")


async def authenticate(request: Request, connection: Connection) -> Caller:
    """The caller by bearer token: the row is read on every call."""
    started, now = time.perf_counter(), datetime.now(timezone.utc)  # noqa: TID251 (its edge is here)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = await connection.fetchrow(KEY, token[:11]) if scheme.lower() == "bearer" else None
    digest = hashlib.sha256(token.encode()).hexdigest()
    if key is None or not hmac.compare_digest(key["token_hash"], digest):
        raise HTTPException(401, "invalid_key", {"WWW-Authenticate": "Bearer"})
    expired = key["expires_at"] is not None and key["expires_at"] <= now
    if key["revoked_at"] is not None or expired or not key["is_active"]:
        raise HTTPException(401, "key_inactive", {"WWW-Authenticate": "Bearer"})
    caller = Caller(key, now, started)
    request.state.caller = caller
    if not key["enabled"]:
        raise HTTPException(403, "pos_bridge_disabled")
    return caller


Authenticated = Annotated[Caller, Depends(authenticate)]
