"""What is due: days that have ended are gathered and posted, lost answers looked up, failures tried again.

Safe to run every minute, by several machines at once: a day is gathered under the campground's lock, a revision worked
on under a claim; whoever comes second finds nothing to do. One campground's trouble is its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import Error as DatabaseError
from django.db.models import Q, QuerySet

from journal.claims import free_at
from journal.doors import Clock
from journal.hands import Hands
from journal.models import Outcome, Revision, State
from journal.opening import Gathered, gather, last_finished_day
from journal.opening_doors import open_door
from journal.posting import TO_POST, post
from journal.reversing import learn_reversal_number, reverse
from journal.settings_models import Flavor, JournalSettings
from tenants.fence import across_tenants, within
from tenants.models import Tenant

LOGGER = logging.getLogger(__name__)
WAITING = (*TO_POST, State.REVERSING, State.REVERSAL_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done at one campground."""

    tenant: Tenant
    opened: int = 0
    worked_on: tuple[Revision, ...] = ()
    trouble: str = ""


def run_due(*, clock: Clock) -> Iterator[Done]:
    """Do at every campground what is due; one result for each at which something was."""
    enabled = JournalSettings.objects.filter(enabled=True, tenant__is_active=True).select_related("tenant")
    with across_tenants():
        tenants = [each.tenant for each in enabled.order_by("tenant_id")]
    for tenant in tenants:
        with within(tenant):
            settings = enabled.filter(pk=tenant.pk).first()  # as they are now: those before may have taken minutes
            done = run_due_at(settings, clock=clock) if settings else None
        if done and (done.opened or done.worked_on or done.trouble):
            yield done


def run_due_at(settings: JournalSettings, *, clock: Clock) -> Done:
    """Do at one campground what is due; what goes wrong is told in the result, and raises nothing."""
    opened, worked_on, troubles = 0, [], list[str]()
    try:
        gathered = _gather(settings, now=clock())
        opened = len(gathered.journals)
        troubles += gathered.troubles
    except Exception as error:  # noqa: BLE001 (whatever it is, what was gathered before is posted)
        troubles.append(_told(settings, error))
    try:
        for after in _work(settings, due(settings.tenant, now=clock()), clock=clock):
            if isinstance(after, Exception):
                troubles.append(_told(settings, after))
            else:
                worked_on.append(after)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is this campground's own)
        troubles.append(_told(settings, error))
    return Done(settings.tenant, opened, tuple(worked_on), "; ".join(troubles))


def _told(settings: JournalSettings, error: Exception) -> str:
    """A line for whoever runs the command; the log has the rest. What nobody thought of may name what nobody should."""
    LOGGER.error("The journal of %s.", settings.tenant.slug, exc_info=error)
    return str(error).strip().partition("\n")[0] if isinstance(error, DatabaseError) else type(error).__name__


def due(tenant: Tenant, *, now: datetime) -> QuerySet[Revision]:
    """The revisions to work on now, the oldest day first."""
    numberless = Q(state=State.REVERSED, reversal_number="", next_try_at__isnull=False)
    rows = Revision.objects.of(tenant).filter(Q(state__in=WAITING) | numberless)
    rows = rows.filter(Q(next_try_at=None) | Q(next_try_at__lte=now)).filter(free_at(now))
    return rows.select_related("tenant").order_by("journal__business_date", "journal__supplement", "revision")


def _gather(settings: JournalSettings, *, now: datetime) -> Gathered:
    """What has ended is gathered once; a last day that lies ahead is that of a clock which has been put right."""
    last = last_finished_day(settings, now=now)
    if last < settings.first_date or last == settings.swept_through:
        return Gathered()
    return gather(settings, through=last, at=now)


def _work(settings: JournalSettings, revisions: Iterable[Revision], *, clock: Clock) -> Iterator[Revision | Exception]:
    """Work on each in turn; where SAP cannot be reached, the others wait for the next time."""
    revisions = list(revisions)
    if not revisions:
        return
    with open_door(settings, clock=clock) as door:
        hands = Hands(settings, door, clock)
        for revision in revisions:
            try:
                after = _work_on(revision, hands)
            except Exception as error:  # noqa: BLE001 (whatever it is, the next day's journal is not to wait for it)
                yield error
                continue
            yield after
            last = after.attempts.order_by("-pk").first()
            if last is not None and last.outcome == Outcome.UNREACHED and settings.flavor != Flavor.FILES:
                return


def _work_on(revision: Revision, hands: Hands) -> Revision:
    if revision.state in TO_POST:
        return post(revision, hands)
    if revision.state == State.REVERSED:
        return learn_reversal_number(revision, hands)
    return reverse(revision, hands)
