"""Sales out of the tables as values: one statement for a sale with its lines and payments, on either engine.

The ORM needs three statements and three times the work for what every retry and every read-back asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from catalogue.exact_decimals import number_of
from kasse.models import LineKind, PaymentMethod, Source, Status
from kasse.rows import SALE_COLUMNS
from kasse.sales import NewItem, NewPayment, NewSale, StoredSale
from kasse.sqlite import from_json, in_utc, on_sqlite
from kasse.statements import execute
from tenants.fence import CARRIED, here, is_standing
from tenants.models import Tenant

_TEXT = """
    SELECT {columns},
        (SELECT {list}({row}(description, quantity, unit_price, line_total, sku, vat_rate, category, kind, position))
            FROM kasse_transactionitem AS l WHERE l.tenant_id = t.tenant_id AND l.transaction_id = t.id),
        (SELECT {list}({row}(method, amount, tip_amount, position))
            FROM kasse_payment AS p WHERE p.tenant_id = t.tenant_id AND p.transaction_id = t.id)
    FROM kasse_transaction AS t
    WHERE tenant_id = %(tenant)s AND external_ref {among}
"""
_COLUMNS = ", ".join(SALE_COLUMNS)
POSTGRESQL = _TEXT.format(
    columns=_COLUMNS,
    list="json_agg",
    row="json_build_array",
    # An array, and not a list to be joined with: however few sales there are, each is looked up by its unique key.
    among="= ANY (ARRAY(SELECT json_array_elements_text(%(refs)s::json)))",
)
# What asks for the fence, and is not to be merged with the rest of the statement, is begun after it.
BEHIND_THE_FENCE = (
    f"WITH {CARRIED} SELECT found.* "  # noqa: S608 (both are ours)
    f"FROM fence, LATERAL ({POSTGRESQL} AND fence.set_config IS NOT NULL OFFSET 0) AS found"
)
"""Puts the fence up itself, which else takes two exchanges more."""
SQLITE = _TEXT.format(
    columns=_COLUMNS,
    list="json_group_array",
    row="json_array",
    among="IN (SELECT value FROM json_each(%(refs)s))",
)


def sales_under(tenant: Tenant, references: Iterable[str]) -> dict[str, StoredSale]:
    """The outside sales that hold these references at a campground, by reference."""
    values: dict[str, Any] = {
        "tenant": tenant.pk,
        "refs": msgspec.json.encode(list(references)).decode(),
        "fence": here(),
    }
    found = [_stored(row) for row in execute(_statement(), values).fetchall()]
    return {stored.sale.external_ref or "": stored for stored in found}


def _statement() -> str:
    if on_sqlite():
        return SQLITE
    return BEHIND_THE_FENCE if is_standing() else POSTGRESQL


def _stored(row: tuple[Any, ...]) -> StoredSale:
    sale = dict(zip(SALE_COLUMNS, row, strict=False))
    lines, payments = (sorted(from_json(column) or [], key=lambda part: part[-1]) for column in row[-2:])
    return StoredSale(
        id=UUID(str(sale["id"])),
        tenant_id=sale["tenant_id"],
        source=Source(sale["source"]),
        status=Status(sale["status"]),
        fingerprint=sale["fingerprint"],
        api_key_id=sale["api_key_id"],
        business_date=sale["business_date"],
        received_at=in_utc(sale["received_at"]),
        sale=NewSale(
            external_ref=sale["external_ref"],
            payment_method=PaymentMethod(sale["payment_method"]),
            currency=sale["currency"],
            total_amount=number_of(sale["total_amount"], 2),
            rounding_amount=number_of(sale["rounding_amount"], 2),
            tip_amount=number_of(sale["tip_amount"], 2),
            items=tuple(_item(*line) for line in lines),
            payments=tuple(_payment(*payment) for payment in payments),
            occurred_at=in_utc(sale["occurred_at"]),
            sent_at=sale["sent_at"] and in_utc(sale["sent_at"]),
            refund_of=sale["refund_of"],
            till_id=sale["till_id"],
            receipt_seq=sale["receipt_seq"],
            metadata=from_json(sale["metadata"]),
            remarks=sale["remarks"],
        ),
    )


def _item(  # noqa: PLR0917 (the columns of the statement above)
    description: str,
    quantity: int,
    unit_price: int,
    line_total: int,
    sku: str,
    vat_rate: int | None,
    category: str,
    kind: str,
    _position: int,
) -> NewItem:
    return NewItem(
        description=description,
        quantity=number_of(quantity, 3),
        unit_price=number_of(unit_price, 4),
        line_total=number_of(line_total, 2),
        sku=sku,
        vat_rate=None if vat_rate is None else number_of(vat_rate, 2),
        category=category,
        kind=LineKind(kind),
    )


def _payment(method: str, amount: int, tip_amount: int, _position: int) -> NewPayment:
    return NewPayment(method=PaymentMethod(method), amount=number_of(amount, 2), tip_amount=number_of(tip_amount, 2))
