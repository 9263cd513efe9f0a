"""What a till may tell of its day, to have it compared: its sales, or only what its Z-report says.

Source: API reference, "POST reconciliations/".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import translation
from rest_framework import serializers

from kasse.models import TENDERS
from pos_bridge.contract import OPTIONAL, RowSerializer, list_of
from pos_bridge.faults import Fault, Refused, faults_in
from pos_bridge.fields import DayField, ExactField, MoneyField, ReferenceField, StrictChoiceField
from pos_bridge.splitting import require_so_many

MOST_ROWS = 10_000
MOST_FAULTS = 100


class CountField(ExactField):
    """How many: a whole number, 0 or more."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(places=0, min_value=0, **kwargs)


class ToldSaleSerializer(RowSerializer):
    """A sale by its reference and total."""

    external_ref = ReferenceField()
    total_amount = MoneyField()


class ToldPaymentSerializer(RowSerializer):
    """What was taken in one way."""

    method = StrictChoiceField(choices=[(method.value, method.label) for method in TENDERS])
    amount = MoneyField()


class ToldTotalsSerializer(RowSerializer):
    """What the till's Z-report says."""

    count = CountField()
    total_amount = MoneyField()
    payments = list_of(ToldPaymentSerializer(), most=len(TENDERS), **OPTIONAL)


class DaySerializer(serializers.Serializer[Any]):
    """A till's day."""

    business_date = DayField()
    transactions: Any = serializers.ListSerializer(
        child=ToldSaleSerializer(),
        max_length=MOST_ROWS,
        error_messages={"not_a_list": "Expected a list of items."},
        **OPTIONAL,
    )
    totals = ToldTotalsSerializer(**OPTIONAL)


@dataclass(frozen=True, slots=True)
class ToldTotals:
    """So many sales, what they came to, and how that was paid, as far as the till says."""

    count: int
    total_amount: Decimal
    payments: Mapping[str, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class ToldDay:
    """A till's day: the total of each sale by its reference, or totals alone."""

    business_date: date
    sales: Mapping[str, Decimal] | None = None
    totals: ToldTotals | None = None


def read_day(document: Mapping[str, Any]) -> ToldDay:
    """Turn a till's document, as ``strict_json.read_json()`` gives it, into a day.

    Raises:
        Refused: with its faults, a hundred at most.
    """
    told = document.get("transactions")
    if isinstance(told, list):
        require_so_many(told, "transactions", most=MOST_ROWS)
    with translation.override("en"):
        # Django REST framework's stock sentences; the cashier's language is another matter.
        serializer = DaySerializer(data=document)
        faults = [] if serializer.is_valid() else list(faults_in(serializer.errors))
    faults = faults or _faults_between(serializer.validated_data)
    if faults:
        raise Refused(faults[:MOST_FAULTS])
    return _day(serializer.validated_data)


def _faults_between(sent: Mapping[str, Any]) -> list[Fault]:
    if sent["transactions"] is None and sent["totals"] is None:
        return [Fault(("transactions",), "required", "Send these, or totals.")]
    if sent["transactions"] is not None and sent["totals"] is not None:
        return [Fault(("transactions",), "both", "Not together with totals.")]
    return [*_repeated(sent, "transactions", "external_ref"), *_repeated(sent["totals"] or {}, "payments", "method")]


def _repeated(sent: Mapping[str, Any], rows: str, name: str) -> list[Fault]:
    """What stands twice in a list where each may stand once."""
    path = (rows,) if rows == "transactions" else ("totals", rows)
    seen: Counter[str] = Counter()
    faults = []
    for place, row in enumerate(sent.get(rows) or []):
        seen[row[name]] += 1
        if seen[row[name]] > 1:
            faults.append(Fault((*path, place, name), "repeated", "Stands twice."))
    return faults


def _day(sent: Mapping[str, Any]) -> ToldDay:
    day = sent["business_date"]
    if sent["transactions"] is not None:
        return ToldDay(day, sales={row["external_ref"]: row["total_amount"] for row in sent["transactions"]})
    totals = sent["totals"]
    paid = totals["payments"]
    by_method = None if paid is None else {row["method"]: row["amount"] for row in paid}
    return ToldDay(day, totals=ToldTotals(int(totals["count"]), totals["total_amount"], by_method))
