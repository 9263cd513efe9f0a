"""Decisions about parked sales: once each, by one person, for ever.

*keep*: the stored sale stays, what was sent is the same sale or a mistake. *discard*: it was no sale, for a reason.
*book*: it is a sale of its own; it goes through the same contract and the same door as any other, under its old
reference with a suffix, and counts for the day on which it was sold.

The decision, the sale and the end of the waiting commit together. Who decides holds the parked sale's row meanwhile,
so of two people the second finds it decided. Should that ever fail, the parked sale is the decision's key: the database
refuses a second one, and takes back the sale that came with it.

Errors::

    NotDecided
    ├── AlreadyDecided     somebody has, and how
    ├── ReasonMissing      to discard takes a reason
    ├── NotBookable        it does not keep the contract, as the campground is set today
    └── NoReferenceFree    all the references that it might have are taken
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, cast

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from msgspec import structs

from kasse.models import Source
from kasse.recording import ExternalRefConflict, record_transaction
from kasse.sales import NewSale, StoredSale
from kasse.sqlite import in_turn, on_sqlite
from pos_bridge.admission import Admission, admission_of
from pos_bridge.contract import check_sale
from pos_bridge.faults import Fault, Refused
from pos_bridge.fields import LONGEST_REFERENCE
from pos_bridge.intake import ANY_RATE, AnyRate, terms_for
from pos_bridge.models import Decision, ParkedDecision, ParkedSale
from pos_bridge.remarks import BOOKED_FROM_PARKING
from tenants.models import Tenant, User
from tenants.trail_models import trace

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

TRIES = 9


class NotDecided(Exception):
    """Nothing has been written."""


class AlreadyDecided(NotDecided):
    """Somebody was there before."""

    def __init__(self, decision: ParkedDecision) -> None:
        super().__init__(str(decision))
        self.decision = decision


class ReasonMissing(NotDecided):
    """What is discarded is discarded for a reason."""


class NotBookable(NotDecided):
    """What was sent breaks the contract, as the campground is set today; it stays parked."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.faults = faults


class NoReferenceFree(NotDecided):
    """Other sales hold all the references that this one might get; it stays parked."""


class Numbered(TypedDict):
    """What ``parked_sales_of()`` adds to a row."""

    number: int


if TYPE_CHECKING:
    NumberedSale: TypeAlias = WithAnnotations[ParkedSale, Numbered]


def parked_sales_of(tenant: Tenant) -> QuerySet[NumberedSale]:
    """The parked sales of a campground, each with its ``number``: 1 for the first under its reference, and so on."""
    before = ParkedSale.objects.of(tenant).filter(external_ref=OuterRef("external_ref"), pk__lte=OuterRef("pk"))
    numbers = before.order_by().values("external_ref").annotate(number=Count("pk")).values("number")
    return ParkedSale.objects.of(tenant).annotate(number=Coalesce(Subquery(numbers), 1))


def references_for(reference: str, number: int) -> Iterator[str]:
    """Under what the ``number``-th parked sale of a reference may be booked: the first is meant, the rest are spare.

    The till may have used one of them itself. What would be too long is cut before its suffix.
    """
    suffix = f"~{number + 1}"
    for spare in ("", *(f".{place}" for place in range(2, TRIES + 1))):
        end = suffix + spare
        yield reference[: LONGEST_REFERENCE - len(end)].rstrip() + end


def decide(
    *, tenant: Tenant, parked: int, decision: Decision, by: User, at: datetime, reason: str = ""
) -> ParkedDecision:
    """Decide about a parked sale of the campground; ``at`` is our clock, and the arrival of what is booked.

    Raises:
        ParkedSale.DoesNotExist: the campground has none of that number.
        NotDecided: one of its kinds, drawn above; nothing has been written.
    """
    with _alone(), transaction.atomic():
        # Held to the end; a till that repeats the sale meanwhile waits to be counted.
        row = parked_sales_of(tenant).select_for_update(no_key=True, of=("self",)).get(pk=parked)
        before = ParkedDecision.objects.of(tenant).filter(parked=row).select_related("booked").first()
        if before is not None:
            raise AlreadyDecided(before)
        if decision == Decision.DISCARD and not reason.strip():
            raise ReasonMissing
        made = ParkedDecision.objects.create(
            tenant=tenant,
            parked=row,
            decision=decision,
            decided_at=at,
            decided_by=by,
            decided_by_name=by.get_full_name() or by.get_username(),
            reason=reason.strip(),
            booked_id=_book(row, at).id if decision == Decision.BOOK else None,
        )
        ParkedSale.objects.of(tenant).filter(pk=row.pk).update(decided_at=at)
        trace(tenant, "parked.decided", row.external_ref, decision=decision.value, reason=made.reason)
    return made


@dataclass(frozen=True, slots=True)
class Look:
    """What a parked document holds, and what the contract has against booking it now: nothing, as a rule.

    ``sale`` is None where it cannot even be read; ``document`` is empty once it has been forgotten.
    """

    document: Mapping[str, Any]
    sale: NewSale | None
    faults: tuple[Fault, ...] = ()


def look_at(parked: ParkedSale, admission: Admission, *, at: datetime) -> Look:
    """Read a parked sale, which may have been parked when the campground had other VAT rates, or another currency."""
    if not parked.payload:
        return Look({}, None)
    document: dict[str, Any] = json.loads(parked.payload)
    named = document | {"external_ref": parked.external_ref}
    terms = terms_for(admission, at)
    try:
        return Look(document, check_sale(named, terms).sale)
    except Refused as refused:
        faults = refused.faults
    try:
        return Look(document, check_sale(named | {"currency": None}, replace(terms, rates_on=_any_rate)).sale, faults)
    except Refused:
        return Look(document, None, faults)


def admission_for(parked: ParkedSale) -> Admission:
    """The terms of the campground for the key that sent it, be it revoked by now; it is never deleted."""
    return cast(Admission, admission_of(parked.api_key.prefix))


def _any_rate(_day: date) -> AnyRate:
    return ANY_RATE


def _alone() -> AbstractContextManager[None]:
    """SQLite has one writer at a time; PostgreSQL needs no such thing."""
    return in_turn() if on_sqlite() else nullcontext()


def _book(parked: NumberedSale, at: datetime) -> StoredSale:
    """Record it under the first of its references that nobody holds."""
    admission = admission_for(parked)
    look = look_at(parked, admission, at=at)
    if look.sale is None or look.faults:
        raise NotBookable(look.faults)
    sale = look.sale
    sale = structs.replace(sale, remarks=f"{sale.remarks} {BOOKED_FROM_PARKING}".strip())
    for reference in references_for(parked.external_ref, parked.number):
        stored = _record(structs.replace(sale, external_ref=reference), admission, at)
        if stored is not None:
            return stored
    raise NoReferenceFree


def _record(sale: NewSale, admission: Admission, at: datetime) -> StoredSale | None:
    """None if the reference is taken, be it by a sale that looks the same: that one came by itself."""
    try:
        recorded = record_transaction(
            tenant=admission.key.tenant,
            sale=sale,
            source=Source.EXTERNAL_POS,
            received_at=at,
            api_key=admission.key,
            default_vat_rate=admission.bridge.default_vat_rate,
            rates=admission.rates,
        )
    except ExternalRefConflict:
        return None
    return recorded.stored if recorded.created else None
