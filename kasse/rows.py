"""A sale as rows: the columns of the ledger's tables, and what stands in them.

Amounts are in whole units of their last place (Rappen, thousandths), as the columns keep them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from catalogue.exact_decimals import units_of
from kasse.sales import NewItem, NewPayment, StoredSale

Row: TypeAlias = dict[str, Any]
Columns: TypeAlias = dict[str, str]
"""Names, and PostgreSQL's types for them."""

SALE_COLUMNS: Columns = {
    "id": "uuid",
    "tenant_id": "bigint",
    "source": "text",
    "status": "text",
    "external_ref": "text",
    "fingerprint": "text",
    "api_key_id": "bigint",
    "payment_method": "text",
    "currency": "text",
    "total_amount": "bigint",
    "rounding_amount": "bigint",
    "tip_amount": "bigint",
    "occurred_at": "timestamptz",
    "business_date": "date",
    "received_at": "timestamptz",
    "sent_at": "timestamptz",
    "refund_of": "text",
    "till_id": "text",
    "receipt_seq": "bigint",
    "metadata": "jsonb",
    "remarks": "text",
}
PART_COLUMNS: Columns = {"tenant_id": "bigint", "transaction_id": "uuid", "position": "smallint"}
LINE_COLUMNS: Columns = {
    **PART_COLUMNS,
    "description": "text",
    "quantity": "bigint",
    "unit_price": "bigint",
    "line_total": "bigint",
    "sku": "text",
    "vat_rate": "bigint",
    "category": "text",
    "kind": "text",
}
PAYMENT_COLUMNS: Columns = {**PART_COLUMNS, "method": "text", "amount": "bigint", "tip_amount": "bigint"}


def sale_row(stored: StoredSale) -> Row:
    """The row of ``kasse_transaction``."""
    sale = stored.sale
    return {
        "id": stored.id,
        "tenant_id": stored.tenant_id,
        "source": stored.source,
        "status": stored.status,
        "external_ref": sale.external_ref,
        "fingerprint": stored.fingerprint,
        "api_key_id": stored.api_key_id,
        "payment_method": sale.payment_method,
        "currency": sale.currency,
        "total_amount": units_of(sale.total_amount, 2),
        "rounding_amount": units_of(sale.rounding_amount, 2),
        "tip_amount": units_of(sale.tip_amount, 2),
        "occurred_at": sale.occurred_at,
        "business_date": stored.business_date,
        "received_at": stored.received_at,
        "sent_at": sale.sent_at,
        "refund_of": sale.refund_of,
        "till_id": sale.till_id,
        "receipt_seq": sale.receipt_seq,
        "metadata": sale.metadata,
        "remarks": sale.remarks,
    }


def line_rows(sales: Iterable[StoredSale]) -> Iterator[Row]:
    """The rows of ``kasse_transactionitem``."""
    for stored in sales:
        for position, item in enumerate(stored.sale.items):
            yield _line_row(stored, position, item)


def _line_row(stored: StoredSale, position: int, item: NewItem) -> Row:
    return {
        "tenant_id": stored.tenant_id,
        "transaction_id": stored.id,
        "position": position,
        "description": item.description,
        "quantity": units_of(item.quantity, 3),
        "unit_price": units_of(item.unit_price, 4),
        "line_total": units_of(item.line_total, 2),
        "sku": item.sku,
        "vat_rate": None if item.vat_rate is None else units_of(item.vat_rate, 2),
        "category": item.category,
        "kind": item.kind,
    }


def payment_rows(sales: Iterable[StoredSale]) -> Iterator[Row]:
    """The rows of ``kasse_payment``."""
    for stored in sales:
        for position, payment in enumerate(stored.sale.payments):
            yield _payment_row(stored, position, payment)


def _payment_row(stored: StoredSale, position: int, payment: NewPayment) -> Row:
    return {
        "tenant_id": stored.tenant_id,
        "transaction_id": stored.id,
        "position": position,
        "method": payment.method,
        "amount": units_of(payment.amount, 2),
        "tip_amount": units_of(payment.tip_amount, 2),
    }
