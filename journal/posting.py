"""Telling SAP, exactly once: post, look up what became of a lost answer, reverse.

The order keeps it safe. What is about to happen is committed first, SAP is called outside of any transaction, and what
came of it is recorded afterwards. So whatever breaks, the row says what may have happened:

* *sending* without ``sent_at``: SAP was not told yet
* *sending* or *unknown* with ``sent_at``: SAP may have booked it. It is looked up by our reference before anything
  else, and sent again only if it is not there ``SETTLING`` after it was sent: a slow SAP may still be at it
* everything else is certain

SAP is asked before the first sending too. That costs one call a day, and a database restored from yesterday's backup
posts nothing twice. Reversing goes the same way (``reversing.py``). Why so: ADR 0014.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from journal.claims import Claim, Told, let_connection_go
from journal.doors import Booked, Contradiction, DoorClosed, Lost, Refused
from journal.drafting import draft, entry_of
from journal.hands import SETTLING, Hands, record_reversal, under_claim, wait_for_a_person
from journal.labels import label_of
from journal.models import UNSENT, Deed, Outcome, Revision, State, lines_of
from journal.postings import Posting, Unbalanced
from journal.settings_models import chart_of

TO_POST = (*UNSENT, State.SENDING, State.UNKNOWN)


def post(revision: Revision, hands: Hands) -> Revision:
    """Bring a revision as far towards *posted* as can be done now; the revision as it is then.

    Calling it again is always safe. Nothing happens while somebody else is at it, or where nothing is to be done.
    """
    return under_claim(revision, TO_POST, hands, _post)


def _post(held: Claim, hands: Hands) -> None:
    if held.revision.state in UNSENT and not _freeze(held, hands):
        return
    if _may_send(held, hands):
        _send(held, hands)


def _freeze(held: Claim, hands: Hands) -> bool:
    """Make the lines, from now on unchangeable, unless SAP turns out not to have them; False if none are to be sent."""
    journal = held.revision.journal
    try:
        lines = draft(journal, chart_of(journal.tenant))
    except Unbalanced as error:
        told = Told(Deed.POST, Outcome.UNBALANCED, _("Debit and credit differ, nothing was sent: %s") % error)
        held.tell(told, state=State.FAILED, **held.pause())
        return False
    if not lines:
        told = Told(Deed.POST, Outcome.NOTHING, _("Nothing was sold, so nothing is posted."))
        held.tell(told, state=State.NOTHING, lines=[], next_try_at=None)
        return False
    if hands.settings.block_unmapped and any(line.unmapped for line in lines):
        told = Told(Deed.POST, Outcome.BLOCKED, _missing_accounts(lines))
        held.tell(told, state=State.BLOCKED, **held.pause())
        return False
    held.renew(state=State.SENDING, lines=lines_of(lines), flavor=hands.settings.flavor, sent_at=None)
    return True


def _missing_accounts(lines: tuple[Posting, ...]) -> str:
    names = ", ".join(label_of(line.key) for line in lines if line.unmapped)
    return _("No account is set for: %s.") % names


def _may_send(held: Claim, hands: Hands) -> bool:
    """Whether SAP surely has nothing of it, and may be told now; what else is found is recorded."""
    revision = held.revision
    if not hands.door.can_look_up:
        if revision.sent_at is not None:
            wait_for_a_person(held, Deed.LOOK_UP, State.UNKNOWN)
        return revision.sent_at is None
    let_connection_go()
    try:
        found = hands.door.find(entry_of(revision))
    except Contradiction as error:
        held.tell(Told(Deed.LOOK_UP, Outcome.CONTRADICTION, str(error)), state=State.UNKNOWN, **held.pause())
        return False
    except DoorClosed as error:
        state = State.FAILED if revision.sent_at is None else State.UNKNOWN
        held.tell(Told(Deed.LOOK_UP, Outcome.UNREACHED, str(error)), state=state, **held.pause())
        return False
    if found is not None:
        _record(held, Deed.LOOK_UP, Outcome.FOUND, found)
        return False
    return revision.sent_at is None or _has_settled(held, hands)


def _has_settled(held: Claim, hands: Hands) -> bool:
    """It is not in SAP. Late enough after it was sent, that is final, and it may be sent anew."""
    sent_at = held.revision.sent_at
    assert sent_at is not None  # noqa: S101 (for the type checker: asked only then)
    if held.now - sent_at < SETTLING:
        told = Told(Deed.LOOK_UP, Outcome.ABSENT, _("Not in SAP yet. It is looked up again before it is repeated."))
        held.tell(told, state=State.UNKNOWN, next_try_at=sent_at + SETTLING)
        return False
    told = Told(Deed.LOOK_UP, Outcome.ABSENT, _("It did not arrive in SAP."))
    held.tell(told, state=State.FAILED, sent_at=None)
    return _freeze(held, hands)


def _send(held: Claim, hands: Hands) -> None:
    held.renew(sent_at=held.now)
    let_connection_go()
    try:
        booked = hands.door.post(entry_of(held.revision))
    except Lost as error:
        held.tell(Told(Deed.POST, Outcome.LOST, str(error)), state=State.UNKNOWN, **held.pause())
    except Refused as error:
        _after_refusal(held, hands, str(error))
    except DoorClosed as error:
        told = Told(Deed.POST, Outcome.UNREACHED, str(error))
        held.tell(told, state=State.FAILED, sent_at=None, **held.pause())
    else:
        _record(held, Deed.POST, Outcome.DONE, booked)


def _after_refusal(held: Claim, hands: Hands, sentence: str) -> None:
    """SAP said no. If because it has it already, it is there under our reference."""
    told = Told(Deed.POST, Outcome.REFUSED, sentence)
    try:
        found = hands.door.find(entry_of(held.revision)) if hands.door.can_look_up else None
    except DoorClosed:
        held.tell(told, state=State.UNKNOWN, **held.pause())
        return
    if found is None:
        held.tell(told, state=State.FAILED, sent_at=None, **held.pause())
    else:
        held.tell(told)
        _record(held, Deed.LOOK_UP, Outcome.FOUND, found)


def _record(held: Claim, deed: Deed, outcome: Outcome, booked: Booked) -> None:
    """It is in SAP; and if somebody has reversed it there, that too."""
    fields = {
        "sap_key": booked.key,
        "sap_number": booked.number,
        "posted_at": held.now,
        "tries": 0,
        "next_try_at": None,
    }
    held.tell(Told(deed, outcome, number=booked.number), state=State.POSTED, **fields)
    if booked.reversal:
        record_reversal(held, Deed.LOOK_UP_REVERSAL, Outcome.FOUND, booked.reversal)
