"""The entry of every outside sale: contract, then record, or park."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction

from apikeys.models import ApiKey
from catalogue.vat import holding_on
from kasse.business_day import business_date
from kasse.fingerprint import Difference
from kasse.models import Source
from kasse.reading import sales_under
from kasse.recording import ExternalRefConflict, Recorded, SaleForgotten, record_transaction
from kasse.sales import NewSale, StoredSale
from pos_bridge.activity import LOGGER, Call, may_be_the_log
from pos_bridge.admission import Admission
from pos_bridge.answers import json_value
from pos_bridge.contract import Checked, Terms, check_sale, read_sale
from pos_bridge.faults import Refused
from pos_bridge.models import Outcome
from pos_bridge.parking import park_conflict
from pos_bridge.remarks import Remark
from pos_bridge.riding import TillRider
from pos_bridge.strict_json import Malformed, read_json
from pos_bridge.throttling import Charge
from tenants.models import Tenant


class AnyRate:
    """Contains every rate."""

    def __contains__(self, rate: object) -> bool:
        return True


ANY_RATE = AnyRate()
# Faults that depend on what the campground has set, and may have set differently when the sale was taken.
SETTLED_WHEN_TAKEN = frozenset({"unknown_vat_rate", "currency_mismatch"})


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a till's document: the stored sale, whether it is new, and what is to be said about it."""

    stored: StoredSale
    created: bool
    remarks: tuple[Remark, ...]


def take_in(*, admission: Admission, body: bytes, charge: Charge, call: Call, received_at: datetime) -> TakenIn:
    """Check a body and record its sale; the call's count and its row of the activity log commit with it.

    ``received_at`` is our clock once the whole body is here: a list by arrival must not miss a slow one.

    Raises:
        Malformed: the body is no JSON object that we read; nothing is stored, nor is the call counted.
        Refused: it breaks the contract; the same.
        BudgetUsedUp: the call is one too many; it is counted, and nothing is stored.
        ExternalRefConflict: its reference belongs to another sale; the document is parked.
    """
    terms = terms_for(admission, received_at)
    checked = read_sale(body, terms) or _look_closely(admission.key.tenant, body, terms, call)
    call.external_ref = checked.sale.external_ref or ""
    try:
        recorded = _record(admission, checked.sale, TillRider(charge, call), received_at)
    except ExternalRefConflict as conflict:
        _park(admission.key, document_in(body), conflict, call, received_at)
        if settings.POS_CONFLICT_POLICY == "replay":
            return replayed_conflict(checked, conflict)
        raise
    return taken_in(checked, recorded)


def terms_for(admission: Admission, now: datetime) -> Terms:
    """What a till's sale is checked against at a moment."""
    tenant = admission.key.tenant
    zone = tenant.zone_info

    def day_of(instant: datetime) -> date:
        return business_date(instant, zone=zone, cutoff_hour=tenant.cutoff_hour)

    return Terms(tenant.currency, now, day_of, partial(holding_on, admission.rates))


def _look_closely(tenant: Tenant, body: bytes, terms: Terms, call: Call) -> Checked:
    document = document_in(body)
    call.external_ref = reference_in(document)
    return check_closely(tenant, document, terms)


def check_closely(tenant: Tenant, document: Mapping[str, Any], terms: Terms) -> Checked:
    """Find what is at fault, or only unusual, in a body that could not be read in one pass.

    Rates and currency are the campground's of today; for a retry, those of its sale. A sale that was taken
    stays taken: its retry is no fault because a rate has ended in between.

    Raises:
        Refused: with every fault that can be told at once.
    """
    try:
        return check_sale(document, terms)
    except Refused as refused:
        stored = _stored_under(tenant, document) if refused.codes <= SETTLED_WHEN_TAKEN else None
        if stored is None:
            raise
        return check_sale(document, replace(terms, currency=stored.sale.currency, rates_on=lambda _day: ANY_RATE))


def document_in(body: bytes) -> Mapping[str, Any]:
    """The object in a body, strictly read.

    Raises:
        Malformed: there is none that we read.
    """
    document = read_json(body)
    if not isinstance(document, dict):
        raise Malformed("not_an_object", "The body is not a JSON object.")
    return document


def reference_in(document: Mapping[str, Any]) -> str:
    """The reference as sent, so that staff find a refused sale by it too; anything but a text is no reference."""
    reference = document.get("external_ref")
    return reference if isinstance(reference, str) else ""


def _stored_under(tenant: Tenant, document: Mapping[str, Any]) -> StoredSale | None:
    """The sale that holds the document's reference; the reference itself is not at fault here."""
    return sales_under(tenant, [document["external_ref"]]).get(document["external_ref"])


def _record(admission: Admission, sale: NewSale, rider: TillRider, received_at: datetime) -> Recorded:
    try:
        recorded = record_transaction(
            tenant=admission.key.tenant,
            sale=sale,
            source=Source.EXTERNAL_POS,
            received_at=received_at,
            api_key=admission.key,
            default_vat_rate=admission.bridge.default_vat_rate,
            rates=admission.rates,
            rider=rider,
        )
    except DatabaseError as error:
        # The database has said no, and so nothing has happened, unless the call is counted: then that has committed,
        # and it is not the log. Else perhaps it is the log alone that ails.
        if not rider.logs or rider.charge.counted or not may_be_the_log(error):
            raise
        LOGGER.error("A sale cannot be stored with its log row (%s); now without.", type(error).__name__)
        return _record(admission, sale, rider.without_log(), received_at)
    rider.call.outcome = Outcome.CREATED if recorded.created else Outcome.REPLAYED
    # Only now, after the commit: a row that was rolled back with its sale must be written after all.
    rider.call.logged = recorded.created and rider.logs
    return recorded


def _park(
    key: ApiKey, document: Mapping[str, Any], conflict: ExternalRefConflict, call: Call, received_at: datetime
) -> None:
    try:
        with transaction.atomic():
            park_conflict(key=key, document=document, conflict=conflict, received_at=received_at)
    except IntegrityError:  # what it is in conflict with is gone
        raise SaleForgotten from None
    call.outcome = Outcome.CONFLICT


def taken_in(checked: Checked, recorded: Recorded) -> TakenIn:
    """What became of a sale that was recorded, now or before."""
    return TakenIn(recorded.stored, recorded.created, (*checked.remarks, *_remarks(recorded.differences)))


def replayed_conflict(checked: Checked, conflict: ExternalRefConflict) -> TakenIn:
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
