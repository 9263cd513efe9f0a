"""Sales in a ledger, staff before its list, and what they see there."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.test import Client

from apikeys.models import ApiKey
from kasse.models import PaymentMethod, Source, Transaction
from kasse.recording import record_transaction
from kasse.sales import NewSale
from tenants.models import Role, Tenant
from tests.factories import member
from tests.kasse.sales import DAY, breakfast, coffee, croissant, paid

LIST = "/kasse/transaktionen"
OF_DAY = f"date_from={DAY}&date_to={DAY}"
ALWAYS = "date_from=&date_to="
MOST_QUERIES = 8
NUMBERS = count(1)


def record(
    tenant: Tenant,
    *,
    key: ApiKey | None = None,
    source: Source = Source.EXTERNAL_POS,
    received_at: datetime | None = None,
    **changes: Any,
) -> Transaction:
    """A breakfast in the ledger, under a reference of its own unless one is given."""
    reference = f"T-{next(NUMBERS):04}" if source is Source.EXTERNAL_POS else None
    sale: NewSale = breakfast(**{"external_ref": reference, **changes})
    recorded = record_transaction(
        tenant=tenant,
        sale=sale,
        source=source,
        received_at=received_at or sale.occurred_at + timedelta(seconds=2),
        api_key=key,
    )
    return Transaction.objects.get(pk=recorded.stored.id)


def refund(tenant: Tenant, amount: str = "-12.50", **changes: Any) -> Transaction:
    """Money given back."""
    line = croissant(quantity=Decimal(-1), unit_price=abs(Decimal(amount)), line_total=Decimal(amount))
    fields = {"total_amount": Decimal(amount), "items": (line,), "payments": (paid(amount),), **changes}
    return record(tenant, **fields)


def mixed(tenant: Tenant, *, in_cash: str = "2.50", by_card: str = "10.00", **changes: Any) -> Transaction:
    """Partly in cash, partly by card."""
    total = Decimal(in_cash) + Decimal(by_card)
    line = coffee(unit_price=total, line_total=total)
    payments = (paid(in_cash), paid(by_card, PaymentMethod.CARD))
    fields = {"payment_method": PaymentMethod.MIXED, "total_amount": total, "items": (line,), "payments": payments}
    return record(tenant, **{**fields, **changes})


def at_work(tenant: Tenant, role: Role = Role.STAFF) -> Client:
    """A browser in which somebody of the campground is signed in."""
    browser = Client()
    browser.force_login(member(tenant, role))
    return browser


def shown(response: Any) -> str:
    """The page, which must have opened."""
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def listed(page: str) -> list[str]:
    """The ids of the sales on a page, in its order."""
    return re.findall(r'data-sale="([^"]*)"', page)


def ids(*sales: Transaction) -> set[str]:
    """Their ids, as pages write them."""
    return {str(sale.pk) for sale in sales}


def sum_of(page: str, name: str) -> Decimal:
    """One of the sums above the list."""
    (amount,) = re.findall(rf'data-sum="{name}" data-amount="([^"]*)"', page)
    return Decimal(amount)


def chips(page: str) -> dict[str, tuple[int, Decimal]]:
    """Count and amount of each payment method."""
    found = re.findall(r'data-method="([A-Z_]+)" data-count="(\d+)" data-amount="([^"]*)"', page)
    return {method: (int(number), Decimal(amount)) for method, number, amount in found}


def link(page: str, name: str) -> str | None:
    """Where a link of this id leads, as a path with its query."""
    found = re.search(rf'<a [^>]*id="{name}"[^>]*>', page)
    if found is None:
        return None
    (address,) = re.findall(r'href="([^"]*)"', found[0])
    address = address.replace("&amp;", "&")
    return f"{LIST}{address}" if address.startswith("?") else address
