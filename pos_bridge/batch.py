"""Many sales in one call: each checked by itself, all that are in order recorded by one statement, and no sale in the
way of another.

Sales, parked conflicts and the call's row of the activity log commit together, before anybody is answered. Where the
database refuses that, it is asked again sale by sale, and then one of them alone has failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from kasse.models import Source
from kasse.recording import ExternalRefConflict, Recorded, record_transactions
from kasse.sales import NewSale
from kasse.sqlite import in_turn, on_sqlite
from kasse.statements import change
from pos_bridge.activity import INSERT, LOGGER, Call, may_be_the_log, row_of
from pos_bridge.admission import Admission
from pos_bridge.contract import Checked, Terms, read_sale
from pos_bridge.faults import Refused
from pos_bridge.fields import LONGEST_REFERENCE
from pos_bridge.intake import (
    TakenIn,
    check_closely,
    document_in,
    replayed_conflict,
    taken_in,
    terms_for,
)
from pos_bridge.models import InboundBatch, Outcome
from pos_bridge.parking import park_conflict
from pos_bridge.strict_json import Literal, Malformed

ANSWERED = 200
AWAY = (OperationalError, InterfaceError)


class Fate(StrEnum):
    """What became of a sale of a batch."""

    CREATED = "created"
    REPLAYED = "replayed"
    CONFLICT = "conflict"
    INVALID = "invalid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Each:
    """One sale of a batch: its reference as sent, None where there is none to be told, and what came of it."""

    external_ref: str | None
    outcome: TakenIn | Exception
    parked: bool = False

    @property
    def fate(self) -> Fate:
        """The outcome in a word."""
        match self.outcome:
            case TakenIn(created=created):
                return Fate.CREATED if created else Fate.REPLAYED
            case ExternalRefConflict():
                return Fate.CONFLICT
            case Refused() | Malformed():
                return Fate.INVALID
            case _:
                return Fate.FAILED


@dataclass(frozen=True, slots=True)
class Sent:
    """One sale of a batch as it was sent, and as it was read: in order, or what refuses it."""

    document: bytes
    external_ref: str | None
    read: Checked | Exception


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a batch, and when it was here as a whole."""

    admission: Admission
    received_at: datetime


def take_in_many(
    *, admission: Admission, documents: Sequence[bytes], call: Call, received_at: datetime, stays: bool = True
) -> list[Each]:
    """Check sales and record those in order; what became of each, in their order. The call is counted by now.

    Unless it ``stays``, all is rolled back at its end: so it would have gone.

    Raises:
        OperationalError, InterfaceError: the database is away, and has stored nothing.
    """
    terms = terms_for(admission, received_at)
    sent = [_read(admission, each, terms) for each in documents]
    sender = Sender(admission, received_at)
    try:
        return _commit(call, sender, lambda: _store(sender, sent), stays=stays)
    except AWAY:
        raise
    except DatabaseError as error:
        reason = type(error).__name__  # its text may quote a row
        LOGGER.error("Call %s: not to be stored at once (%s); now sale by sale.", call.request_id, reason)
        return _commit(call, sender, lambda: _store_each(sender, sent), stays=stays)


def _read(admission: Admission, document: bytes, terms: Terms) -> Sent:
    """Read one sale; one on which we stumble keeps no other out."""
    reference = None
    try:
        checked = read_sale(document, terms)
        if checked is None:
            fields = document_in(document)
            reference = _reference_to_tell(fields.get("external_ref"))
            checked = check_closely(admission.key.tenant, fields, terms)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, it is this sale's)
        return Sent(document, reference, error)
    return Sent(document, checked.sale.external_ref, checked)


def _reference_to_tell(value: object) -> str | None:
    """A reference as sent; None for a number, and whatever else is none."""
    is_text = isinstance(value, str) and not isinstance(value, Literal)
    return str(value) if is_text and len(str(value)) <= LONGEST_REFERENCE else None


