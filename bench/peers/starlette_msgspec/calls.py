"""What every route shares: prepared statements, and what is known of a call."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request

from bench.peers.starlette_msgspec import statements

CONNECTIONS = 8
PREPARED = ("SALE", "RETRY", "READ", "PING", "PRODUCTS", "PRODUCTS_LOG", "REFUSED")
Statements = dict[str, Any]
free: asyncio.LifoQueue[Statements]


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Connections with their statements prepared; the one used last is the warmest."""
    global free  # noqa: PLW0603 (made once, when the loop is there)
    free = asyncio.LifoQueue()
    settings = {"plan_cache_mode": "force_generic_plan"}  # never planned again
    connections = [await asyncpg.connect(server_settings=settings) for _ in range(CONNECTIONS)]
    for connection in connections:
        free.put_nowait({name: await connection.prepare(getattr(statements, name)) for name in PREPARED})
    yield
    for connection in connections:
        await connection.close()


async def ask(name: str, *arguments: Any) -> Any:
    """The first row of a prepared statement."""
    prepared = await free.get()
    try:
        return await prepared[name].fetchrow(*arguments)
    finally:
        free.put_nowait(prepared)


class Call:
    """What every statement is told about a call."""

    __slots__ = ("address", "digest", "minute", "now", "prefix", "request_id", "started")

    def __init__(self, request: Request) -> None:
        self.started = time.perf_counter()
        self.now = datetime.now(timezone.utc)  # noqa: TID251 (its edge is here)
        token = request.headers.get("authorization", "")[7:]
        self.prefix = token[:11]
        self.digest = hashlib.sha256(token.encode()).hexdigest()
        self.minute = int(self.now.timestamp()) // 60
        self.request_id = uuid.uuid4().hex
        self.address = request.client.host if request.client else ""

    def common(self, scope: str) -> tuple[Any, ...]:
        """The parameters of every statement that begins with the caller."""
        return self.prefix, self.digest, self.now, scope, self.minute

    @property
    def latency(self) -> int:
        """Hundredths of a millisecond until now."""
        return round((time.perf_counter() - self.started) * 100_000)
