"""Free search: what the words in the search box may mean.

A whole reference or id is found whenever it was, along a unique key. Whatever else a word may mean (part of a
reference, an article, a receipt number, an amount) stands in no index, and is looked for within ``MOST_DAYS`` days at
most: ten years of sales are not read for one word.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from kasse.models import Transaction, TransactionItem

MOST_DAYS = 31
AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,9})(?:[.,](?P<places>\d{1,2}))?")
ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RECEIPT = re.compile(r"[0-9]{1,16}")
SHORT_ID = re.compile(r"[0-9a-f]{8}")


def reads_texts(first: date | None, last: date | None) -> bool:
    """Whether the days are few enough to look into every sale."""
    return first is not None and last is not None and last - first < timedelta(days=MOST_DAYS)


def named(words: str) -> Q:
    """The sale whose reference or id is exactly this."""
    found = Q(external_ref=words)
    if ID.fullmatch(words.lower()):
        found |= Q(pk=UUID(words))
    return found


def matching(words: str) -> Q:
    """Sales that the words may mean: by reference, id as it is shown, text of a line, receipt number, or amount."""
    lines = TransactionItem.objects.of(OuterRef("tenant")).filter(transaction=OuterRef("pk"))
    found = named(words) | Q(external_ref__icontains=words) | Q(Exists(lines.filter(description__icontains=words)))
    if SHORT_ID.fullmatch(words.lower()):
        found |= Q(pk__iendswith=words)
    if RECEIPT.fullmatch(words):
        found |= Q(receipt_seq=int(words))
    return found | Q(total_amount__in=amounts_in(words))


def amounts_in(words: str) -> list[Decimal]:
    """What amounts a person may mean: ``12,50`` is 12.50, and a refund of it; ``-12.50`` a refund alone."""
    typed = AMOUNT.fullmatch(words.replace("'", "").replace("’", ""))
    if typed is None or not typed["whole"].isascii():
        return []
    amount = Decimal(f"{typed['whole']}.{typed['places'] or 0}")
    return [-amount] if typed["sign"] else [amount, -amount]


def short_id(sale: Transaction) -> str:
    """The last eight digits of the id: the first ones are time, and alike for all sales of a minute."""
    return sale.pk.hex[-8:]
