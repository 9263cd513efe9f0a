"""What makes two deliveries the same sale, and how two differ.

The fingerprint covers what is money and the day it counts for, computed from checked values, never from
bytes: ``12.5`` and ``12.50``, ``+02:00`` and ``Z``, another order of keys or lines are the same sale. It is
stored with its version; a change of the rules is a new version, and old rows keep theirs.

Source: wire contract, section 2, "What it answers"; ADR 0003.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from kasse.models import Transaction, TransactionItem
from kasse.money import plain
from kasse.sales import NewItem, NewSale

VERSION = "v1"
# What of a line is no money.
SOFT = ("description", "unit_price", "sku", "category", "kind")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which a delivery is not what is stored; both values as they are compared."""

    field: str
    stored: Any
    sent: Any


Facts = dict[str, Any]


def fingerprint_of(facts: Facts) -> str:
    """``v1:`` and the SHA-256 of the money facts in canonical JSON."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{VERSION}:{hashlib.sha256(text.encode()).hexdigest()}"


def money_facts(sale: NewSale | Transaction, *, business_date: date) -> Facts:
    """What must be equal for two deliveries to be one sale, in canonical form."""
    return {
        "business_date": business_date.isoformat(),
        "currency": sale.currency,
        "payment_method": str(sale.payment_method),
        "total_amount": plain(sale.total_amount, places=2),
        "rounding_amount": plain(sale.rounding_amount, places=2),
        "tip_amount": plain(sale.tip_amount, places=2),
        "items": _sorted(
            {"quantity": plain(item.quantity), "line_total": plain(item.line_total, places=2)} for item in _items(sale)
        ),
        "payments": _sorted(
            {
                "method": str(each.method),
                "amount": plain(each.amount, places=2),
                "tip_amount": plain(each.tip_amount, places=2),
            }
            for each in _payments(sale)
        ),
    }


def _sorted(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """A multiset has no order of its own."""
    return sorted(rows, key=lambda row: tuple(row.values()))


def soft_differences(stored: Transaction, sent: NewSale) -> Iterator[Difference]:
    """Where two deliveries of one sale differ in what is not money: texts, time within the day, metadata.

    Lines are paired by amount and text, not by place; they are named by their place in what was sent. A
    VAT rate counts only where the till sent one: the stored one may come from the catalogue.
    """
    for name in ("occurred_at", "refund_of", "metadata"):
        yield from _difference(name, getattr(stored, name), getattr(sent, name))
    for before, place, now in sorted(_paired_lines(stored, sent), key=lambda pair: pair[1]):
        for name in SOFT:
            yield from _difference(f"items[{place}].{name}", getattr(before, name), getattr(now, name))
        if now.vat_rate is not None:
            yield from _difference(f"items[{place}].vat_rate", before.vat_rate, now.vat_rate)


def money_differences(stored: Transaction, sent: Facts) -> Iterator[Difference]:
    """The money facts in which a delivery is not the stored sale, in canonical form."""
    for name, value in money_facts(stored, business_date=stored.business_date).items():
        yield from _difference(name, value, sent[name])


def _difference(name: str, stored: Any, sent: Any) -> Iterator[Difference]:
    if stored != sent:
        yield Difference(name, stored, sent)


def _paired_lines(stored: Transaction, sent: NewSale) -> Iterator[tuple[TransactionItem, int, NewItem]]:
    """Each stored line with the sent one of the same money: first those that are the same in all, then the rest."""
    unpaired = defaultdict(list)
    for line in _items(stored):
        unpaired[_whole(line)].append(line)
    changed = []
    for place, line in enumerate(sent.items):
        if same := unpaired[_whole(line)]:
            yield same.pop(), place, line
        else:
            changed.append((place, line))
    left = sorted((line for lines in unpaired.values() for line in lines), key=_whole)
    for before, (place, now) in zip(left, sorted(changed, key=lambda pair: _whole(pair[1])), strict=True):
        yield before, place, now


def _whole(item: NewItem | TransactionItem) -> tuple[Any, ...]:
    return (item.quantity, item.line_total, *(getattr(item, name) for name in SOFT))


def _items(sale: NewSale | Transaction) -> Iterable[Any]:
    return sale.items if isinstance(sale, NewSale) else sale.items.order_by("position")


def _payments(sale: NewSale | Transaction) -> Iterable[Any]:
    return sale.payments if isinstance(sale, NewSale) else sale.payments.order_by("position")
