"""One figure for a campground's whole ledger: the same on both engines, before a backup and after it, here and there.

Every column of every sale goes into it, with its lines and payments, in the order in which the sales arrived. A change
of one Rappen, a line that is missing, two sales in another order make another figure. It holds between databases of one
version: a new column is in it too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db.models import Model

from kasse.models import Transaction
from tenants.fence import within
from tenants.models import Tenant

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class LedgerDigest:
    """How many sales a ledger has, and the SHA-256 of all of them."""

    sales: int
    sha256: str


def digest_of(tenant: Tenant, *, using: str | None = None) -> LedgerDigest:
    """The digest of a campground's ledger, in one pass; ``using`` names another database."""
    digest, sales = hashlib.sha256(), 0
    with within(tenant):
        for sale in canonical_sales(tenant, using=using):
            digest.update(sale)
            sales += 1
    return LedgerDigest(sales, digest.hexdigest())


def canonical_sales(tenant: Tenant, *, using: str | None = None) -> Iterator[bytes]:
    """Each sale as one line, in the order of arrival; some at a time are in memory."""
    rows = Transaction.objects.of(tenant).using(using).order_by("source", "received_at", "id")
    for sale in rows.prefetch_related("items", "payments").iterator(chunk_size=AT_ONCE):
        by_position = attrgetter("position")
        parts = [sale, *sorted(sale.items.all(), key=by_position), *sorted(sale.payments.all(), key=by_position)]
        yield json.dumps([canonical_row(part) for part in parts], ensure_ascii=False).encode() + b"\n"


def canonical_row(row: Model) -> dict[str, Any]:
    """A row by column, without what belongs to an engine: every value in one spelling."""
    return {name: canonical(getattr(row, name)) for name in sorted(f.attname for f in row._meta.concrete_fields)}


def canonical(value: Any) -> Any:
    """A value in one spelling."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="microseconds")
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value if isinstance(value, int | str | bool | None) else str(value)
