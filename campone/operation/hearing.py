"""Hears of each answered call, beside the calls: a thread of each worker counts them, writes lines, and tells of spans.

So a call itself pays for one ``append()`` (``pos_bridge.answered``). What the thread has not heard when a worker is
killed is lost, at most one second of it; a worker that is told to stop hears everything first.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.util import Finalize

from pos_bridge.activity import outcome_of
from pos_bridge.answered import Told, listen

SECONDS = 1.0
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A call that has been answered. ``route``, ``method``, ``outcome`` and ``code`` have few values each; texts are
    escaped, and hold no token.
    """

    at: datetime
    route: str
    method: str
    path: str
    status: int
    outcome: str
    code: str
    seconds: float
    request_id: str
    key_prefix: str


Ear = Callable[[list[Heard]], None]


def heard_of(told: Told) -> Heard:
    """What is counted and written of a call."""
    call, status, match, answered = told
    return Heard(
        at=call.at,
        route=match.view_name if match else "unknown",
        method=call.method if call.method in METHODS else "other",
        path=call.path,
        status=status,
        outcome=outcome_of(call, status).value,
        code=call.error_code,
        seconds=answered - call.started,
        request_id=call.request_id,
        key_prefix=call.key_prefix,
    )


class Listener:
    """Gives each answered call to its ears, once, in the order of the answers."""

    def __init__(self, ears: Iterable[Ear], told: deque[Told] | None = None) -> None:
        self.ears = tuple(ears)
        self.told = listen() if told is None else told
        self.in_turn = threading.Lock()
        self.stopping = threading.Event()

    def start(self) -> None:
        """Listen until the process ends."""
        threading.Thread(target=self._listen, name="answered-calls", daemon=True).start()
        # A forked worker ends without what ``atexit`` keeps.
        Finalize(None, self.stop, exitpriority=0)

    def stop(self) -> None:
        """Hear what is left."""
        self.stopping.set()
        self.hear()

    def hear(self) -> None:
        """Hear everything that has been told by now; an ear in trouble is no other one's trouble."""
        with self.in_turn:
            calls = [heard_of(self.told.popleft()) for _ in range(len(self.told))]
            for ear in self.ears:
                try:
                    ear(calls)
                except Exception:
                    LOGGER.exception("Answered calls were not heard of.")

    def _listen(self) -> None:
        while not self.stopping.wait(SECONDS):
            self.hear()
