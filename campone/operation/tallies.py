"""Calls counted, by one worker and by all of a server together.

Each worker keeps its counts in a file of its own, in a folder that they share, and writes it anew each second. Only
what stands in files is told, so that no count ever falls, whichever worker is asked; the file of one that has ended
counts on.
"""

from __future__ import annotations

import json
import os
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from campone.operation.hearing import Heard

BOUNDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Of the histogram, in seconds; what takes longer comes after the last."""
ALIVE_SECONDS = 10

CallLabels = tuple[str, str, str, str, str]
RouteLabels = tuple[str, str]


@dataclass(slots=True)
class Tallies:
    """``calls`` by route, method, status, outcome and error code; ``buckets`` and ``seconds`` by route and method;
    ``pool`` by the names that the pool has for its figures; ``workers`` that were alive a moment ago.
    """

    calls: Counter[CallLabels] = field(default_factory=Counter)
    buckets: defaultdict[RouteLabels, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: Counter[RouteLabels] = field(default_factory=Counter)
    pool: Counter[str] = field(default_factory=Counter)
    workers: int = 0

    def add(self, calls: Iterable[Heard]) -> None:
        """Count calls."""
        for call in calls:
            route = (call.route, call.method)
            self.calls[*route, str(call.status), call.outcome, call.code] += 1
            self.buckets[route][bisect_left(BOUNDS, call.seconds)] += 1
            self.seconds[route] += call.seconds  # type: ignore[assignment]  # a Counter of seconds, not of whole ones

    def to_json(self, pool: Mapping[str, int]) -> str:
        """What stands in a worker's file."""
        shares = [[*route, dict(shares), self.seconds[route]] for route, shares in self.buckets.items()]
        return json.dumps({"calls": [[*labels, n] for labels, n in self.calls.items()], "shares": shares, "pool": pool})

    def merge(self, told: Mapping[str, Any], *, alive: bool) -> None:
        """Add what stands in a worker's file; the connections of one that has ended are gone."""
        self.calls.update({tuple(labels): number for *labels, number in told["calls"]})
        for route, method, shares, seconds in told["shares"]:
            self.buckets[route, method].update({int(index): number for index, number in shares.items()})
            self.seconds[route, method] += seconds
        if alive:
            self.workers += 1
            self.pool.update(told["pool"])


class WorkersFile:
    """The counts of this worker, and the file in which they stand."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{os.getpid()}.json"
        self.tallies = Tallies()

    def hear(self, calls: list[Heard]) -> None:
        """Count calls, and write the file: whole, or as it was."""
        self.tallies.add(calls)
        beside = self.path.with_suffix(".new")
        beside.write_text(self.tallies.to_json(pool_figures()))
        beside.replace(self.path)


def tallies_in(folder: Path) -> Tallies:
    """The counts of all workers."""
    together = Tallies()
    for path in folder.glob("*.json"):
        together.merge(json.loads(path.read_text()), alive=time.time() - path.stat().st_mtime < ALIVE_SECONDS)
    return together


def pool_figures() -> dict[str, int]:
    """The connections to PostgreSQL of this process: how many there are and may be, are idle, are waited for."""
    pools = getattr(connections[DEFAULT_DB_ALIAS], "_connection_pools", {})
    pool = pools.get(DEFAULT_DB_ALIAS)
    stats = pool.get_stats() if pool else {}
    return {name: stats.get(name, 0) for name in ("pool_size", "pool_max", "pool_available", "requests_waiting")}
