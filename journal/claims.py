"""One worker at a time for each revision, by a claim in its row that runs out; every change is made under it.

A claim is one conditional UPDATE, so it holds on both engines and over any number of machines. A worker that dies
leaves it to run out. One that merely sleeps too long finds its claim gone, and changes nothing more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Q

from journal.doors import Clock
from journal.models import Attempt, Deed, Outcome, Revision, State
from tenants.models import User

# Longer than all calls for one revision can take (``tenants.outgoing``), by far.
CLAIM = timedelta(minutes=10)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)


class ClaimLost(Exception):
    """Somebody else has taken over; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Told:
    """How something ended: a line of the log, and the sentence that stays with the revision."""

    deed: Deed
    outcome: Outcome
    sentence: str = ""
    number: str = ""


class Claim:
    """A revision in our hands."""

    def __init__(self, revision: Revision, token: str, *, clock: Clock, by: User | None) -> None:
        self.revision = revision
        self._token = token
        self._clock = clock
        self._by = by

    @property
    def now(self) -> datetime:
        """The moment, on the clock that was handed in."""
        return self._clock()

    def renew(self, **fields: Any) -> None:
        """Make sure that it is still ours, for as long again, and change ``fields`` with it; committed at once.

        Raises:
            ClaimLost: it is not.
            RuntimeError: called within a transaction, whose rollback would forget what SAP is told next.
        """
        with transaction.atomic(durable=True):
            self._change(claimed_until=self.now + CLAIM, **fields)

    def tell(self, told: Told, **fields: Any) -> None:
        """Write a line of the log, and change ``fields`` with it.

        Raises:
            ClaimLost: somebody else has taken over. The line is written all the same: it may hold a document's number.
        """
        with transaction.atomic():
            self._log(told)
            kept = self._rows().update(sentence=told.sentence, **fields)
        if not kept:
            raise ClaimLost
        self._take_over(sentence=told.sentence, **fields)

    def give_back(self) -> None:
        """Let others at it."""
        self._rows().update(claim="", claimed_until=None)

    def pause(self) -> dict[str, Any]:
        """The fields that say: in vain once more, and when to try again; each pause is twice the one before."""
        tries = self.revision.tries + 1
        pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 20), LONGEST_PAUSE)
        return {"tries": tries, "next_try_at": self.now + pause}

    def _change(self, **fields: Any) -> None:
        if not self._rows().update(**fields):
            raise ClaimLost
        self._take_over(**fields)

    def _take_over(self, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.revision, name, value)

    def _rows(self) -> Any:
        return Revision.objects.of(self.revision.tenant).filter(pk=self.revision.pk, claim=self._token)

    def _log(self, told: Told) -> None:
        Attempt.objects.create(
            tenant=self.revision.tenant,
            revision=self.revision,
            at=self.now,
            deed=told.deed,
            outcome=told.outcome,
            number=told.number,
            sentence=told.sentence,
            by=self._by,
        )


def claim(revision: Revision, states: Collection[State], *, clock: Clock, by: User | None = None) -> Claim | None:
    """Take a revision that is in one of ``states`` and in nobody's hands; None if it is not."""
    now, token = clock(), str(uuid4())
    rows = Revision.objects.of(revision.tenant).filter(pk=revision.pk, state__in=states)
    if not rows.filter(free_at(now)).update(claim=token, claimed_until=now + CLAIM):
        return None
    taken = Revision.objects.of(revision.tenant).select_related("journal__tenant", "tenant").get(pk=revision.pk)
    return Claim(taken, token, clock=clock, by=by)


def free_at(now: datetime) -> Q:
    """Revisions that nobody is at work on."""
    return Q(claim="") | Q(claimed_until__lt=now)


def let_connection_go() -> None:
    """Before a call that may last: others get the database connection meanwhile."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()
