"""Sends a journal on several connections; one sale in ten goes out twice at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields
from functools import partial
from queue import SimpleQueue
from random import Random
from threading import Barrier, BrokenBarrierError, Event
from typing import Self

from campone.till.answers import acknowledged
from campone.till.asking import Asking, Refused, Request, ask
from campone.till.journal import Entry, Journal
from campone.till.wire import Address, Wire

TWINS = 0.1


@dataclass(frozen=True, slots=True)
class Tally:
    """What sending has cost; ``deliveries`` counts each twin, ``refusals`` holds a line per refused sale."""

    deliveries: int = 0
    sends: int = 0
    lost: int = 0
    replayed: int = 0
    refusals: tuple[str, ...] = ()

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def retries(self) -> int:
        """Sends beyond the first of each delivery."""
        return self.sends - self.deliveries


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run sells: the share of lost answers, the number of connections, and where chance begins."""

    seed: int
    loss: float = 0.0
    parallel: int = 4


class Till:
    """A set of open connections, and the journal that is sent over them."""

    def __init__(self, *, journal: Journal, address: Address, token: str, manner: Manner) -> None:
        """Two connections for each of ``manner.parallel`` sellers, so that every one can send twins."""
        self._journal = journal
        self._manner = manner
        self._stop = Event()
        self._twins = ThreadPoolExecutor(manner.parallel, thread_name_prefix="twin")
        self._wires: SimpleQueue[Wire] = SimpleQueue()
        for _ in range(2 * manner.parallel):
            self._wires.put(Wire(address, token=token))

    def sell(self, entries: Sequence[Entry], *, progress: Callable[[int], None] = lambda _: None) -> Tally:
        """Send every entry until it is acknowledged or refused; ``progress`` hears how many are through.

        Raises:
            TillStopped: the run cannot go on; what is open stays open in the journal.

        """
        tally = Tally()
        sellers = ThreadPoolExecutor(self._manner.parallel, thread_name_prefix="seller")
        try:
            futures = [sellers.submit(self._sell_one, entry) for entry in entries]
            for done, future in enumerate(as_completed(futures), start=1):
                tally += future.result()
                progress(done)
        finally:
            self._stop.set()
            sellers.shutdown(cancel_futures=True)
            self._twins.shutdown(cancel_futures=True)
            self._hang_up()
        return tally

    def _sell_one(self, entry: Entry) -> Tally:
        if Random(f"{self._manner.seed}/{entry.position}").random() >= TWINS:
            return self._deliver(entry, "only")
        start = Barrier(2)
        twin = self._twins.submit(self._deliver, entry, "twin", start)
        return self._deliver(entry, "first", start) + twin.result()

    def _deliver(self, entry: Entry, name: str, start: Barrier | None = None) -> Tally:
        """One till's way with one sale. Its chance hangs on seed, place and name, not on the threads."""
        rng = Random(f"{self._manner.seed}/{entry.position}/{name}")
        asking = Asking(rng=rng, stop=self._stop, loss=self._manner.loss)
        wire = self._wires.get()
        try:
            _wait_for_the_other(start)
            proof = ask(
                wire,
                Request("POST", "transactions/", entry.body),
                understand=partial(acknowledged, external_ref=entry.external_ref),
                asking=asking,
            )
        except Refused as refused:
            refusal = f"{entry.external_ref}: {refused}"
            return Tally(deliveries=1, sends=asking.sends, lost=asking.lost, refusals=(refusal,))
        finally:
            self._wires.put(wire)
        self._journal.acknowledge(entry.external_ref, transaction_id=proof.transaction_id, created=proof.created)
        return Tally(1, asking.sends, asking.lost, replayed=int(not proof.created))

    def _hang_up(self) -> None:
        while not self._wires.empty():
            self._wires.get().close()


def _wait_for_the_other(start: Barrier | None) -> None:
    """Twins leave together; one whose other half never comes goes alone."""
    if start is None:
        return
    try:
        start.wait(timeout=2)
    except BrokenBarrierError:
        return
