"""What a receiver does once it knows who calls: keep the event, and make of it what can be made."""

from __future__ import annotations

import logging

from adapters.booking import take_or_leave
from adapters.connections import note_heard
from adapters.keeping import keep_event
from adapters.models import VendorEvent
from adapters.vendor import Visit
from pos_bridge.discretion import cut_rows_out

LOGGER = logging.getLogger(__name__)


def receive(visit: Visit, *, kind: str, delivery: str, text: str) -> VendorEvent:
    """Keep a pushed event, then map and record it. Once it is kept, nothing that fails concerns the vendor any more."""
    event = keep_event(visit.connection, kind=kind, delivery=delivery, text=text, at=visit.at)
    take_or_leave(event, visit.vendor, at=visit.at)
    _note_heard(visit)
    visit.outcome = event.standing
    visit.detail = event.reason or ", ".join(event.references)
    return event


def _note_heard(visit: Visit) -> None:
    """The vendor was heard; that this cannot be noted is no reason for it to send the event again."""
    try:
        note_heard(visit.connection, at=visit.at)
    except Exception as error:
        cut_rows_out(error)
        LOGGER.exception("When connection %s was heard is not noted.", visit.connection.pk)
