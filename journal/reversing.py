"""Undoing in SAP what was posted: in the same order as posting, and as safe (``posting.py``).

What did not arrive is not repeated by itself: whoever wanted it reversed is told, and decides again.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from journal.claims import Claim, Told, let_connection_go
from journal.doors import DoorClosed, Lost, Refused
from journal.drafting import entry_of
from journal.hands import SETTLING, Hands, booked_of, record_reversal, under_claim, wait_for_a_person
from journal.models import Deed, Outcome, Revision, State

TO_REVERSE = (State.POSTED, State.REVERSING, State.REVERSAL_UNKNOWN)


def reverse(revision: Revision, hands: Hands) -> Revision:
    """Bring a posted revision as far towards *reversed* as can be done now; the revision as it is then."""
    return under_claim(revision, TO_REVERSE, hands, _reverse)


def learn_reversal_number(revision: Revision, hands: Hands) -> Revision:
    """Ask once more for the number of a reversal that is certain, but was not told."""
    return under_claim(revision, (State.REVERSED,), hands, _learn_reversal_number)


def _reverse(held: Claim, hands: Hands) -> None:
    if held.revision.state == State.POSTED:
        held.renew(state=State.REVERSING, sent_at=None)
    if _may_send_reversal(held, hands):
        _send_reversal(held, hands)


def _may_send_reversal(held: Claim, hands: Hands) -> bool:
    """Whether SAP surely has not reversed it, and may be told now; what else is found is recorded."""
    sent_at = held.revision.sent_at
    if not hands.door.can_look_up:
        if sent_at is not None:
            wait_for_a_person(held, Deed.LOOK_UP_REVERSAL, State.REVERSAL_UNKNOWN)
        return sent_at is None
    let_connection_go()
    try:
        number = hands.door.find_reversal(entry_of(held.revision), booked_of(held.revision))
    except DoorClosed as error:
        state = State.POSTED if sent_at is None else State.REVERSAL_UNKNOWN
        held.tell(Told(Deed.LOOK_UP_REVERSAL, Outcome.UNREACHED, str(error)), state=state, **held.pause())
        return False
    if number is not None:
        record_reversal(held, Deed.LOOK_UP_REVERSAL, Outcome.FOUND, number)
        return False
    if sent_at is not None:
        _reversal_is_absent(held)
    return sent_at is None


def _reversal_is_absent(held: Claim) -> None:
    """Not there: not yet, or not at all. It is not repeated by itself; the person who wanted it is told."""
    sent_at = held.revision.sent_at
    assert sent_at is not None  # noqa: S101 (for the type checker: asked only then)
    if held.now - sent_at < SETTLING:
        told = Told(Deed.LOOK_UP_REVERSAL, Outcome.ABSENT, _("The reversal is not in SAP yet. It is looked up again."))
        held.tell(told, state=State.REVERSAL_UNKNOWN, next_try_at=sent_at + SETTLING)
    else:
        told = Told(Deed.LOOK_UP_REVERSAL, Outcome.ABSENT, _("The reversal did not arrive in SAP. Reverse it again."))
        held.tell(told, state=State.POSTED, tries=0, next_try_at=None)


def _send_reversal(held: Claim, hands: Hands) -> None:
    held.renew(sent_at=held.now)
    let_connection_go()
    try:
        number = hands.door.reverse(entry_of(held.revision), booked_of(held.revision))
    except Lost as error:
        held.tell(Told(Deed.REVERSE, Outcome.LOST, str(error)), state=State.REVERSAL_UNKNOWN, **held.pause())
    except Refused as error:
        _after_refused_reversal(held, hands, str(error))
    except DoorClosed as error:
        held.tell(Told(Deed.REVERSE, Outcome.UNREACHED, str(error)), state=State.POSTED)
    else:
        record_reversal(held, Deed.REVERSE, Outcome.DONE, number)


def _after_refused_reversal(held: Claim, hands: Hands, sentence: str) -> None:
    """SAP said no. If because somebody has reversed it already, SAP knows by which document."""
    told = Told(Deed.REVERSE, Outcome.REFUSED, sentence)
    try:
        can_look_up = hands.door.can_look_up
        number = hands.door.find_reversal(entry_of(held.revision), booked_of(held.revision)) if can_look_up else None
    except DoorClosed:
        held.tell(told, state=State.REVERSAL_UNKNOWN, **held.pause())
        return
    if number is None:
        held.tell(told, state=State.POSTED)
    else:
        held.tell(told)
        record_reversal(held, Deed.LOOK_UP_REVERSAL, Outcome.FOUND, number)


def _learn_reversal_number(held: Claim, hands: Hands) -> None:
    if held.revision.reversal_number:
        return
    let_connection_go()
    try:
        number = hands.door.find_reversal(entry_of(held.revision), booked_of(held.revision))
    except DoorClosed as error:
        held.tell(Told(Deed.LOOK_UP_REVERSAL, Outcome.UNREACHED, str(error)), **held.pause())
        return
    if number is None:
        held.tell(Told(Deed.LOOK_UP_REVERSAL, Outcome.ABSENT), **held.pause())
    else:
        told = Told(Deed.LOOK_UP_REVERSAL, Outcome.FOUND, number=number)
        held.tell(told, reversal_number=number, tries=0, next_try_at=None)
