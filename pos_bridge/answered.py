"""Calls that have been answered, for whoever wants to hear of them afterwards: figures, log lines, traces.

A call pays for one ``append()``, and where nobody listens for nothing. Whoever listens drains the queue beside the
calls; one that has fallen behind loses the oldest, and never holds anybody up.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from django.urls import ResolverMatch

    from pos_bridge.activity import Call

Told: TypeAlias = "tuple[Call, int, ResolverMatch | None, float]"
"""A call, its status, the route it took if there is one, and when it was answered by ``time.perf_counter()``."""

UNDER_WAY = threading.local()
"""Its ``call`` is the one that this thread answers, or has answered last: the operator's log names it."""

MOST_WAITING = 100_000
LISTENING: deque[Told] | None = None


def listen() -> deque[Told]:
    """From now on calls are told; the same queue for all who ask."""
    global LISTENING  # noqa: PLW0603 (one queue for the process; a call looks here)
    if LISTENING is None:
        LISTENING = deque(maxlen=MOST_WAITING)
    return LISTENING


def stop_listening() -> None:
    """From now on nobody is told."""
    global LISTENING  # noqa: PLW0603 (the same)
    LISTENING = None
