"""The one door into the ledger.

Errors::

    ExternalRefConflict    the reference exists with other money or another day
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from apikeys.models import ApiKey
from kasse.business_day import business_date
from kasse.fingerprint import Difference, fingerprint_of, money_differences, money_facts, soft_differences
from kasse.ids import make_id
from kasse.models import Payment, Source, Transaction, TransactionItem
from kasse.sales import NewSale
from kasse.vat import resolve_vat
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a sale: a new record, or the one that was there before.

    ``differences`` names the soft fields in which a retry was not what is stored; nothing is overwritten.
    """

    transaction: Transaction
    created: bool
    differences: tuple[Difference, ...] = ()


class ExternalRefConflict(Exception):
    """The reference belongs to a sale with other money or of another day; that one stays untouched."""

    def __init__(self, stored: Transaction, fingerprint: str, differences: tuple[Difference, ...]) -> None:
        super().__init__("external_ref_conflict")
        self.stored = stored
        self.fingerprint = fingerprint
        self.differences = differences


def record_transaction(
    *,
    tenant: Tenant,
    sale: NewSale,
    source: Source,
    received_at: datetime,
    api_key: ApiKey | None = None,
    default_vat_rate: Decimal | None = None,
) -> Recorded:
    """Record a sale once, however often the till sends it.

    Amounts are in the tenant's currency, two decimals, VAT included; a refund is negative.
    Two tills racing on one reference meet at the constraint ``transaction_external_ref_per_tenant``:
    one inserts, the other waits for it and reads what it wrote. Lines without a VAT rate get their product's,
    else ``default_vat_rate`` (percent), as far as it holds on that day.

    Raises:
        ExternalRefConflict: the reference exists with other money or another day.

    Source: product page, "Idempotent on external_ref"; ADR 0003.
    """
    day = business_date(sale.occurred_at, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
    new = Transaction(
        id=make_id(received_at),
        tenant=tenant,
        source=source,
        external_ref=sale.external_ref,
        fingerprint=fingerprint_of(money_facts(sale, business_date=day)),
        api_key=api_key,
        payment_method=sale.payment_method,
        currency=sale.currency,
        total_amount=sale.total_amount,
        rounding_amount=sale.rounding_amount,
        tip_amount=sale.tip_amount,
        occurred_at=sale.occurred_at,
        business_date=day,
        received_at=received_at,
        sent_at=sale.sent_at,
        refund_of=sale.refund_of,
        metadata=sale.metadata,
    )
    with transaction.atomic():
        # ON CONFLICT DO NOTHING waits for a racing twin, and leaves no error in the database's log.
        Transaction.objects.bulk_create([new], ignore_conflicts=True)
        stored = _read_winner(new)
        if stored.pk != new.pk:
            return _compare_with(stored, sale)
        _write_lines(new, sale, default_vat_rate)
    return Recorded(new, created=True)


def _read_winner(new: Transaction) -> Transaction:
    """The row that now holds the reference: ours, or that of whoever was first."""
    rows = Transaction.objects.of(new.tenant)
    if new.external_ref is None:
        return rows.get(pk=new.pk)
    return rows.get(external_ref=new.external_ref)


def _write_lines(new: Transaction, sale: NewSale, default_vat_rate: Decimal | None) -> None:
    vat_rates = resolve_vat(
        tenant=new.tenant, day=new.business_date, items=sale.items, default_vat_rate=default_vat_rate
    )
    TransactionItem.objects.bulk_create(
        TransactionItem(
            tenant=new.tenant,
            transaction=new,
            position=position,
            description=item.description,
            quantity=item.quantity,
            unit_price=item.unit_price,
            line_total=item.line_total,
            sku=item.sku,
            vat_rate=vat_rate,
            category=item.category,
            kind=item.kind,
        )
        for position, (item, vat_rate) in enumerate(zip(sale.items, vat_rates, strict=True))
    )
    Payment.objects.bulk_create(
        Payment(
            tenant=new.tenant,
            transaction=new,
            position=position,
            method=payment.method,
            amount=payment.amount,
            tip_amount=payment.tip_amount,
        )
        for position, payment in enumerate(sale.payments)
    )


def _compare_with(stored: Transaction, sale: NewSale) -> Recorded:
    """Tell a retry from another sale under the same reference."""
    facts = money_facts(sale, business_date=_day_in_the_light_of(stored, sale))
    fingerprint = fingerprint_of(facts)
    if fingerprint != stored.fingerprint:
        differences = tuple(money_differences(stored, facts))
        raise ExternalRefConflict(stored, fingerprint, differences)
    return Recorded(stored, created=False, differences=tuple(soft_differences(stored, sale)))


def _day_in_the_light_of(stored: Transaction, sale: NewSale) -> date:
    """The same instant is the same day, even if the campground has moved its cut-off hour in between."""
    if sale.occurred_at == stored.occurred_at:
        return stored.business_date
    return business_date(sale.occurred_at, zone=stored.tenant.zone_info, cutoff_hour=stored.tenant.cutoff_hour)
