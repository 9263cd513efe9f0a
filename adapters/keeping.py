"""Keeping what a vendor sent, before anything is made of it: once for each delivery and content."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from adapters.models import Connection, VendorEvent
from adapters.payloads import digest_of
from kasse.sqlite import in_turn
from pos_bridge.activity import safe_text


def keep_event(
    connection: Connection,
    *,
    kind: str,
    delivery: str,
    text: str,
    at: datetime,
) -> VendorEvent:
    """The event of a delivery; one that was kept before is counted, and given back as it stands.

    ``text`` is what ``payloads.text_of()`` gives: JSON without credentials.
    """
    event = VendorEvent(
        tenant=connection.tenant,
        connection=connection,
        kind=safe_text(kind, 60),
        delivery=safe_text(delivery, 120),
        digest=digest_of(text),
        payload=text,
        received_at=at,
        last_received_at=at,
        times_received=0,
    )
    same = VendorEvent.objects.of(connection.tenant).filter(
        connection=connection, delivery=event.delivery, digest=event.digest
    )
    with in_turn(), transaction.atomic():
        VendorEvent.objects.bulk_create([event], ignore_conflicts=True)
        same.update(times_received=F("times_received") + 1, last_received_at=at)
        kept = same.get()
    kept.connection = connection
    return kept