def _commit(call: Call, sender: Sender, store: Callable[[], list[Each]], *, stays: bool) -> list[Each]:
    """Store, and write the call's row of the activity log, in one transaction."""
    turn: AbstractContextManager[None] = in_turn() if on_sqlite() else nullcontext()
    with turn, transaction.atomic():
        results = store()
        if not stays:
            transaction.set_rollback(True)
            return results
        call.outcome = outcome_of(results)
        logged = _log(call, sender, results)
    call.logged = logged
    return results


def _store(sender: Sender, sent: Sequence[Sent]) -> list[Each]:
    """Record all that are in order by one statement, and park what is in conflict."""
    found = iter(_record(sender, [each.read.sale for each in sent if isinstance(each.read, Checked)]))
    became = [next(found) if isinstance(each.read, Checked) else each.read for each in sent]
    _park(sender, sent, became)
    return [_each(one, outcome) for one, outcome in zip(sent, became, strict=True)]


def _store_each(sender: Sender, sent: Sequence[Sent]) -> list[Each]:
    """One after the other; what the database refuses of one is that one's own."""
    if not on_sqlite():
        with connection.cursor() as cursor:
            # What would be looked at when all is committed is looked at now, while it concerns one sale.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    results: list[Each] = []
    for one in sent:
        try:
            with transaction.atomic():
                results += _store(sender, [one])
        except AWAY:
            raise
        except DatabaseError as error:
            results.append(Each(one.external_ref, error))
    return results


def _record(sender: Sender, sales: Sequence[NewSale]) -> Sequence[Recorded | ExternalRefConflict]:
    admission = sender.admission
    return (
        record_transactions(
            tenant=admission.key.tenant,
            sales=sales,
            source=Source.EXTERNAL_POS,
            received_at=sender.received_at,
            api_key=admission.key,
            default_vat_rate=admission.bridge.default_vat_rate,
            rates=admission.rates,
        )
        if sales
        else []
    )


def _park(sender: Sender, sent: Sequence[Sent], became: Sequence[object]) -> None:
    """Keep conflicts for staff, in an order in which two batches cannot wait for each other."""
    conflicts = [(each, one) for one, each in zip(sent, became, strict=True) if isinstance(each, ExternalRefConflict)]
    for conflict, one in sorted(conflicts, key=lambda pair: (pair[1].external_ref or "", pair[0].fingerprint)):
        document = document_in(one.document)
        park_conflict(key=sender.admission.key, document=document, conflict=conflict, received_at=sender.received_at)


def _each(one: Sent, became: Recorded | Exception) -> Each:
    if not isinstance(one.read, Checked):
        return Each(one.external_ref, one.read)
    if isinstance(became, Recorded):
        return Each(one.external_ref, taken_in(one.read, became))
    if isinstance(became, ExternalRefConflict) and settings.POS_CONFLICT_POLICY == "replay":
        return Each(one.external_ref, replayed_conflict(one.read, became), parked=True)
    return Each(one.external_ref, became, parked=True)


def outcome_of(results: Sequence[Each]) -> Outcome:
    """What became of a batch as a whole, for the activity log: the best that became of any of its sales."""
    fates = {each.fate for each in results}
    if Fate.CREATED in fates:
        return Outcome.CREATED
    if any(each.parked for each in results):
        return Outcome.CONFLICT
    return Outcome.REPLAYED if Fate.REPLAYED in fates else Outcome.REFUSED


def _log(call: Call, sender: Sender, results: Sequence[Each]) -> bool:
    """The row of the activity log, with how many of each; whether it stands. A log that ails fails no sale."""
    counts = Counter("conflicts" if each.parked else each.fate.value for each in results)
    counted = {name: counts[name] for name in ("created", "replayed", "conflicts", "invalid", "failed")}
    key = sender.admission.key
    try:
        with transaction.atomic():
            change(INSERT, row_of(call, ANSWERED))
            InboundBatch.objects.create(
                tenant=key.tenant,
                api_key=key,
                at=call.at,
                received_at=sender.received_at,
                request_id=call.request_id,
                **counted,
            )
    except DatabaseError as error:
        if not may_be_the_log(error):
            raise
        LOGGER.error("A batch cannot be stored with its log row (%s); now without.", type(error).__name__)
        return False
    return True
