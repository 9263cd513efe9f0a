"""The list of sales, a page at a time, newest first.

A page begins at a place, not at a number: after the sale that stood last on the one before. So the hundredth page
costs what the first one does, along ``transaction_by_time``; and whatever is sold in the meantime, no sale is shown
twice or left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Self
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from kasse.marks import Mark, marks_of
from kasse.models import Transaction, TransactionItem
from kasse.searching import short_id
from tenants.models import Tenant

PAGE_SIZE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NEWEST_FIRST = ("-occurred_at", "-id")
FIRST_TEXTS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Between two sales of the list: right after, or right before, the one of this instant and id."""

    occurred_at: datetime
    id: UUID

    @classmethod
    def of(cls, sale: Transaction) -> Self:
        """Where a sale stands."""
        return cls(sale.occurred_at, sale.pk)

    @classmethod
    def read(cls, text: str) -> Self:
        """The place that an address names.

        Raises:
            ValueError: no page has ever named it so.
        """
        parts = re.fullmatch(r"([0-9]{1,17})-([0-9a-f]{32})", text)
        if parts is None:
            raise ValueError(text)
        return cls(EPOCH + timedelta(microseconds=int(parts[1])), UUID(parts[2]))

    def __str__(self) -> str:
        return f"{(self.occurred_at - EPOCH) // timedelta(microseconds=1)}-{self.id.hex}"

    @property
    def older(self) -> Q:
        """What comes after it in the list. The first condition alone leads along the index."""
        return Q(occurred_at__lte=self.occurred_at) & (Q(occurred_at__lt=self.occurred_at) | Q(id__lt=self.id))

    @property
    def newer(self) -> Q:
        """What comes before it in the list."""
        return Q(occurred_at__gte=self.occurred_at) & (Q(occurred_at__gt=self.occurred_at) | Q(id__gt=self.id))


@dataclass(frozen=True, slots=True)
class Page:
    """Some sales in the order of the list, and where its neighbours begin; None where there are none."""

    sales: Sequence[Transaction]
    newer: Place | None = None
    older: Place | None = None


def page_of(
    sales: QuerySet[Transaction], *, after: Place | None = None, before: Place | None = None, size: int = PAGE_SIZE
) -> Page:
    """The first page, the one after a place, or the one before it."""
    if before is not None:
        return _page_before(sales, before, size)
    rows = list((sales.filter(after.older) if after else sales).order_by(*NEWEST_FIRST)[: size + 1])
    shown, more = rows[:size], len(rows) > size
    # Where nothing older is left, the way back leads over the place itself.
    back = (Place.of(shown[0]) if shown else after) if after else None
    return Page(shown, newer=back, older=Place.of(shown[-1]) if more else None)


def _page_before(sales: QuerySet[Transaction], place: Place, size: int) -> Page:
    """Read upwards. What does not fill a page above it is the first page, and that one is shown whole."""
    rows = list(sales.filter(place.newer).order_by("occurred_at", "id")[: size + 1])
    if len(rows) <= size:
        return page_of(sales, size=size)
    shown = rows[:size][::-1]
    return Page(shown, newer=Place.of(shown[0]), older=Place.of(shown[-1]))


@dataclass(frozen=True, slots=True)
class Row:
    """A sale as the list shows it. ``texts`` are those of its first lines, ``more`` is how many lines follow."""

    sale: Transaction
    till: str
    texts: Sequence[str]
    line_count: int

    @property
    def short_id(self) -> str:
        """As receipts show it."""
        return short_id(self.sale)

    @property
    def marks(self) -> list[Mark]:
        """What makes it worth a second look."""
        return marks_of(self.sale)

    @property
    def more(self) -> int:
        """How many lines are not named."""
        return self.line_count - len(self.texts)


def rows_of(tenant: Tenant, sales: Sequence[Transaction], tills: Mapping[int, str]) -> list[Row]:
    """The sales with what their first lines say: one statement, whatever the number of lines."""
    firsts = {f"text{place}": Max("description", filter=Q(position=place)) for place in range(FIRST_TEXTS)}
    lines = TransactionItem.objects.of(tenant).filter(transaction__in=[sale.pk for sale in sales])
    found = {
        each["transaction_id"]: (each["lines"], [each[name] for name in firsts if each[name]])
        for each in lines.values("transaction_id").annotate(lines=Count("position"), **firsts)
    }
    return [Row(sale, tills.get(sale.api_key_id or 0, ""), *_lines(found.get(sale.pk))) for sale in sales]


def _lines(found: tuple[int, list[str]] | None) -> tuple[list[str], int]:
    count, texts = found or (0, [])
    return texts, count
