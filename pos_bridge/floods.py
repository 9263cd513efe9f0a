"""Refusals without end: a row each for the first of an address in a minute, and one row that counts the rest.

To be refused must not cost us more than it costs a stranger. So a refusal of the rest is counted in the process, and
what has been counted goes to the database a second later, on a thread of its own. A process that ends within
that second takes it along.

Nor may it be a race: whoever is refused quickly comes again quickly, and takes the processor from tills. So an address
that floods is answered a little later, as far as there are threads to spare.

Source: wire contract, section 5, "Anonymous floods are bounded".
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from kasse.sqlite import for_sqlite, on_sqlite
from kasse.statements import change
from pos_bridge.models import InboundCall, Outcome
from tenants.fence import across_tenants

ROWS_PER_ADDRESS_AND_MINUTE = 100
SECONDS_BEFORE_WRITING = 1.0
SECONDS_HELD_UP = 0.02
MOST_HELD_UP = 8
MOST_KNOWN = 10_000
# A counting row stands for calls with many keys, and belongs to no campground.
OF_NOBODY = {"outcome": Outcome.FLOOD, "calls": 0, "tenant_id": None, "api_key_id": None, "key_prefix": ""}
ADD = """
    UPDATE pos_bridge_inboundcall SET calls = calls + %(calls)s
    WHERE remote_address = %(address)s AND at = %(minute)s AND outcome = 'flood'
"""
# Does not wait for the disk: strangers who queue for this row would hold the connections that tills need.
ADD_ON_POSTGRESQL = """
    WITH hurried AS (SELECT set_config('synchronous_commit', 'off', true) AS setting)
    UPDATE pos_bridge_inboundcall SET calls = calls + %(calls)s FROM hurried
    WHERE setting = 'off' AND remote_address = %(address)s AND at = %(minute)s AND outcome = 'flood'
"""
Row = dict[str, Any]
LOGGER = logging.getLogger(__name__)

_known: set[tuple[str, int, datetime]] = set()
_counted: dict[tuple[str, datetime], Row] = {}
_guard = threading.Lock()
_places = threading.Semaphore(MOST_HELD_UP)


def is_flooded(address: str, status: int, minute: datetime) -> bool:
    """Whether the address has had its rows for this minute. Once it has, nobody need count them again."""
    flood = (address, status, minute)
    if flood in _known:
        return True
    # Both conditions on the status: the first is that of the index.
    refused = InboundCall.objects.filter(status__gte=400).filter(
        remote_address=address, status=status, at__gte=minute, at__lt=minute + timedelta(minutes=1)
    )
    with across_tenants():
        rows = refused.exclude(outcome=Outcome.FLOOD)[:ROWS_PER_ADDRESS_AND_MINUTE].count()
    if rows < ROWS_PER_ADDRESS_AND_MINUTE:
        return False
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known.add(flood)
    return True


def count_refusal(address: str, minute: datetime, make_row: Callable[[], Row]) -> None:
    """Count one more; ``make_row`` gives the row that the first of them would have had."""
    with _guard:
        first = not _counted
        row = _counted.get((address, minute))
        if row is None:
            row = _counted[address, minute] = {**make_row(), "at": minute, **OF_NOBODY}
        row["calls"] += 1
    if first:
        write_later()


def hold_up() -> None:
    """Let a stranger wait for an answer, if there is a place to wait: not with a connection that a till may need."""
    if connection.connection is not None and not on_sqlite():
        return
    if _places.acquire(blocking=False):
        try:
            time.sleep(SECONDS_HELD_UP)
        finally:
            _places.release()


def write_later() -> None:
    """Write what has been counted by then, in a second."""
    timer = threading.Timer(SECONDS_BEFORE_WRITING, _write_by_itself)
    timer.daemon = True
    timer.start()


def _write_by_itself() -> None:
    try:
        write_counts()
    except Exception as error:  # noqa: BLE001 (the counts are kept, and tried again)
        LOGGER.error("Counts of refusals cannot be written (%s); kept.", type(error).__name__)  # noqa: TRY400 (its text may quote a row)
        write_later()
    finally:
        connection.close()


def write_counts() -> None:
    """Write what has been counted; what cannot be written is kept."""
    with _guard:
        rows = list(_counted.values())
        _counted.clear()
    while rows:
        try:
            with across_tenants():
                _add(rows[-1])
        except Exception:
            _keep(rows)
            raise
        rows.pop()


def _keep(rows: list[Row]) -> None:
    with _guard:
        for row in rows:
            kept = _counted.setdefault((row["remote_address"], row["at"]), {**row, "calls": 0})
            kept["calls"] += row["calls"]


def _add(row: Row) -> None:
    values = {"address": row["remote_address"], "minute": row["at"], "calls": row["calls"]}
    statement = ADD if on_sqlite() else ADD_ON_POSTGRESQL
    values = for_sqlite(values) if on_sqlite() else values
    if not change(statement, values):
        InboundCall.objects.bulk_create([InboundCall(**{**row, "calls": 0})], ignore_conflicts=True)
        change(statement, values)
