"""What an import would bring, before it does: from its own rows, and from what the ledger knows of their days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Max, Min

from kasse.business_day import business_date
from kasse.closing_models import DailyClose
from kasse.models import PaymentMethod, Source, Transaction
from kasse.money import ZERO
from pos_bridge.explaining import Text
from pos_bridge.importing.columns import Layout
from pos_bridge.importing.models import SalesImport
from pos_bridge.importing.receipts import Receipt
from pos_bridge.importing.report import Said, said_of
from tenants.models import Tenant

SHOWN = 8


@dataclass(frozen=True, slots=True)
class SoldAlready:
    """A day of the file with outside sales that are not in it, or not under the same references."""

    day: date
    sales: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A receipt as it is read: when, how it was paid, what was sold; or what is wrong with it."""

    lines: tuple[int, ...]
    reference: str
    at: datetime | None = None
    paid: Text = ""
    sold: str = ""
    total: Decimal | None = None
    faults: Sequence[Said] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """The receipts of a file in figures; ``unreadable`` of them cannot be imported as they are.

    ``behind_us`` are days that are closed, or before one that is: what comes to them is late. ``sold_already`` are days
    that may be doubled, since the same sales may be there under other references: a till's own, or another import's.
    """

    receipts: int
    unreadable: int
    amount: Decimal
    days: int
    first: date | None
    last: date | None
    behind_us: int
    sold_already: list[SoldAlready]
    shown: list[Shown]


def preview_of(sales_import: SalesImport, receipts: Sequence[Receipt], layout: Layout) -> Preview:
    """Look at receipts as they were read; whether they keep the contract only trying them tells."""
    tenant = sales_import.tenant
    documents = [each.document for each in receipts if each.document]
    days = Counter(_day_of(each["occurred_at"], tenant) for each in documents)
    readable = [each for each in receipts if each.document]
    flawed = [each for each in receipts if not each.document]
    return Preview(
        receipts=len(receipts),
        unreadable=len(flawed),
        amount=sum((Decimal(each["total_amount"]) for each in documents), ZERO),
        days=len(days),
        first=min(days, default=None),
        last=max(days, default=None),
        behind_us=_behind_us(tenant, days),
        sold_already=_sold_already(tenant, days, {each.reference for each in readable}),
        shown=[_shown(each, layout, tenant) for each in (*flawed[: SHOWN // 2], *readable[:SHOWN])],
    )


def _shown(receipt: Receipt, layout: Layout, tenant: Tenant) -> Shown:
    document = receipt.document
    if document is None:
        return Shown(receipt.lines, receipt.reference, faults=said_of(receipt, layout))
    sold = "; ".join(f"{item['quantity']} × {item['description']}" for item in document["items"])
    return Shown(
        receipt.lines,
        receipt.reference,
        at=datetime.fromisoformat(document["occurred_at"]).astimezone(tenant.zone_info),
        paid=PaymentMethod(document["payment_method"]).label,
        sold=sold,
        total=Decimal(document["total_amount"]),
    )


def _day_of(occurred_at: str, tenant: Tenant) -> date:
    instant = datetime.fromisoformat(occurred_at)
    return business_date(instant, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)


def _behind_us(tenant: Tenant, days: Counter[date]) -> int:
    """How many of the days lie between the first close and the last; see ``kasse.late``."""
    closes = DailyClose.objects.of(tenant).aggregate(first=Min("business_date"), last=Max("business_date"))
    if closes["first"] is None:
        return 0
    return sum(closes["first"] <= day <= closes["last"] for day in days)


def _sold_already(tenant: Tenant, days: Counter[date], references: set[str]) -> list[SoldAlready]:
    if not days:
        return []
    sales = Transaction.objects.of(tenant).filter(
        business_date__range=(min(days), max(days)), source=Source.EXTERNAL_POS
    )
    others = sales.exclude(external_ref__in=references).values("business_date").annotate(sales=Count("pk"))
    rows = others.order_by("business_date").values_list("business_date", "sales")
    return [SoldAlready(day, sales) for day, sales in rows if day in days]
