"""A flood of made-up tokens under prefixes that exist: what is left for those who have a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.contest import CONNECTIONS, Contestant, Route
from bench.load import Sent, begin, finish, forged, read_output, send

HALF = CONNECTIONS // 2


@dataclass(frozen=True, slots=True)
class Flood:
    """Honest sales without and with the flood, round by round; memory in MiB."""

    quiet: list[Sent]
    honest: list[Sent]
    forged: list[Sent]
    memory_before: float
    memory_after: float

    @property
    def share(self) -> float:
        """What the honest keep, as a share of the quiet; the middle one of all rounds."""
        return median(a.per_second / b.per_second for a, b in zip(self.honest, self.quiet, strict=True))

    @property
    def growth(self) -> float:
        """MiB that the server has taken more."""
        return self.memory_after - self.memory_before


def run_flood(contestant: Contestant, *, rounds: int, seconds: int, tell: Callable[[str], None]) -> Flood:
    """Half of the tills sell; in every second round as many connections forge."""
    before = contestant.server.memory_mib()
    quiet, honest, made_up = [], [], []
    for number in range(1, rounds + 1):
        quiet.append(sell(contestant, f"quiet{number}", seconds))
        pair = sell_under_flood(contestant, f"flood{number}", seconds)
        honest.append(pair[0])
        made_up.append(pair[1])
        tell(
            f"  round {number} quiet {quiet[-1].per_second:,.0f} /s, under flood {honest[-1].per_second:,.0f} /s,"
            f" {made_up[-1].refused / made_up[-1].seconds:,.0f} forged /s refused"
        )
    return Flood(quiet, honest, made_up, before, contestant.server.memory_mib())


def sell(contestant: Contestant, tag: str, seconds: int) -> Sent:
    """Half of the tills, nobody else."""
    calls = contestant.calls(Route.POST, tag)[:HALF]
    folder = contestant.folder / tag
    sent = send(calls, port=contestant.server.port, seconds=seconds, folder=folder)
    contestant.tally.add(sent, HALF)
    return sent


def sell_under_flood(contestant: Contestant, tag: str, seconds: int) -> tuple[Sent, Sent]:
    """The same, while the others' prefixes are forged as fast as answers come; honest and forged."""
    calls, port = [forged(call) for call in contestant.calls(Route.POST, tag)[HALF:]], contestant.server.port
    # The references of a forged sale need no number of their own: one place is enough, and it is the token's.
    flood = begin(calls, port=port, seconds=seconds + 1, folder=contestant.folder / f"{tag}-forged")
    try:
        honest = sell(contestant, tag, seconds)
        return honest, read_output(finish(flood, seconds + 1))
    finally:
        flood.kill()
