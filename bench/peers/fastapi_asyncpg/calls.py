"""What every call costs: one more in the key's budget, and a row of the activity log."""

from __future__ import annotations

import time
import uuid
from datetime import datetime
from typing import Any

from fastapi import HTTPException, Request

from bench.peers.fastapi_asyncpg.callers import Caller

COUNT = """
    INSERT INTO bench_budget (api_key_id, minute, calls) VALUES ($1, $2, 1)
    ON CONFLICT (api_key_id, minute) DO UPDATE SET calls = bench_budget.calls + 1
"""
USED = "SELECT coalesce(sum(calls), 0) FROM bench_budget WHERE api_key_id = $1 AND minute > $2"
LOG = """
    INSERT INTO pos_bridge_inboundcall (
        at, tenant_id, api_key_id, key_prefix, method, path, status, latency_ms, request_id, outcome, error_code,
        error_field, external_ref, remote_address, request_bytes, calls
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', $11, $12, $13, 1)
"""
OUTCOMES = {200: "read", 201: "created", 409: "conflict", 429: "throttled"}


async def charge(connection: Any, caller: Caller) -> None:
    """Count the call; 429 when the last hour is full."""
    minute = int(caller.at.timestamp()) // 60
    await connection.execute(COUNT, caller.key["id"], minute)
    used = await connection.fetchval(USED, caller.key["id"], minute - 60)
    if caller.key["budget"] is not None and used > caller.key["budget"]:
        raise HTTPException(429, "throttled", {"Retry-After": "60"})


async def log(connection: Any, request: Request, status: int, *, at: datetime, reference: str = "") -> None:
    """Write the row of a call; the caller is known once it has been proven."""
    caller: Caller | None = getattr(request.state, "caller", None)
    await connection.execute(
        LOG,
        at,
        caller.key["tenant_id"] if caller else None,
        caller.key["id"] if caller else None,
        caller.key["prefix"] if caller else "",
        request.method,
        request.url.path[:500],
        status,
        round((time.perf_counter() - caller.started) * 100_000) if caller else 0,
        uuid.uuid4().hex,
        OUTCOMES.get(status, "refused"),
        reference,
        request.client.host if request.client else "",
        int(request.headers.get("content-length", 0)),
    )
