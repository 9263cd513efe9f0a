"""What the scheduler does for connections: vendors are pulled, kept events taken, old rows forgotten.

Safe to run every minute, and by several machines at once: a connection is worked on by whoever takes its turn first,
and every sale is recorded once whoever brings it. One connection's trouble is its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from adapters.booking import take_or_leave
from adapters.models import Connection, Standing, VendorEvent
from adapters.pulling import pull_soon
from adapters.retention import forget_old_rows
from adapters.vendors import VENDORS
from pos_bridge.discretion import cut_rows_out
from pos_bridge.models import BridgeSettings
from tenants.fence import across_tenants, within

LOGGER = logging.getLogger(__name__)
# Whoever keeps an event takes it in the same breath; what still waits after this was interrupted.
PATIENCE = timedelta(minutes=1)
# Reasons that time alone may heal.
HEALED_BY_TIME = ("in_future",)
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Done:
    """What was done at one connection."""

    connection: Connection
    taken: int = 0
    pulled: bool = False
    trouble: str = ""


def run_due(*, at: datetime) -> Iterator[Done]:
    """Do for every connection that is switched on what is due; one result for each at which something was."""
    for connection in _listed():
        with within(connection.tenant):
            done = _run_due_for(connection, at=at)
        if done.taken or done.pulled or done.trouble:
            yield done
    with across_tenants():
        forget_old_rows(now=at, days=settings.ACTIVITY_RETENTION_DAYS)


def run_now(*, at: datetime, tenant: str | None = None, vendor: str | None = None) -> Iterator[Done]:
    """The same at once, for a campground (its slug) or a vendor; a turn that is under way is not disturbed."""
    chosen = {name: value for name, value in (("tenant__slug", tenant), ("vendor", vendor)) if value is not None}
    for connection in _listed(**chosen):
        with within(connection.tenant):
            pull_soon(connection)
            done = _run_due_for(connection, at=at)
        yield done


def sentence_of(done: Done) -> str:
    """One line about one connection."""
    parts = ["asked"] if done.pulled else []
    parts += [f"{done.taken} taken"] if done.taken else []
    parts += [f"trouble: {done.trouble}"] if done.trouble else []
    connection = done.connection
    return f"{connection.tenant.slug}, {connection.vendor} {connection.name}: {', '.join(parts) or 'nothing to do'}."


def _listed(**chosen: str) -> list[Connection]:
    """The connections that are switched on, at all campgrounds."""
    off = BridgeSettings.objects.filter(enabled=False).values("tenant")
    rows = Connection.objects.across_tenants().filter(enabled=True, tenant__is_active=True, vendor__in=VENDORS)
    with across_tenants():
        return list(
            rows.exclude(tenant__in=off).filter(**chosen).select_related("tenant", "till").order_by("tenant_id", "pk")
        )


def _run_due_for(connection: Connection, *, at: datetime) -> Done:
    vendor = VENDORS[connection.vendor]
    pulled, trouble = False, ""
    try:
        if vendor.pull is not None:
            pulled = vendor.pull(connection, vendor, at=at)
    except Exception as error:
        cut_rows_out(error)
        LOGGER.exception("Connection %s could not be asked.", connection.pk)
        trouble = type(error).__name__
    try:
        taken, left = take_waiting(connection, at=at)
    except Exception as error:
        cut_rows_out(error)
        LOGGER.exception("What waits at connection %s could not be looked at.", connection.pk)
        taken, left, trouble = 0, 0, trouble or type(error).__name__
    if left:
        trouble = trouble or "not taken"
    return Done(connection, taken, pulled, trouble or (connection.trouble if pulled else ""))


def take_waiting(connection: Connection, *, at: datetime) -> tuple[int, int]:
    """Take the events that were kept and interrupted, and those that had only to wait.

    How many were taken, and how many could not be for a fault of ours: those keep no other from being taken.
    """
    interrupted = Q(standing=Standing.RECEIVED, last_received_at__lte=at - PATIENCE)
    waiting = interrupted | Q(standing=Standing.PARKED, reason__in=HEALED_BY_TIME)
    events = VendorEvent.objects.of(connection.tenant).filter(waiting, connection=connection)
    taken = left = 0
    # Those that were interrupted come before those that wait for their time.
    for event in events.order_by("-standing", "handled_at", "received_at")[:AT_ONCE]:
        event.connection = connection
        if take_or_leave(event, VENDORS[connection.vendor], at=at):
            taken += 1
        else:
            left += 1
    return taken, left
