"""A sale as the ORM reads it: what the ledger's own statement must agree with."""

from __future__ import annotations

from kasse.models import LineKind, Payment, PaymentMethod, Source, Status, Transaction, TransactionItem
from kasse.sales import NewItem, NewPayment, NewSale, StoredSale


def as_stored(row: Transaction) -> StoredSale:
    """The value of a row, of its lines and of its payments."""
    return StoredSale(
        id=row.pk,
        tenant_id=row.tenant_id,
        source=Source(row.source),
        status=Status(row.status),
        fingerprint=row.fingerprint,
        api_key_id=row.api_key_id,
        business_date=row.business_date,
        received_at=row.received_at,
        sale=sale_in(row),
    )


def sale_in(row: Transaction) -> NewSale:
    """What was sold."""
    return NewSale(
        external_ref=row.external_ref,
        payment_method=PaymentMethod(row.payment_method),
        currency=row.currency,
        total_amount=row.total_amount,
        rounding_amount=row.rounding_amount,
        tip_amount=row.tip_amount,
        items=tuple(item_in(line) for line in row.items.order_by("position")),
        payments=tuple(payment_in(payment) for payment in row.payments.order_by("position")),
        occurred_at=row.occurred_at,
        sent_at=row.sent_at,
        refund_of=row.refund_of,
        till_id=row.till_id,
        receipt_seq=row.receipt_seq,
        metadata=row.metadata,
        remarks=row.remarks,
    )


def item_in(line: TransactionItem) -> NewItem:
    return NewItem(
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        line_total=line.line_total,
        sku=line.sku,
        vat_rate=line.vat_rate,
        category=line.category,
        kind=LineKind(line.kind),
    )


def payment_in(payment: Payment) -> NewPayment:
    return NewPayment(method=PaymentMethod(payment.method), amount=payment.amount, tip_amount=payment.tip_amount)
