"""What several threads ask for at the same moment, done in one go.

Whoever comes first begins at once. Whoever comes while that is under way waits, and goes with all others who wait in
the next go: the busier it gets, the more go together, and nobody waits for company. Databases do so with their
commits ("group commit").

Nobody waits for long on somebody else's account either. A go that takes longer than ``patience`` is left to itself, and
one of those who wait begins another. One that fails is done again, each by itself, if nothing has come of it.
"""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Work = TypeVar("Work")


@dataclass(slots=True, eq=False)
class _Ticket(Generic[Work]):
    """Someone's work. ``bell`` rings once, when the work is theirs to begin, or done."""

    work: Work
    turn: Hashable
    bell: threading.Lock = field(default_factory=threading.Lock)
    under_way: bool = False
    leads: bool = False
    alone: bool = False
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self.bell.acquire()


class Together(Generic[Work]):
    """Does work in goes of up to ``most``, no two of the same turn in one go.

    ``do`` does it, and changes the work to say what came of it. ``nothing_came_of_it`` is asked, in the same thread,
    whether a go that has failed may be done again. ``patience`` is in seconds.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Work]], None],
        *,
        nothing_came_of_it: Callable[[Exception], bool],
        most: int,
        patience: float,
    ) -> None:
        self._do = do
        self._nothing_came_of_it = nothing_came_of_it
        self._most = most
        self._patience = patience
        self._guard = threading.Lock()
        self._waiting: deque[_Ticket[Work]] = deque()
        self._leader: _Ticket[Work] | None = None

    def do(self, work: Work, *, turn: Hashable) -> None:
        """Have it done, alone or with others; returns once it is.

        Raises:
            Exception: what ``do`` has raised for it.
        """
        ticket = _Ticket(work, turn)
        with self._guard:
            if self._leader is None:
                self._leader, ticket.leads = ticket, True
            else:
                self._waiting.append(ticket)
        if not ticket.leads:
            self._wait(ticket)
        if ticket.leads:
            self._lead(ticket)
        if ticket.alone:
            self._do([work])
        elif ticket.error is not None:
            raise ticket.error

    def _wait(self, ticket: _Ticket[Work]) -> None:
        if ticket.bell.acquire(timeout=self._patience):
            return
        with self._guard:
            if not ticket.under_way and not ticket.leads:
                self._waiting.remove(ticket)
                self._leader, ticket.leads = ticket, True
                return
        ticket.bell.acquire()

    def _lead(self, ticket: _Ticket[Work]) -> None:
        with self._guard:
            group = [ticket, *self._others(ticket)]
        error: BaseException | None = None
        again = False
        try:
            self._do([each.work for each in group])
        except Exception as failed:  # noqa: BLE001 (it is raised again, in the thread of each)
            error, again = failed, len(group) > 1 and self._nothing_came_of_it(failed)
        except BaseException as broken:
            error = broken
            raise
        finally:
            self._hand_over(ticket)
            for each in group:
                each.alone, each.error = again, _own(error, of=each, leader=ticket)
            for each in group[1:]:
                each.bell.release()

    def _others(self, leader: _Ticket[Work]) -> list[_Ticket[Work]]:
        """Who goes along, in the order in which they came; whose turn is taken waits on."""
        found: list[_Ticket[Work]] = []
        turns, left = {leader.turn}, []
        while self._waiting and len(found) < self._most - 1:
            each = self._waiting.popleft()
            if each.turn in turns:
                left.append(each)
                continue
            turns.add(each.turn)
            each.under_way = True
            found.append(each)
        self._waiting.extendleft(reversed(left))
        return found

    def _hand_over(self, ticket: _Ticket[Work]) -> None:
        """The next one leads, unless somebody has lost patience with us and leads already."""
        with self._guard:
            if self._leader is not ticket:
                return
            self._leader = following = self._waiting.popleft() if self._waiting else None
            if following:
                following.leads = True
        if following:
            following.bell.release()


def _own(error: BaseException | None, *, of: _Ticket[Work], leader: _Ticket[Work]) -> BaseException | None:
    """Several threads must not raise one and the same exception: each adds its own traceback."""
    if error is None or of is leader:
        return error
    own = copy.copy(error)
    own.__cause__ = error.__cause__
    return own
