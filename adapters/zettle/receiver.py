"""Zettle's messages: signed over the time and the text of their payload, kept, answered, booked.

The one that tests a new subscription comes before its key is known: whatever calls itself ``TestMessage`` is answered
and does nothing at all.

Source: the vendor's published Pusher API description.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpResponse

from adapters.connections import note_trouble, require_switched_on, secrets_of
from adapters.payloads import document_or_text, read_body, text_of
from adapters.reading import text_in
from adapters.receiving import receive
from adapters.vendor import CallRefused, Visit
from adapters.zettle.mapping import PURCHASE
from pos_bridge.wire import json_answer

TEST = "TestMessage"
# The merchant has taken the key back, or the app off.
ACCESS_ENDED = frozenset({"ApplicationConnectionRemoved", "PersonalAssertionDeleted"})
SLASHED = re.compile(r"\\(.?)", re.DOTALL)


def message(visit: Visit) -> HttpResponse:
    """A message. 200 once it is kept, whatever becomes of it: else Zettle ends the subscription after three days."""
    document = read_body(visit.body)
    name = text_in(document, "eventName")
    if name == TEST:
        visit.outcome = "tested"
        return json_answer({})
    _require_signature(visit, document)
    require_switched_on(visit.connection)
    if name in ACCESS_ENDED:
        note_trouble(visit.connection, "access_ended", at=visit.at)
        visit.outcome = "access_ended"
    elif name == PURCHASE:
        delivery = document.get("messageUuid")
        receive(
            visit,
            kind=PURCHASE,
            delivery=delivery if isinstance(delivery, str) else "",
            text=text_of({**document, "payload": document_or_text(document["payload"])}),
        )
    else:
        visit.outcome = "ignored"
    return json_answer({})


def _require_signature(visit: Visit, document: Mapping[str, Any]) -> None:
    """See that the message is signed with this subscription's key, and of this organisation.

    Raises:
        CallRefused: it is not.
    """
    timestamp, payload = document.get("timestamp"), document.get("payload")
    sent = visit.request.headers.get("X-iZettle-Signature", "").strip().lower()
    keys = [key for name, key in secrets_of(visit.connection).items() if name.endswith("signing_key") and key]
    if not isinstance(timestamp, str) or not isinstance(payload, str) or not sent.isascii():
        raise CallRefused("invalid_key", "signature")
    # A list, so that every one is compared: time does not tell which one fits.
    if not any([hmac.compare_digest(sent, each) for each in signatures(keys, timestamp, payload)]):  # noqa: C419
        raise CallRefused("invalid_key", "signature")
    organization = document.get("organizationUuid")
    if visit.connection.scope and organization != visit.connection.scope:
        raise CallRefused("invalid_key", "organization")


def signatures(keys: list[str], timestamp: str, payload: str) -> Iterator[str]:
    """What a signature may be: over the payload's text as it is, or as the vendor's PHP sample has it, unslashed."""
    plain = f"{timestamp}.{payload}"
    for key in keys:
        for text in (plain, SLASHED.sub(r"\1", plain)):
            yield hmac.new(key.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
