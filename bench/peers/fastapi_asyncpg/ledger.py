"""Storing and reading sales; money is kept in whole Rappen, as in the product's tables."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import HTTPException

from bench.peers.fastapi_asyncpg.callers import Caller
from bench.peers.fastapi_asyncpg.schemas import Item, NewSale, Payment, Sale

RATES = """
    SELECT rate FROM catalogue_vatrate
    WHERE tenant_id = $1 AND valid_from <= $2 AND (valid_until IS NULL OR valid_until >= $2)
"""
INSERT_SALE = """
    INSERT INTO kasse_transaction (
        id, tenant_id, api_key_id, source, status, external_ref, fingerprint, payment_method, currency, total_amount,
        rounding_amount, tip_amount, occurred_at, business_date, received_at, refund_of, metadata
    ) VALUES ($1, $2, $3, 'EXTERNAL_POS', 'COMPLETED', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    ON CONFLICT (tenant_id, external_ref) DO NOTHING
    RETURNING id
"""
INSERT_ITEM = """
    INSERT INTO kasse_transactionitem (
        tenant_id, transaction_id, position, description, quantity, unit_price, line_total, sku, vat_rate, category,
        kind
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
INSERT_PAYMENT = """
    INSERT INTO kasse_payment (tenant_id, transaction_id, position, method, amount, tip_amount)
    VALUES ($1, $2, $3, $4, $5, $6)
"""
SALE = "SELECT * FROM kasse_transaction WHERE tenant_id = $1 AND external_ref = $2 AND source = 'EXTERNAL_POS'"
ITEMS = "SELECT * FROM kasse_transactionitem WHERE tenant_id = $1 AND transaction_id = $2 ORDER BY position"
PAYMENTS = "SELECT * FROM kasse_payment WHERE tenant_id = $1 AND transaction_id = $2 ORDER BY position"


def units(value: Decimal, places: int) -> int:
    """Whole units of the last place."""
    return int(value.scaleb(places))


def amount(value: int, places: int = 2) -> Decimal:
    """Whole units back to a decimal."""
    return Decimal(value).scaleb(-places)


def day_of(instant: datetime, key: Any) -> date:
    """The business day of an instant at the caller's campground."""
    local = instant.astimezone(ZoneInfo(key["zone"]))
    return local.date() - timedelta(days=local.hour < key["cutoff_hour"])


def fingerprint_of(sale: NewSale, day: date) -> str:
    """A digest of what is money."""
    lines = sorted(f"{item.quantity.normalize()}x{item.line_total}" for item in sale.items)
    tenders = sorted(f"{payment.method}{payment.amount}" for payment in sale.payments)
    facts = [sale.payment_method, str(sale.total_amount), str(sale.tip_amount), str(day), *lines, *tenders]
    return hashlib.sha256("|".join(facts).encode()).hexdigest()


async def record(connection: Any, caller: Caller, sale: NewSale) -> tuple[Sale, bool]:
    """Store a sale, or read the one that has its reference; 409 if that one has other money."""
    key, number = caller.key, uuid.uuid4()
    day = day_of(sale.occurred_at, key)
    await require_known_rates(connection, key, day, sale)
    fingerprint = fingerprint_of(sale, day)
    created = await connection.fetchval(
        INSERT_SALE,
        number,
        key["tenant_id"],
        key["id"],
        sale.external_ref,
        fingerprint,
        sale.payment_method,
        key["currency"],
        units(sale.total_amount, 2),
        units(sale.rounding_amount, 2),
        units(sale.tip_amount, 2),
        sale.occurred_at,
        day,
        caller.at,
        sale.refund_of,
        json.dumps(sale.metadata),
    )
    if created is None:
        stored = await connection.fetchrow(SALE, key["tenant_id"], sale.external_ref)
        if stored["fingerprint"] != fingerprint:
            raise HTTPException(409, "external_ref_conflict")
        return await body_of(connection, stored), False
    await insert_lines(connection, key["tenant_id"], number, sale)
    told = {"id": number, "source": "EXTERNAL_POS", "status": "COMPLETED", "currency": key["currency"]}
    return Sale(**dict(sale), **told, business_date=day, received_at=caller.at), True


async def require_known_rates(connection: Any, key: Any, day: date, sale: NewSale) -> None:
    """Refuse a VAT rate that the campground does not have on that day."""
    known = {row["rate"] for row in await connection.fetch(RATES, key["tenant_id"], day)}
    if {units(item.vat_rate, 2) for item in sale.items if item.vat_rate is not None} - known:
        raise HTTPException(400, "unknown_vat_rate")


async def insert_lines(connection: Any, tenant_id: int, number: uuid.UUID, sale: NewSale) -> None:
    """The lines and payments of a new sale."""
    lines = [
        (
            tenant_id,
            number,
            position,
            item.description,
            units(item.quantity, 3),
            units(item.unit_price, 4),
            units(item.line_total, 2),
            item.sku,
            None if item.vat_rate is None else units(item.vat_rate, 2),
            item.category,
            item.kind,
        )
        for position, item in enumerate(sale.items)
    ]
    payments = [
        (tenant_id, number, position, each.method, units(each.amount, 2), units(each.tip_amount, 2))
        for position, each in enumerate(sale.payments)
    ]
    await connection.executemany(INSERT_ITEM, lines)
    await connection.executemany(INSERT_PAYMENT, payments)


async def body_of(connection: Any, stored: Any) -> Sale:
    """A stored sale with its lines and payments."""
    items = await connection.fetch(ITEMS, stored["tenant_id"], stored["id"])
    payments = await connection.fetch(PAYMENTS, stored["tenant_id"], stored["id"])
    return Sale(
        **{
            **stored,
            "total_amount": amount(stored["total_amount"]),
            "rounding_amount": amount(stored["rounding_amount"]),
            "tip_amount": amount(stored["tip_amount"]),
            "metadata": json.loads(stored["metadata"]),
        },
        items=[item_of(row) for row in items],
        payments=[
            Payment(method=row["method"], amount=amount(row["amount"]), tip_amount=amount(row["tip_amount"]))
            for row in payments
        ],
    )


def item_of(row: Any) -> Item:
    """A stored line."""
    return Item(
        **{
            **row,
            "quantity": amount(row["quantity"], 3),
            "unit_price": amount(row["unit_price"], 4),
            "line_total": amount(row["line_total"]),
            "vat_rate": None if row["vat_rate"] is None else amount(row["vat_rate"]),
        }
    )
