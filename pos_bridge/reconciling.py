"""The evening handshake: a till's day against ours, what is in the one and not in the other, kept as evidence.

Compared is what came through the till's own key. A sale that the till tells of and that another key has brought is here
all the same: keys are replaced, and a till must not be told to send again what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from apikeys.models import ApiKey
from apikeys.replacing import line_of
from kasse.ids import make_id
from kasse.models import Source, Transaction
from kasse.money import ZERO
from pos_bridge.answers import instant_text, money_text
from pos_bridge.models import Reconciliation, Verdict
from pos_bridge.remarks import BOOKED_FROM_PARKING
from pos_bridge.summaries import outside_totals
from pos_bridge.telling import MOST_ROWS, ToldDay, ToldTotals
from tenants.models import Tenant

ROWS_KEPT = 100
AT_ONCE = 1000
LISTS = ("missing_here", "unknown_to_you", "amount_differs", "other_day")


@dataclass(frozen=True, slots=True)
class Sum:
    """So many sales, and what they come to."""

    count: int
    total_amount: Decimal

    @property
    def body(self) -> dict[str, Any]:
        """As tills read it."""
        return {"count": self.count, "total_amount": money_text(self.total_amount)}


@dataclass(frozen=True, slots=True)
class Compared:
    """Two days side by side; the lists are as tills read them, and empty where the days are one."""

    yours: Sum
    ours: Sum
    missing_here: list[str] = field(default_factory=list)
    unknown_to_you: list[dict[str, str]] = field(default_factory=list)
    amount_differs: list[dict[str, str]] = field(default_factory=list)
    other_day: list[dict[str, str]] = field(default_factory=list)
    totals_differ: list[dict[str, Any]] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """Whether nothing is left to be looked for."""
        differs = self.totals_differ or any(getattr(self, name) for name in LISTS)
        return Verdict.INCOMPLETE if differs else Verdict.COMPLETE

    def lists(self, *, most: int) -> dict[str, list[Any]]:
        """All lists by name, each with so many rows at most."""
        return {name: getattr(self, name)[:most] for name in (*LISTS, "totals_differ")}


def reconcile(*, key: ApiKey, told: ToldDay, at: datetime) -> tuple[Reconciliation, Compared]:
    """Compare a till's day with ours, and keep what was found."""
    compared = _sales(key, told.business_date, told.sales) if told.sales is not None else _totals(key, told)
    kept = Reconciliation.objects.create(
        id=make_id(at),
        tenant=key.tenant,
        api_key=key,
        at=at,
        business_date=told.business_date,
        verdict=compared.verdict,
        by_totals=told.totals is not None,
        told_count=compared.yours.count,
        told_amount=compared.yours.total_amount,
        stored_count=compared.ours.count,
        stored_amount=compared.ours.total_amount,
        missing_count=len(compared.missing_here),
        unknown_count=len(compared.unknown_to_you),
        differing_count=len(compared.amount_differs),
        other_day_count=len(compared.other_day),
        details=compared.lists(most=ROWS_KEPT),
    )
    return kept, compared


def reconciliation_body(kept: Reconciliation, compared: Compared) -> dict[str, Any]:
    """What the till hears."""
    return {
        "id": str(kept.pk),
        "business_date": kept.business_date.isoformat(),
        "at": instant_text(kept.at),
        "compared": "totals" if kept.by_totals else "transactions",
        "verdict": kept.verdict,
        "yours": compared.yours.body,
        "ours": compared.ours.body,
        "counts": {name: len(getattr(compared, name)) for name in LISTS},
        **compared.lists(most=MOST_ROWS),
    }


def _sales(key: ApiKey, day: date, yours: Mapping[str, Decimal]) -> Compared:
    ours = _brought_by(key, day)
    here, elsewhere = _stored_otherwise(key.tenant, day, [each for each in yours if each not in ours])
    unknown = [reference for reference in ours if reference not in yours]
    ours |= here
    return Compared(
        yours=Sum(len(yours), sum(yours.values(), ZERO)),
        ours=Sum(len(ours), sum(ours.values(), ZERO)),
        missing_here=[each for each in yours if each not in ours and each not in elsewhere],
        unknown_to_you=[{"external_ref": each, "total_amount": money_text(ours[each])} for each in unknown],
        amount_differs=[
            {"external_ref": each, "yours": money_text(amount), "ours": money_text(ours[each])}
            for each, amount in yours.items()
            if each in ours and ours[each] != amount
        ],
        other_day=[{"external_ref": each, "business_date": on.isoformat()} for each, on in elsewhere.items()],
    )


def _brought_by(key: ApiKey, day: date) -> dict[str, Decimal]:
    """What came from the key's till for that day, also under the key before it.

    What staff have booked for it has a reference that no till knows.
    """
    rows = Transaction.objects.of(key.tenant).filter(business_date=day, source=Source.EXTERNAL_POS)
    rows = rows.filter(api_key__in=line_of(key)).exclude(remarks__contains=BOOKED_FROM_PARKING)
    rows = rows.order_by("received_at", "id")
    return {str(reference): amount for reference, amount in rows.values_list("external_ref", "total_amount")}


def _stored_otherwise(
    tenant: Tenant, day: date, references: Iterable[str]
) -> tuple[dict[str, Decimal], dict[str, date]]:
    """Of other references: those stored for that day all the same, with their totals, and those of other days."""
    here: dict[str, Decimal] = {}
    elsewhere: dict[str, date] = {}
    for some in _in_parts(list(references)):
        rows = Transaction.objects.of(tenant).filter(source=Source.EXTERNAL_POS, external_ref__in=some)
        for reference, on, amount in rows.values_list("external_ref", "business_date", "total_amount"):
            if on == day:
                here[str(reference)] = amount
            else:
                elsewhere[str(reference)] = on
    return here, elsewhere


def _in_parts(references: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(references), AT_ONCE):
        yield references[first : first + AT_ONCE]


def _totals(key: ApiKey, told: ToldDay) -> Compared:
    yours = told.totals or ToldTotals(0, ZERO)
    found = outside_totals(key.tenant, told.business_date, key=key)
    sold = found.sales + found.refunds
    pairs: dict[str, tuple[Any, Any]] = {
        "count": (yours.count, sold.count),
        "total_amount": (yours.total_amount, sold.amount),
    }
    if yours.payments is not None:
        ours = {each.method.value: each.paid.amount for each in found.payments}
        for method in sorted({*yours.payments, *ours}):
            pairs[f"payments.{method}"] = (yours.payments.get(method, ZERO), ours.get(method, ZERO))
    return Compared(
        yours=Sum(yours.count, yours.total_amount),
        ours=Sum(sold.count, sold.amount),
        totals_differ=[
            {"what": what, "yours": _told(mine), "ours": _told(other)}
            for what, (mine, other) in pairs.items()
            if mine != other
        ],
    )


def _told(value: int | Decimal) -> int | str:
    return money_text(value) if isinstance(value, Decimal) else value
