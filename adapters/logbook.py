"""A connection's own log: who called, what we asked, how it ended. Never a body, never a secret.

Calls of one kind that bring nothing share a line for a minute: refusals, what fails, and what anybody may send
unsigned. So whoever has the address and nothing else fills no disk.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F

from adapters.models import Connection, ConnectionCall
from pos_bridge.activity import safe_text

# What is answered well without anybody having proven who calls.
UNPROVEN = frozenset({"tested", "hinted", "not_needed"})


def write_call(
    connection: Connection,
    *,
    at: datetime,
    deed: str,
    outcome: str,
    status: int | None = None,
    detail: str = "",
    **fields: Any,
) -> None:
    """Add a line, or count one more on the line of this minute if it is a call that brings nothing."""
    outcome = safe_text(outcome, 40)
    brings_nothing = status is not None and (status >= 400 or outcome in UNPROVEN)
    if brings_nothing and _count_one_more(connection, at, deed, outcome, status):
        return
    ConnectionCall.objects.create(
        tenant=connection.tenant,
        connection=connection,
        at=at,
        deed=deed,
        status=status,
        outcome=outcome,
        detail=safe_text(detail, 200),
        **fields,
    )


def _count_one_more(connection: Connection, at: datetime, deed: str, outcome: str, status: int | None) -> bool:
    minute = at.replace(second=0, microsecond=0)
    same = ConnectionCall.objects.of(connection.tenant).filter(
        connection=connection, at__gte=minute, deed=deed, outcome=outcome, status=status
    )
    first = same.values_list("pk", flat=True).first()
    return first is not None and bool(same.filter(pk=first).update(calls=F("calls") + 1))
