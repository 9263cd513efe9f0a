"""What the journal asks of a bookkeeping, whichever it is: book, look up, reverse, look the reversal up, test.

A door knows one bookkeeping's language and keeps nothing. It either returns what is certain, or raises.

Errors::

    DoorClosed
    ├── Unreached        surely nothing was booked: not reached, not let in, or out of order
    ├── Lost             it may have been booked: look it up before anything else
    ├── Refused          it was understood, and surely not booked
    └── Contradiction    there is something else under our reference; a person has to look
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from journal.postings import Posting
from tenants.outgoing import Answer, AnswerLost, NotSent, Outgoing

LONGEST_SENTENCE = 400


class DoorClosed(Exception):
    """It did not work; the text says why, for people, and holds no secret."""

    def __init__(self, sentence: str) -> None:
        super().__init__(tidy(sentence))


class Unreached(DoorClosed):
    """Surely nothing was booked."""


class Lost(DoorClosed):
    """It may have been booked, or not."""


class Refused(DoorClosed):
    """Understood, and surely not booked."""


class Contradiction(DoorClosed):
    """Something else stands under our reference."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be booked. ``reference`` is ours alone; ``title`` is for the reader of the books."""

    reference: str
    business_date: date
    currency: str
    title: str
    lines: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Booked:
    """A document: ``number`` as people know it, ``key`` as the interface does; and its reversal, if there is one."""

    number: str
    key: str
    reversal: str = ""


@dataclass(frozen=True, slots=True)
class Tested:
    """How a test of the connection went."""

    passed: bool
    sentence: str


class Ledger(Protocol):
    """A bookkeeping's door. ``can_look_up`` is False where only a person can tell what became of a lost answer."""

    can_look_up: bool

    def find(self, entry: Entry) -> Booked | None:
        """The document under our reference; None if there surely is none."""

    def post(self, entry: Entry) -> Booked:
        """Book it: once, if it is asked once."""

    def find_reversal(self, entry: Entry, booked: Booked) -> str | None:
        """The number of the document that reverses this one; None if there surely is none."""

    def reverse(self, entry: Entry, booked: Booked) -> str:
        """Reverse it; the reversal's number, or "" where it was reversed and its number cannot be learned now."""

    def test(self) -> Tested:
        """Whether everything needed is there; books nothing."""

    def close(self) -> None:
        """Say goodbye."""


class Shut:
    """A door that does not open, and says why: so every journal that needs it says so too."""

    can_look_up = True

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    def find(self, entry: Entry) -> Booked | None:
        raise Unreached(self._sentence)

    def post(self, entry: Entry) -> Booked:
        raise Unreached(self._sentence)

    def find_reversal(self, entry: Entry, booked: Booked) -> str | None:
        raise Unreached(self._sentence)

    def reverse(self, entry: Entry, booked: Booked) -> str:
        raise Unreached(self._sentence)

    def test(self) -> Tested:
        return Tested(passed=False, sentence=tidy(self._sentence))

    def close(self) -> None:
        """Nothing was opened."""


Clock = Callable[[], datetime]
"""The edge's clock, handed in: what is done here lasts, and a moment handed in would grow old."""


def send(outgoing: Outgoing, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
    """A door's call, and its answer, whatever its status. What only reads can be asked again: nothing of it is lost.

    Raises:
        Unreached: nobody was reached, or what was to be read did not come.
        Lost: the call went out, and its answer did not come.
    """
    try:
        return outgoing.call(method, url, content=content, headers=headers)
    except NotSent as error:
        raise Unreached(str(error)) from None
    except AnswerLost as error:
        raise (Unreached if method == "GET" else Lost)(str(error)) from None


def tidy(sentence: str) -> str:
    """A text of another machine's, for a log of ours: one line, bounded, without control characters."""
    flat = re.sub(r"\s+", " ", "".join(each if each.isprintable() else " " for each in sentence)).strip()
    return flat if len(flat) <= LONGEST_SENTENCE else flat[: LONGEST_SENTENCE - 1] + "…"


Amounts = Counter[tuple[str, Decimal]]
"""The lines of a document: account and amount, debit positive; their order does not count."""


def amounts_of(lines: Iterable[Posting]) -> Amounts:
    """What a document of ours says."""
    return Counter((bare(line.account), line.amount) for line in lines)


def mirrored(amounts: Amounts) -> Amounts:
    """What its reversal says."""
    return Counter({(account, -amount): count for (account, amount), count in amounts.items()})


def bare(account: str) -> str:
    """An account's number without the zeros that SAP may put before it."""
    return account.lstrip("0") or account
