"""Interleaved rounds: everyone once, then everyone again, so that a slow minute of the machine hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from bench.accounting import cpu_seconds
from bench.database import Database
from bench.load import LoadFailed, Sent
from bench.servers import Server

# Let the last answers arrive before the books are read.
SETTLE = 0.2


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of one target came to; CPU in seconds, memory in MiB, log in bytes."""

    sent: Sent
    server_cpu: float
    database_cpu: float
    memory: float
    wal: int

    def per_thousand(self, seconds: float) -> float:
        """CPU seconds for a thousand accepted calls."""
        return 1000 * seconds / self.sent.accepted

    @property
    def server(self) -> float:
        """Of the server's processes, for a thousand calls."""
        return self.per_thousand(self.server_cpu)

    @property
    def database(self) -> float:
        """Of the database's processes, for a thousand calls."""
        return self.per_thousand(self.database_cpu)

    @property
    def both(self) -> float:
        """Of server and database, for a thousand calls."""
        return self.server + self.database

    @property
    def wal_per_call(self) -> float:
        """Bytes of write-ahead log for each accepted call."""
        return self.wal / self.sent.accepted


@dataclass(frozen=True, slots=True)
class Entrant:
    """Who takes part: how a load is put on it for some seconds, and its server if it has one."""

    name: str
    load: Callable[[int], Sent]
    server: Server | None


def run_rounds(
    entrants: Sequence[Entrant], *, database: Database | None, count: int, tell: Callable[[str], None]
) -> dict[str, list[Round]]:
    """So many rounds over all entrants, in turn; one whose load breaks off takes no further part."""
    results: dict[str, list[Round]] = {entrant.name: [] for entrant in entrants}
    going = list(entrants)
    for number in range(1, count + 1):
        for entrant in list(going):
            try:
                measured = run_round(entrant, number, database=database)
            except LoadFailed as failed:
                going.remove(entrant)
                tell(f"  round {number} {entrant.name:10} out: {failed}")
                continue
            results[entrant.name].append(measured)
            tell(f"  round {number} {entrant.name:10} {describe(measured)}")
    return results


def run_round(entrant: Entrant, number: int, *, database: Database | None) -> Round:
    """One round of one entrant; ``database`` is None where there is no database server.

    The log's position is asked for outside of the books: the question itself costs the database some CPU.

    Raises:
        LoadFailed: nothing was accepted.
    """
    wal = database.wal_position() if database else 0
    before = read_books(entrant.server, database)
    sent = entrant.load(number)
    if not sent.accepted:
        raise LoadFailed(f"None of {sent.requests} calls was accepted.")
    if entrant.server:
        time.sleep(SETTLE)
    after = read_books(entrant.server, database)
    return Round(
        sent=sent,
        server_cpu=after.server_cpu - before.server_cpu,
        database_cpu=after.database_cpu - before.database_cpu,
        memory=entrant.server.memory_mib() if entrant.server else 0.0,
        wal=(database.wal_position() if database else 0) - wal,
    )


class Books(NamedTuple):
    """CPU seconds used so far."""

    server_cpu: float
    database_cpu: float


def read_books(server: Server | None, database: Database | None) -> Books:
    """The state of the books now."""
    return Books(
        server_cpu=server.cpu_seconds() if server else 0.0,
        database_cpu=cpu_seconds(database.pid) if database else 0.0,
    )


def describe(measured: Round) -> str:
    """One line for whoever waits."""
    sent = measured.sent
    cpu = f"{measured.server:.3f} + {measured.database:.3f} s/1000"
    said = f"{sent.per_second:8,.0f} /s  p99 {sent.p99:6.1f} ms  CPU {cpu}"
    return f"{said}  refused {sent.refused} broken {sent.broken}" if sent.refused or sent.broken else said


def median_of(rounds: Sequence[Round], value: Callable[[Round], float]) -> float:
    """The middle one of a figure over all rounds."""
    return median(value(each) for each in rounds)


def median_ratio(
    results: Mapping[str, Sequence[Round]], ours: str, theirs: str, value: Callable[[Round], float]
) -> float:
    """The middle one of the ratios within each round: neighbours in time are compared, not averages of hours."""
    return median(value(a) / value(b) for a, b in zip(results[ours], results[theirs], strict=True))
