"""What a till gets back: the bodies of answers, built from what is stored."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from msgspec import to_builtins

from kasse.money import plain
from kasse.sales import NewItem, NewPayment, StoredSale
from pos_bridge.remarks import Remark


def instant_text(instant: datetime) -> str:
    """UTC with ``Z``; a fraction only where there is one."""
    return str(to_builtins(instant.astimezone(timezone.utc)))


def money_text(amount: Decimal) -> str:
    """Two places, no exponent."""
    text = str(amount)
    return text if text[-3:-2] == "." else plain(amount, places=2)  # nearly every amount has its two places


def number(value: Decimal) -> int | float:
    """A quantity as a JSON number; with three places a float writes it unchanged."""
    return int(value) if value == value.to_integral_value() else float(value)


def sale_body(stored: StoredSale) -> dict[str, Any]:
    """A stored sale as every answer writes it; the same for a new one, a retry and a read-back."""
    sale = stored.sale
    return {
        "id": to_builtins(stored.id),
        "external_ref": sale.external_ref,
        "source": stored.source,
        "status": stored.status,
        "payment_method": sale.payment_method,
        "currency": sale.currency,
        "total_amount": money_text(sale.total_amount),
        "rounding_amount": money_text(sale.rounding_amount),
        "tip_amount": money_text(sale.tip_amount),
        "items": [_item_body(item) for item in sale.items],
        "payments": [_payment_body(payment) for payment in sale.payments],
        "refund_of": sale.refund_of or None,
        "till_id": sale.till_id or None,
        "receipt_seq": sale.receipt_seq,
        "occurred_at": instant_text(sale.occurred_at),
        "business_date": to_builtins(stored.business_date),
        "received_at": instant_text(stored.received_at),
        "metadata": sale.metadata,
    }


def _item_body(item: NewItem) -> dict[str, Any]:
    return {
        "description": item.description,
        "quantity": number(item.quantity),
        "unit_price": money_text(item.unit_price),
        "line_total": money_text(item.line_total),
        "sku": item.sku,
        "vat_rate": None if item.vat_rate is None else money_text(item.vat_rate),
        "category": item.category,
        "kind": item.kind,
    }


def _payment_body(payment: NewPayment) -> dict[str, Any]:
    return {
        "method": payment.method,
        "amount": money_text(payment.amount),
        "tip_amount": money_text(payment.tip_amount),
    }


def json_value(value: Any) -> Any:
    """A stored or sent value as answers write it."""
    match value:
        case datetime():
            return instant_text(value)
        case Decimal():
            return money_text(value)
        case _:
            return value


def remark_body(remark: Remark) -> dict[str, Any]:
    """One of an answer's ``warnings``; both values where they differ."""
    body = {"code": remark.code, "field": remark.field, "message": remark.message}
    if remark.code == "differs_from_stored":
        body |= {"stored": remark.stored, "sent": remark.sent}
    return body


def product_body(product: Any, currency: str) -> dict[str, Any]:
    """A product as tills read it; a ``Product``, or one as it was ``Listed``."""
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "category": product.category,
        "unit_price": money_text(product.unit_price),
        "vat_rate": money_text(product.vat_rate),
        "currency": currency,
        "active": product.active,
        "updated_at": instant_text(product.updated_at),
    }
