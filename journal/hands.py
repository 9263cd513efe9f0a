"""A worker on one revision: what it has at hand, its claim, and what posting and reversing have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from django.utils.translation import gettext as _

from journal.claims import Claim, ClaimLost, Told, claim
from journal.doors import Booked, Clock, Ledger
from journal.models import UNSENT, Deed, Outcome, Revision, State
from journal.settings_models import JournalSettings
from tenants.models import User

SETTLING = timedelta(minutes=10)
UNTIL_SOMEBODY_LOOKS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hands:
    """What a worker has at hand: the campground's settings, the door to its books, a clock, and who asked for it."""

    settings: JournalSettings
    door: Ledger
    clock: Clock
    by: User | None = None


Step: TypeAlias = Callable[[Claim, Hands], None]


def under_claim(revision: Revision, states: Collection[State], hands: Hands, step: Step) -> Revision:
    """Take a step with a revision in one of ``states``, if it is in nobody's hands; the revision as it is then."""
    held = claim(revision, states, clock=hands.clock, by=hands.by)
    if held is not None:
        try:
            if _is_of_this_door(held, hands):
                step(held, hands)
        except ClaimLost:
            pass  # whoever has taken over goes on; what we know is in the log
        finally:
            held.give_back()
    return Revision.objects.of(revision.tenant).select_related("journal__tenant").get(pk=revision.pk)


def _is_of_this_door(held: Claim, hands: Hands) -> bool:
    """A document in one SAP is no business of another's, once the campground has changed over."""
    revision = held.revision
    if revision.state in UNSENT or revision.flavor == hands.settings.flavor:
        return True
    told = Told(Deed.LOOK_UP, Outcome.UNREACHED, _("This journal is in another bookkeeping than the one set now."))
    held.tell(told, **held.pause())
    return False


def record_reversal(held: Claim, deed: Deed, outcome: Outcome, number: str) -> None:
    """It is reversed. Without a number, that is asked for later."""
    later = {"tries": 0, "next_try_at": None} if number else held.pause()
    fields = {"state": State.REVERSED, "reversal_number": number, "reversed_at": held.now}
    held.tell(Told(deed, outcome, number=number), **fields, **later)


def wait_for_a_person(held: Claim, deed: Deed, state: State) -> None:
    """Where nothing can be looked up, somebody has to; once a day the log says so again."""
    told = Told(deed, Outcome.LOST, _("Look in SAP under our reference, and say here what is there."))
    held.tell(told, state=state, next_try_at=held.now + UNTIL_SOMEBODY_LOOKS)


def booked_of(revision: Revision) -> Booked:
    """The document that SAP has of it."""
    return Booked(revision.sap_number, revision.sap_key)
