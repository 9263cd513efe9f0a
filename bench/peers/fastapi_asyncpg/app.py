"""The routes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any

import asyncpg
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from bench.peers.fastapi_asyncpg.callers import Authenticated, Connection
from bench.peers.fastapi_asyncpg.calls import charge, log
from bench.peers.fastapi_asyncpg.ledger import SALE, amount, body_of, record
from bench.peers.fastapi_asyncpg.schemas import NewSale, Product, Products, Sale

PRODUCTS = "SELECT * FROM catalogue_product WHERE tenant_id = $1 AND active ORDER BY sku, id LIMIT 50"
PRODUCT_COUNT = "SELECT count(*) FROM catalogue_product WHERE tenant_id = $1 AND active"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """A pool of connections for the life of the process."""
    async with asyncpg.create_pool() as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)
router = APIRouter(prefix="/api/v1/public/pos")


@router.post("/transactions/", status_code=201)
async def post_sale(
    request: Request, response: Response, caller: Authenticated, connection: Connection, sale: NewSale
) -> Sale:
    """Record a sale once, however often it is sent."""
    caller.require("pos:write")
    async with connection.transaction():
        await charge(connection, caller)
        stored, created = await record(connection, caller, sale)
        response.status_code = 201 if created else 200
        await log(connection, request, response.status_code, at=caller.at, reference=sale.external_ref)
    return stored


@router.get("/transactions/{external_ref:path}/")
async def read_sale(request: Request, caller: Authenticated, connection: Connection, external_ref: str) -> Sale:
    """The stored sale."""
    caller.require("pos:read")
    async with connection.transaction():
        await charge(connection, caller)
        stored = await connection.fetchrow(SALE, caller.key["tenant_id"], external_ref)
        if stored is None:
            raise HTTPException(404, "not_found")
        await log(connection, request, 200, at=caller.at, reference=external_ref)
        return await body_of(connection, stored)


@router.get("/products/", response_model=Products)
async def list_products(request: Request, caller: Authenticated, connection: Connection) -> Response:
    """The first page of what can be sold; 304 for who has it already."""
    caller.require("pos:read")
    async with connection.transaction():
        await charge(connection, caller)
        count = await connection.fetchval(PRODUCT_COUNT, caller.key["tenant_id"])
        rows = await connection.fetch(PRODUCTS, caller.key["tenant_id"])
        page = Products(
            count=count,
            next="?page=2" if count > len(rows) else None,
            previous=None,
            results=[product_of(row, caller.key["currency"]) for row in rows],
        )
        body = page.model_dump_json().encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        status = 304 if request.headers.get("if-none-match") == etag else 200
        await log(connection, request, status, at=caller.at)
    content = b"" if status == 304 else body
    return Response(content, status, {"ETag": etag}, media_type="application/json")


def product_of(row: Any, currency: str) -> Product:
    """A stored product."""
    prices = {"unit_price": amount(row["unit_price"]), "vat_rate": amount(row["vat_rate"])}
    return Product(**{**row, **prices}, currency=currency)


@router.get("/ping/")
async def ping(request: Request, caller: Authenticated, connection: Connection) -> dict[str, Any]:
    """Who the caller is to us."""
    async with connection.transaction():
        await charge(connection, caller)
        await log(connection, request, 200, at=caller.at)
    key = caller.key
    return {
        "tenant": {"slug": key["slug"], "name": key["name"], "zone": key["zone"]},
        "currency": key["currency"],
        "key_prefix": key["prefix"],
        "scopes": sorted(json.loads(key["scopes"])),
        "server_time": caller.at,
    }


app.include_router(router)


@app.exception_handler(HTTPException)
async def refuse(request: Request, error: HTTPException) -> JSONResponse:
    """Log what was refused; what was charged inside the transaction is charged again, since that was undone."""
    await log_refusal(request, error.status_code)
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


@app.exception_handler(RequestValidationError)
async def refuse_document(request: Request, error: RequestValidationError) -> JSONResponse:
    """A document that breaks the contract."""
    await log_refusal(request, 400)
    faults = [{"field": list(each["loc"]), "message": each["msg"]} for each in error.errors()]
    return JSONResponse({"detail": "validation_error", "errors": faults}, 400)


async def log_refusal(request: Request, status: int) -> None:
    """The row of a refused call, and its place in the budget when its key was proven."""
    caller = getattr(request.state, "caller", None)
    at = caller.at if caller else datetime.now(timezone.utc)  # noqa: TID251 (its edge is here)
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        if caller is not None and status != 429:
            await charge(connection, caller)
        await log(connection, request, status, at=at)
