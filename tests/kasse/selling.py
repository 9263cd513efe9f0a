"""Sales of one line and one payment, and closes of their days, for tests of what comes after the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from kasse.cash import CountedCash
from kasse.closing import close_day
from kasse.closing_models import DailyClose
from kasse.models import LineKind, PaymentMethod, Source
from kasse.recording import record_transaction
from kasse.sales import NewItem, NewPayment, NewSale
from tenants.models import Tenant
from tests.kasse.sales import DAY

NUMBERS = count(1)


def sell(
    tenant: Tenant,
    amount: str = "12.50",
    *,
    method: PaymentMethod = PaymentMethod.CASH,
    source: Source = Source.FRONT_DESK,
    day: date = DAY,
    rate: str | None = "8.1",
    category: str = "Shop",
    kind: LineKind = LineKind.SALE,
    tip: str = "0.00",
    rounding: str = "0.00",
    reference: str | None = None,
) -> UUID:
    """Record a sale of one line at three in the afternoon; what it is known by."""
    total, rounded = Decimal(amount), Decimal(rounding)
    line = NewItem(
        description="Gasflasche",
        quantity=Decimal(1 if total >= 0 else -1),
        unit_price=abs(total - rounded),
        line_total=total - rounded,
        vat_rate=None if rate is None else Decimal(rate),
        category=category,
        kind=kind,
    )
    occurred_at = datetime.combine(day, time(13), tzinfo=UTC)
    sale = NewSale(
        external_ref=reference or f"T-{next(NUMBERS)}" if source is Source.EXTERNAL_POS else None,
        payment_method=method,
        currency=tenant.currency,
        total_amount=total,
        rounding_amount=rounded,
        tip_amount=Decimal(tip),
        items=(line,),
        payments=(NewPayment(method=method, amount=total, tip_amount=Decimal(tip)),),
        occurred_at=occurred_at,
    )
    recorded = record_transaction(tenant=tenant, sale=sale, source=source, received_at=occurred_at)
    return recorded.stored.id


def evening(day: date = DAY) -> datetime:
    """Half past nine on the campground's clock, in summer."""
    return datetime.combine(day, time(19, 30), tzinfo=UTC)


def cash(amount: str) -> CountedCash:
    """Counted as a sum."""
    return CountedCash(other=Decimal(amount))


def close(tenant: Tenant, day: date = DAY, counted: str = "0.00", **changes: Any) -> DailyClose:
    """Close a day in its evening; a difference is explained."""
    fields = {"by": None, "at": evening(day), "variance_reason": "Wechselgeld falsch herausgegeben", **changes}
    return close_day(tenant=tenant, day=day, counted=cash(counted), **fields)


def tomorrow(day: date = DAY, days: int = 1) -> date:
    return day + timedelta(days=days)
