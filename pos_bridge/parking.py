"""The parking lot: sales that were refused because their reference is taken wait here for staff to decide.

Parked once, however often the till repeats them. Credentials are cut out of what is kept; numbers are kept as
the text they were sent as, which the contract reads back unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import F

from apikeys.models import ApiKey
from apikeys.tokens import TOKEN, prefix_of
from kasse.recording import ExternalRefConflict
from pos_bridge.answers import json_value
from pos_bridge.models import ParkedSale, ParkingReason

CREDENTIAL = re.compile(r"api.?key|authorization|passwor[dt]|passwd|pwd|secret|token|credential", re.IGNORECASE)
CUT = "(cut out)"


def park_conflict(
    *, key: ApiKey, document: Mapping[str, Any], conflict: ExternalRefConflict, received_at: datetime
) -> None:
    """Keep what a till sent under a reference that belongs to another sale."""
    rows = ParkedSale.objects.of(key.tenant)
    parked = ParkedSale(
        tenant=key.tenant,
        external_ref=conflict.stored.sale.external_ref or "",
        fingerprint=conflict.fingerprint,
        reason=ParkingReason.CONFLICT,
        payload=json.dumps(without_credentials(document), ensure_ascii=False),
        differences=[[each.field, json_value(each.stored), json_value(each.sent)] for each in conflict.differences],
        stored_id=conflict.stored.id,
        api_key=key,
        first_received_at=received_at,
        last_received_at=received_at,
        times_received=0,
    )
    ParkedSale.objects.bulk_create([parked], ignore_conflicts=True)
    rows.filter(external_ref=parked.external_ref, fingerprint=parked.fingerprint).update(
        times_received=F("times_received") + 1, last_received_at=received_at
    )


def without_credentials(value: Any) -> Any:
    """A copy in which fields named like credentials, and tokens of ours in any text, are cut out."""
    if isinstance(value, Mapping):
        return {
            without_credentials(name): CUT if CREDENTIAL.search(name) else without_credentials(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [without_credentials(each) for each in value]
    if isinstance(value, str):
        return TOKEN.sub(lambda match: prefix_of(match[0]) + CUT, value)
    return value
