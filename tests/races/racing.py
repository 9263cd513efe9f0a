"""Many deeds at the same moment, each in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

from kasse.models import Transaction

T = TypeVar("T")


def race(deeds: Sequence[Callable[[], T]]) -> list[T]:
    """Let all deeds loose at one signal; their results in the order of the deeds."""
    signal = threading.Barrier(len(deeds))

    def run(deed: Callable[[], T]) -> T:
        signal.wait()
        return with_own_connection(deed)

    with ThreadPoolExecutor(len(deeds)) as threads:
        return list(threads.map(run, deeds))


def crowd(deeds: Sequence[Callable[[], T]], *, at_once: int) -> list[T]:
    """Do all deeds, so many at once; their results in the order of the deeds."""
    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(with_own_connection, deeds))


def with_own_connection(deed: Callable[[], T]) -> T:
    """Do it, and close what this thread has opened."""
    try:
        return deed()
    finally:
        connections.close_all()


def wait_for_sales(enough: int) -> None:
    """Until so many sales are stored."""
    until(lambda: Transaction.objects.count() >= enough)


def until(it_is_so: Callable[[], bool]) -> None:
    """Look again and again; fail, rather than hang, if it never becomes so."""
    deadline = time.monotonic() + 30
    while not it_is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)
