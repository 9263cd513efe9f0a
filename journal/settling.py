"""What a person decides: what became of an answer that nobody can look up, and to post a reversed journal again.

Errors::

    NotNow      the revision is not in the state that this is for, or somebody is at work on it
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from journal.claims import Claim, ClaimLost, Told, claim
from journal.doors import Clock
from journal.models import Deed, Journal, Outcome, Revision, State
from journal.opening import add_revision
from journal.settings_models import Flavor, JournalSettings
from tenants.models import User
from tenants.trail_models import trace


class NotNow(Exception):
    """It cannot be done to the revision as it is."""


def settle_posting(revision: Revision, *, number: str, company: str, clock: Clock, by: User) -> None:
    """Somebody has looked in SAP: it is there under this document number, or, with an empty one, not at all.

    Raises:
        NotNow: its answer is not lost, or somebody is at work on it.
    """
    held = _hold(revision, State.UNKNOWN, clock=clock, by=by)
    told = Told(Deed.LOOK_UP, Outcome.SETTLED, number=number)
    if number:
        key = _key_of(held.revision, number, company)
        fields = {"sap_number": number, "sap_key": key, "posted_at": held.now, "tries": 0, "next_try_at": None}
        _settle(held, told, state=State.POSTED, **fields)
    else:
        _settle(held, told, state=State.FAILED, sent_at=None, tries=0, next_try_at=None)


def settle_reversal(revision: Revision, *, number: str, clock: Clock, by: User) -> None:
    """The same for a reversal: it is there under this number, or, with an empty one, not at all.

    Raises:
        NotNow: its reversal's answer is not lost, or somebody is at work on it.
    """
    held = _hold(revision, State.REVERSAL_UNKNOWN, clock=clock, by=by)
    told = Told(Deed.LOOK_UP_REVERSAL, Outcome.SETTLED, number=number)
    if number:
        fields = {"reversal_number": number, "reversed_at": held.now}
        _settle(held, told, state=State.REVERSED, tries=0, next_try_at=None, **fields)
    else:
        _settle(held, told, state=State.POSTED, tries=0, next_try_at=None)


def begin_again(journal: Journal, settings: JournalSettings, *, at: datetime) -> Revision:
    """The next revision of a journal whose last one is reversed: the same sales, the accounts of now.

    Raises:
        NotNow: a revision of it is live.
    """
    try:
        with transaction.atomic():
            trace(journal.tenant, "journal.begun_again", journal)
            return add_revision(journal, flavor=settings.flavor, at=at)
    except IntegrityError:
        raise NotNow from None


def _hold(revision: Revision, state: State, *, clock: Clock, by: User) -> Claim:
    held = claim(revision, (state,), clock=clock, by=by)
    if held is None:
        raise NotNow
    return held


def _settle(held: Claim, told: Told, **fields: object) -> None:
    try:
        with transaction.atomic():
            held.tell(told, **fields)
            trace(held.revision.tenant, "journal.settled", held.revision, deed=told.deed.value, number=told.number)
    except ClaimLost:
        raise NotNow from None
    finally:
        held.give_back()


def _key_of(revision: Revision, number: str, company: str) -> str:
    """How SAP's interface calls the document that people know by ``number``."""
    if revision.flavor == Flavor.S4HANA:
        return f"{number.zfill(10)}/{company}/{revision.journal.business_date.year}"
    return number
