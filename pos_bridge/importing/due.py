"""Imports that nobody drives any more are finished by the scheduler: the page was closed, the command was stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from pos_bridge.importing.models import ImportState, SalesImport
from pos_bridge.importing.working import work_on
from tenants.fence import across_tenants, within

LOGGER = logging.getLogger(__name__)
LEFT_ALONE = timedelta(seconds=30)
TURN = timedelta(seconds=20)


def run_due(*, clock: Callable[[], datetime]) -> Iterator[SalesImport]:
    """Work for a while on each import that has stood still; those on which was worked. One's trouble is its own."""
    running = SalesImport.objects.across_tenants().filter(state=ImportState.RUNNING, tenant__is_active=True)
    with across_tenants():
        still = running.filter(worked_at__lte=clock() - LEFT_ALONE).select_related("tenant", "api_key")
        found = list(still.order_by("worked_at"))
    for each in found:
        end = clock() + TURN
        try:
            with within(each.tenant):
                work_on(each, until=lambda end=end: clock() >= end, clock=clock)  # type: ignore[misc]  # bound to this turn
        except Exception:
            LOGGER.exception("Import %s could not go on.", each.pk)
        else:
            yield each


def sentence_of(done: SalesImport) -> str:
    """One line about one import."""
    return f"{done.tenant.slug}: import {done.pk}, {done.done} of {done.receipts} receipts."
