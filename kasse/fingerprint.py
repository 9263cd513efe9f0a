"""What makes two deliveries the same sale, and how two differ.

The fingerprint covers what is money and the day it counts for, computed from checked values, never from
bytes: ``12.5`` and ``12.50``, ``+02:00`` and ``Z``, another order of keys or lines are the same sale. It is
stored with its version; a change of the rules is a new version, and old rows keep theirs.

Source: wire contract, section 2, "What it answers"; ADR 0003.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from kasse.money import plain
from kasse.sales import NewItem, NewSale, StoredSale

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
    """``v1:`` and the SHA-256 of the money facts in canonical JSON: sorted keys, no blanks, ASCII."""
    text = msgspec.json.encode(facts, order="sorted")
    return f"{VERSION}:{hashlib.sha256(text).hexdigest()}"


def money_facts(sale: NewSale, *, business_date: date) -> Facts:
    """What must be equal for two deliveries to be one sale, in canonical form."""
    return {
        "business_date": msgspec.to_builtins(business_date),
        "currency": sale.currency,
        "payment_method": sale.payment_method.value,
        "total_amount": plain(sale.total_amount, places=2),
        "rounding_amount": plain(sale.rounding_amount, places=2),
        "tip_amount": plain(sale.tip_amount, places=2),
        "items": _sorted(
            {"quantity": plain(item.quantity), "line_total": plain(item.line_total, places=2)} for item in sale.items
        ),
        "payments": _sorted(
            {
                "method": each.method.value,
                "amount": plain(each.amount, places=2),
                "tip_amount": plain(each.tip_amount, places=2),
            }
            for each in sale.payments
        ),
    }


def _sorted(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """A multiset has no order of its own."""
    return sorted(rows, key=lambda row: tuple(row.values()))


def soft_differences(stored: NewSale, sent: NewSale) -> Iterator[Difference]:
    """Where two deliveries of one sale differ in what is not money: texts, time within the day, metadata.

    Lines are paired by amount and text, not by place; they are named by their place in what was sent. A
    VAT rate counts only where the till sent one: the stored one may come from the catalogue.
    """
    for name in ("occurred_at", "refund_of", "till_id", "receipt_seq", "metadata"):
        yield from _difference(name, getattr(stored, name), getattr(sent, name))
    for before, place, now in sorted(_paired_lines(stored, sent), key=lambda pair: pair[1]):
        for name in SOFT:
            yield from _difference(f"items[{place}].{name}", getattr(before, name), getattr(now, name))
        if now.vat_rate is not None:
            yield from _difference(f"items[{place}].vat_rate", before.vat_rate, now.vat_rate)


def money_differences(stored: StoredSale, sent: Facts) -> Iterator[Difference]:
    """The money facts in which a delivery is not the stored sale, in canonical form."""
    for name, value in money_facts(stored.sale, business_date=stored.business_date).items():
        yield from _difference(name, value, sent[name])


def _difference(name: str, stored: Any, sent: Any) -> Iterator[Difference]:
    if stored != sent:
        yield Difference(name, stored, sent)


def _paired_lines(stored: NewSale, sent: NewSale) -> Iterator[tuple[NewItem, int, NewItem]]:
    """Each stored line with the sent one of the same money: first those that are the same in all, then the rest.

    Of lines that are the same in all but their VAT rate, those with a rate of their own choose first.
    """
    unpaired = defaultdict(list)
    for line in stored.items:
        unpaired[_whole(line)].append(line)
    changed = []
    for place, line in sorted(enumerate(sent.items), key=lambda pair: pair[1].vat_rate is None):
        if same := unpaired[_whole(line)]:
            yield same.pop(_place_of_rate(same, line.vat_rate)), place, line
        else:
            changed.append((place, line))
    left = sorted((line for lines in unpaired.values() for line in lines), key=_whole)
    for before, (place, now) in zip(left, sorted(changed, key=lambda pair: _whole(pair[1])), strict=True):
        yield before, place, now


def _place_of_rate(lines: list[NewItem], rate: Decimal | None) -> int:
    """Where the first line with this VAT rate is; the first of all, if there is none."""
    return next((place for place, line in enumerate(lines) if line.vat_rate == rate), 0)


def _whole(item: NewItem) -> tuple[Any, ...]:
    return (item.quantity, item.line_total, *(getattr(item, name) for name in SOFT))
