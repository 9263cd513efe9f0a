"""Sales with receipt numbers, straight into the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from apikeys.models import ApiKey
from tests.kasse.listed import record

MORNING = datetime(2026, 7, 1, 6, tzinfo=timezone.utc)
NOW = MORNING + timedelta(days=3)
MINUTE = timedelta(minutes=1)


def sell(
    key: ApiKey, numbers: Iterable[int], *, device: str = "", since: datetime = MORNING, received_at: datetime = MORNING
) -> None:
    """A sale a minute, numbered; all came at the same time."""
    for place, number in enumerate(numbers):
        record(
            key.tenant,
            key=key,
            till_id=device,
            receipt_seq=number,
            occurred_at=since + place * MINUTE,
            received_at=received_at,
        )
