"""The routes."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bench.peers.starlette_msgspec import statements
from bench.peers.starlette_msgspec.calls import Call, ask, lifespan
from bench.peers.starlette_msgspec.documents import (
    ENCODER,
    ITEMS,
    PAYMENTS,
    Fault,
    Sale,
    SaleBody,
    item_bodies,
    payment_bodies,
    products_body,
    read_sale,
    text,
)


def answer(body: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(ENCODER.encode(body), status, headers, media_type="application/json")


async def refuse(request: Request, call: Call, status: int, detail: str, *, charge: bool = True) -> Response:
    """Say no: 401 if the key is not proven after all. Logged, and counted if the key is."""
    length = int(request.headers.get("content-length", 0))
    arguments = (call.prefix, call.digest, call.now, call.minute, charge, request.method, request.url.path[:500])
    proven = await ask("REFUSED", *arguments, status, call.request_id, call.address, length)
    if proven is None:
        return answer({"detail": "invalid_key"}, 401, {"WWW-Authenticate": "Bearer"})
    return answer({"detail": detail}, status)


async def post_sale(request: Request) -> Response:
    """Record a sale once, however often it is sent."""
    call, body = Call(request), await request.body()
    try:
        sale = read_sale(body, call.now)
    except (Fault, msgspec.MsgspecError, ArithmeticError) as fault:
        return await refuse(request, call, 400, str(fault))
    number = make_id(call.now)
    told = (call.request_id, *parameters(sale, number), call.latency, call.address, len(body))
    row = await ask("SALE", *call.common("pos:write"), *told)
    if row is None:
        return await refuse(request, call, 403, "insufficient_scope")
    if row["created"]:
        return answer(new_body(sale, number, row, call.now), 201)
    if not row["allowed"]:
        return await refuse(request, call, 429, "throttled", charge=False)
    if not row["known"]:
        return await refuse(request, call, 400, "unknown_vat_rate", charge=False)
    return await answer_retry(call, sale, row, len(body))


def parameters(sale: Sale, number: uuid.UUID) -> tuple[Any, ...]:
    """What the statement is told about a sale."""
    document = sale.document
    return (
        number,
        document.external_ref,
        sale.fingerprint,
        document.payment_method,
        sale.total,
        sale.rounding,
        sale.tip,
        document.occurred_at,
        document.refund_of,
        ENCODER.encode(document.metadata).decode() if document.metadata else "{}",
        [item.vat_rate for item in sale.items if item.vat_rate is not None],
        ENCODER.encode(sale.items).decode(),
        ENCODER.encode(sale.payments).decode(),
    )


async def answer_retry(call: Call, sale: Sale, row: Any, length: int) -> Response:
    """The record that has the reference, or 409 if it has other money."""
    reference = sale.document.external_ref
    stored = await ask(
        "RETRY",
        call.now,
        row["tenant_id"],
        row["api_key_id"],
        call.prefix,
        reference,
        sale.fingerprint,
        call.request_id,
        call.latency,
        call.address,
        length,
    )
    if stored["fingerprint"] != sale.fingerprint:
        return answer({"detail": "external_ref_conflict"}, 409)
    return answer(stored_body(stored), 200)


def make_id(now: datetime) -> uuid.UUID:
    """A time-ordered id (UUID version 7)."""
    random = uuid.uuid4().int & ((1 << 80) - 1)
    return uuid.UUID(
        int=int(now.timestamp() * 1000) << 80 | 0x7 << 76 | random & ~(0xF << 76) & ~(0x3 << 62) | 0x2 << 62
    )


def new_body(sale: Sale, number: uuid.UUID, row: Any, now: datetime) -> SaleBody:
    """The body of a sale that was just stored."""
    document = sale.document
    return SaleBody(
        number,
        document.external_ref,
        "EXTERNAL_POS",
        "COMPLETED",
        document.payment_method,
        row["currency"],
        text(sale.total),
        text(sale.rounding),
        text(sale.tip),
        item_bodies(sale.items),
        payment_bodies(sale.payments),
        document.refund_of or None,
        document.occurred_at,
        row["day"],
        now,
        document.metadata,
    )


def stored_body(row: Any) -> SaleBody:
    """The body of a sale that was there before."""
    return SaleBody(
        row["id"],
        row["external_ref"],
        row["source"],
        row["status"],
        row["payment_method"],
        row["currency"],
        text(row["total_amount"]),
        text(row["rounding_amount"]),
        text(row["tip_amount"]),
        item_bodies(ITEMS.decode(row["items"])),
        payment_bodies(PAYMENTS.decode(row["payments"])),
        row["refund_of"] or None,
        row["occurred_at"],
        row["business_date"],
        row["received_at"],
        msgspec.Raw(row["metadata"].encode()),
    )


async def read_back(request: Request) -> Response:
    """The stored sale."""
    call, reference = Call(request), request.path_params["external_ref"]
    told = (call.request_id, reference, request.url.path[:500], call.latency, call.address)
    row = await ask("READ", *call.common("pos:read"), *told)
    if row is None:
        return await refuse(request, call, 403, "insufficient_scope")
    if not row["allowed"]:
        return answer({"detail": "throttled"}, 429, {"Retry-After": "60"})
    if row["id"] is None:
        return answer({"detail": "not_found"}, 404)
    return answer(stored_body(row), 200)


async def list_products(request: Request) -> Response:
    """The first page of what can be sold; 304 for who has it already."""
    call = Call(request)
    row = await ask("PRODUCTS", *call.common("pos:read"))
    if row is None:
        return await refuse(request, call, 403, "insufficient_scope")
    if not row["allowed"]:
        return await refuse(request, call, 429, "throttled", charge=False)
    body = ENCODER.encode(products_body(row))
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    status = 304 if request.headers.get("if-none-match") == etag else 200
    told = (call.now, row["tenant_id"], row["api_key_id"], call.prefix)
    await ask("PRODUCTS_LOG", *told, status, call.latency, call.request_id, call.address)
    return Response(b"" if status == 304 else body, status, {"ETag": etag}, media_type="application/json")


async def ping(request: Request) -> Response:
    """Who the caller is to us."""
    call = Call(request)
    row = await ask("PING", *call.common(""), call.request_id, call.latency, call.address)
    if row is None:
        return await refuse(request, call, 403, "pos_bridge_disabled")
    if not row["allowed"]:
        return answer({"detail": "throttled"}, 429, {"Retry-After": "60"})
    body = {
        "tenant": {"slug": row["slug"], "name": row["name"], "zone": row["zone"]},
        "currency": row["currency"],
        "key_prefix": row["prefix"],
        "scopes": msgspec.Raw(row["scopes"].encode()),
        "server_time": call.now,
    }
    return answer(body, 200)


app = Starlette(
    lifespan=lifespan,
    routes=[
        Mount(
            statements.BASE,
            routes=[
                Route("/transactions/", post_sale, methods=["POST"]),
                Route("/transactions/{external_ref:path}/", read_back),
                Route("/products/", list_products),
                Route("/ping/", ping),
            ],
        )
    ],
)
