"""A page of a campground's products, and how many there are: one statement, without an object for each.

Tills ask for them again and again, and mostly hear that nothing has changed.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.functional import cached_property

from catalogue.exact_decimals import number_of
from kasse.sqlite import for_sqlite, in_utc, on_sqlite
from kasse.statements import execute
from tenants.models import Tenant

_TEXT = """
    SELECT count(*) OVER (), id, sku, name, category, unit_price, vat_rate, active, updated_at FROM catalogue_product
    WHERE tenant_id = %(tenant)s {wish} ORDER BY sku, id LIMIT %(size)s OFFSET %(first)s
"""
ALL, ACTIVE, CHANGED = (_TEXT.format(wish=wish) for wish in ("", "AND active", "AND updated_at >= %(since)s"))
FARTHEST = 2**31
"""More products than anybody has, and fewer than a database refuses to skip."""


class Listed(NamedTuple):
    """A product as tills may read it, and how many there are in all."""

    total: int
    id: int
    sku: str
    name: str
    category: str
    unit_price: Decimal
    vat_rate: Decimal
    active: bool
    updated_at: datetime


class ProductPage:
    """What Django's paginator takes for a list: it counts, and then takes the only page that is ever read."""

    def __init__(self, tenant: Tenant, query: dict[str, Any], *, size: int, first: int) -> None:
        """``query`` as ``ProductQuery`` has checked it; ``first`` is how many products come before the page."""
        self.statement = CHANGED if "updated_since" in query else ALL if query.get("include_inactive") else ACTIVE
        # A rehearsal sells what its campground does.
        values = {"tenant": abs(tenant.pk), "size": size, "first": min(first, FARTHEST)}
        self.values = {**values, "since": query.get("updated_since")}

    def count(self) -> int:
        """How many there are in all; 0 as well where the page lies past the end."""
        return self._rows[0].total if self._rows else 0

    def __getitem__(self, page: slice) -> list[Listed]:
        return self._rows

    @cached_property
    def _rows(self) -> list[Listed]:
        values = for_sqlite(self.values) if on_sqlite() else self.values
        return [_listed(row) for row in execute(self.statement, values).fetchall()]


def _listed(row: tuple[Any, ...]) -> Listed:
    total, id_, sku, name, category, price, rate, active, updated_at = row
    amounts = number_of(price, 2), number_of(rate, 2)
    return Listed(total, id_, sku, name, category, *amounts, bool(active), in_utc(updated_at))
