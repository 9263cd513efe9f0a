"""The entry of every outside sale: contract, then record, or park."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import transaction

from apikeys.models import ApiKey
from catalogue.vat import rates_on
from kasse.business_day import business_date
from kasse.fingerprint import Difference
from kasse.models import Source, Transaction
from kasse.recording import ExternalRefConflict, Recorded, record_transaction
from pos_bridge.activity import Call, log_with_sale
from pos_bridge.answers import json_value
from pos_bridge.contract import Checked, Terms, check_sale
from pos_bridge.faults import Refused
from pos_bridge.models import BridgeSettings, Outcome
from pos_bridge.parking import park_conflict
from pos_bridge.remarks import Remark
from tenants.models import Tenant


class _AnyRate:
    """Contains every rate."""

    def __contains__(self, rate: object) -> bool:
        return True


ANY_RATE = _AnyRate()
# Faults that depend on what the campground has set, and may have set differently when the sale was taken.
SETTLED_WHEN_TAKEN = frozenset({"unknown_vat_rate", "currency_mismatch"})


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a till's document: the stored sale, whether it is new, and what is to be said about it."""

    transaction: Transaction
    created: bool
    remarks: tuple[Remark, ...]


def take_in(
    *, key: ApiKey, bridge: BridgeSettings, document: Mapping[str, Any], call: Call, received_at: datetime
) -> TakenIn:
    """Check a document and record its sale; the row of the activity log commits with it.

    ``received_at`` is our clock once the whole body is here: a list by arrival must not miss a slow one.

    Raises:
        Refused: the document breaks the contract; nothing is stored.
        ExternalRefConflict: its reference belongs to another sale; the document is parked.
    """
    call.external_ref = _reference_in(document)
    checked = _check(key.tenant, document, received_at)
    try:
        recorded = _record(key, bridge, checked, call, received_at)
    except ExternalRefConflict as conflict:
        _park(key, document, conflict, call, received_at)
        if settings.POS_CONFLICT_POLICY == "replay":
            return _replayed_conflict(checked, conflict)
        raise
    return TakenIn(recorded.transaction, recorded.created, (*checked.remarks, *_remarks(recorded.differences)))


def _reference_in(document: Mapping[str, Any]) -> str:
    """The reference as sent, so that staff find a refused sale by it too; anything but a text is no reference."""
    reference = document.get("external_ref")
    return reference if isinstance(reference, str) else ""


def _check(tenant: Tenant, document: Mapping[str, Any], now: datetime) -> Checked:
    """Check against the campground's rates and currency of today; a retry, against those of its sale.

    A sale that was taken stays taken: its retry is no fault because a rate has ended in between.
    """
    terms = _terms(tenant, now)
    try:
        return check_sale(document, terms)
    except Refused as refused:
        stored = _stored_under(tenant, document) if refused.codes <= SETTLED_WHEN_TAKEN else None
        if stored is None:
            raise
        return check_sale(document, replace(terms, currency=stored.currency, rates_on=lambda _day: ANY_RATE))


def _stored_under(tenant: Tenant, document: Mapping[str, Any]) -> Transaction | None:
    """The sale that holds the document's reference; the reference itself is not at fault here."""
    return Transaction.objects.of(tenant).filter(external_ref=document["external_ref"]).first()


def _terms(tenant: Tenant, now: datetime) -> Terms:
    def day_of(instant: datetime) -> date:
        return business_date(instant, zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)

    # Cached: every line of a sale may ask for its rate.
    return Terms(tenant.currency, now, day_of, cache(partial(rates_on, tenant)))


def _record(key: ApiKey, bridge: BridgeSettings, checked: Checked, call: Call, received_at: datetime) -> Recorded:
    with transaction.atomic():
        recorded = record_transaction(
            tenant=key.tenant,
            sale=checked.sale,
            source=Source.EXTERNAL_POS,
            received_at=received_at,
            api_key=key,
            default_vat_rate=bridge.default_vat_rate,
        )
        call.outcome = Outcome.CREATED if recorded.created else Outcome.REPLAYED
        logged = log_with_sale(call, status=201 if recorded.created else 200)
    # Only after the commit: a row that was rolled back with its sale must be written after all.
    call.logged = logged
    return recorded


def _park(
    key: ApiKey, document: Mapping[str, Any], conflict: ExternalRefConflict, call: Call, received_at: datetime
) -> None:
    with transaction.atomic():
        park_conflict(key=key, document=document, conflict=conflict, received_at=received_at)
    call.outcome = Outcome.CONFLICT


def _replayed_conflict(checked: Checked, conflict: ExternalRefConflict) -> TakenIn:
    """The literal reading of the product page: 200 with the stored record; the difference is named."""
    return TakenIn(conflict.stored, False, (*checked.remarks, *_remarks(conflict.differences)))


def _remarks(differences: tuple[Difference, ...]) -> list[Remark]:
    return [
        Remark(
            "differs_from_stored",
            each.field,
            "Sent again with another value; the stored one stays.",
            stored=json_value(each.stored),
            sent=json_value(each.sent),
        )
        for each in differences
    ]
