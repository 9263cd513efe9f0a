"""Sending what lies in the outbox: in batches where the bridge takes them, one by one where it does not.

Every outcome is one of three: acknowledged, set aside with the bridge's reason, or unknown. Unknown is sent
again, later and with the same bytes. What is wrong with one sale delays that sale; what is wrong with the way
to the bridge, or with the key, pauses everybody on this outbox.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from till_client import waiting
from till_client.answers import ItemResult, Result
from till_client.client import LARGEST_BATCH, TillClient, batches
from till_client.errors import Answered, KeyRefused, NoAnswer, NotOffered, SaleRefused, TillClientError, TryLater
from till_client.outbox import Claimed, Outbox
from till_client.sale import Sale

SINGLY = 5
FAILURES_IN_A_ROW = 3
BATCH_ASKED_AGAIN_AFTER = 500
"""Where batches are not offered, so many single posts are made before one is tried again."""
SERVER_ERROR = 500


@dataclass(slots=True)
class Tally:
    """What a drain has done so far: ``calls`` to the bridge, and sales by what became of them."""

    calls: int = 0
    created: int = 0
    replayed: int = 0
    set_aside: int = 0
    unknown: int = 0

    def __str__(self) -> str:
        acknowledged = self.created + self.replayed
        return (
            f"{acknowledged} acknowledged ({self.replayed} of them again), {self.set_aside} set aside,"
            f" {self.unknown} to be sent again, {self.calls} calls"
        )


@dataclass(slots=True)
class Drain:
    """One sender on one outbox; any number may work beside each other, in threads or processes.

    ``say`` gets one line whenever something goes wrong; no line holds a token or a sale.
    """

    outbox: Outbox
    client: TillClient
    rng: Random = field(default_factory=Random)
    say: Callable[[str], None] = lambda _: None
    tally: Tally = field(default_factory=Tally)
    _most: int = LARGEST_BATCH
    _singles_left: int = 0
    _failures: int = 0
    _told_of: str = ""

    def step(self) -> float | None:
        """Make one call's worth of progress.

        The seconds until the next step is worthwhile, 0 for at once; None when everything is settled.
        """
        due = self.outbox.next_due()
        if due is None:
            return None
        if (pause := self.outbox.pause_left()) > 0:
            return pause
        claimed = self.outbox.claim(SINGLY if self._singles_left else self._most)
        if not claimed:
            return due or 0.1
        try:
            self._send(claimed)
        except (NoAnswer, Answered) as error:
            self._break_off(error)
        finally:
            self.outbox.give_back()
        self._tell_of_the_key()
        return 0.0

    def _tell_of_the_key(self) -> None:
        """Say once that the key ends: whoever reads it has a month to fetch its successor."""
        ends = self.client.key_expires
        if ends != self._told_of:
            self._told_of = ends
            self.say(f"The key of this till ends at {ends}: ask the campground for its successor")

    def until_settled(self, *, patience: float = 60.0, stop: threading.Event | None = None) -> bool:
        """Send until nothing waits; whether that was reached before a wait longer than ``patience`` seconds."""
        stopping = stop or threading.Event()
        while (wait := self.step()) is not None:
            if wait > patience or stopping.wait(wait):
                return False
        return True

    def for_ever(
        self, stop: threading.Event, *, woken: threading.Event | None = None, idle_seconds: float = 5.0
    ) -> None:
        """Send until told to stop.

        ``woken``, if there is one, is set by whoever has put something into the outbox, or wants it to stop.
        """
        while not stop.is_set():
            wait = self.step()
            (woken or stop).wait(idle_seconds if wait is None else min(wait, idle_seconds))
            if woken:
                woken.clear()

    def _send(self, claimed: Sequence[Claimed]) -> None:
        attempts = {each.sale.external_ref: each.attempts for each in claimed}
        for pack in batches(each.sale for each in claimed):
            if len(pack) == 1 or self._singles_left:
                self._send_singly(pack, attempts)
            else:
                self._send_batch(pack, attempts)

    def _send_batch(self, sales: Sequence[Sale], attempts: dict[str, int]) -> None:
        """One call; where the bridge cannot take it as a batch, the same sales one by one.

        A batch that is refused as a whole, or on which the bridge breaks, holds one sale that does it: alone
        each shows its own colours.
        """
        self.tally.calls += 1
        try:
            results = self.client.post_batch(sales)
        except NotOffered:
            self._singles_left = BATCH_ASKED_AGAIN_AFTER
            self._send_singly(sales, attempts)
        except SaleRefused:
            self._send_singly(sales, attempts)
        except TryLater as error:
            if error.status != SERVER_ERROR:
                raise
            self._send_singly(sales, attempts)
        else:
            self._came_through()
            self._settle(results.values(), attempts)

    def _send_singly(self, sales: Sequence[Sale], attempts: dict[str, int]) -> None:
        for sale in sales:
            self._singles_left = max(self._singles_left - 1, 0)
            self.tally.calls += 1
            self._settle([self._post(sale, attempts[sale.external_ref])], attempts)

    def _post(self, sale: Sale, attempts: int) -> ItemResult:
        """What became of one sale. A fault that comes with every sale is nobody's own: it is raised."""
        name = sale.external_ref
        try:
            receipt = self.client.post(sale)
        except SaleRefused as refused:
            self._came_through()
            return ItemResult(name, Result.CONFLICT if refused.status == 409 else Result.INVALID, reason=str(refused))
        except (NoAnswer, TryLater) as error:
            broke_on_it = isinstance(error, TryLater) and error.status == SERVER_ERROR
            if isinstance(error, TryLater) and not broke_on_it:
                raise
            self._failures += 1
            if broke_on_it and self._failures < FAILURES_IN_A_ROW:
                return ItemResult(name, Result.UNKNOWN, reason=str(error))
            self._postpone(name, str(error), attempts)  # next time another goes first
            raise
        self._came_through()
        return ItemResult(name, Result.CREATED if receipt.created else Result.REPLAYED, receipt)

    def _settle(self, results: Iterable[ItemResult], attempts: dict[str, int]) -> None:
        """Write down what is known. All that is acknowledged goes first, in one transaction."""
        known = list(results)
        receipts = [each.receipt for each in known if each.receipt]
        self.outbox.acknowledge(receipts)
        self.tally.created += sum(receipt.created for receipt in receipts)
        self.tally.replayed += sum(not receipt.created for receipt in receipts)
        for each in known:
            if each.receipt:
                continue
            if each.result is Result.UNKNOWN:
                self._postpone(each.external_ref, each.reason, attempts[each.external_ref])
            else:
                self.outbox.set_aside(each.external_ref, each.reason)
                self.tally.set_aside += 1
                self.say(f"{each.external_ref} is set aside: {each.reason}")

    def _postpone(self, external_ref: str, reason: str, attempts: int) -> None:
        self.tally.unknown += 1
        seconds = waiting.after_failed_sale(attempts, rng=self.rng)
        self.outbox.postpone(external_ref, seconds=seconds, reason=reason)

    def _came_through(self) -> None:
        """The way is open: no pause, and batches grow again."""
        self._failures = 0
        self._most = min(self._most * 2, LARGEST_BATCH)
        self.outbox.end_pause()

    def _break_off(self, error: TillClientError) -> None:
        """Nobody's sale is at fault: everybody on this outbox pauses.

        What is cut again and again may be cut for its size, so that batches shrink to a single sale, which
        then waits by itself and lets others pass.
        """
        failures = self.outbox.pause().failures
        seconds = waiting.after_broken_connection(failures, rng=self.rng)
        if isinstance(error, KeyRefused):
            seconds = waiting.after_refused_key(failures, rng=self.rng)
        elif isinstance(error, TryLater) and error.retry_after:
            seconds = max(seconds, waiting.as_asked(error.retry_after, rng=self.rng))
        elif isinstance(error, NoAnswer):
            self._most = max(self._most // 2, 1)
        self.outbox.begin_pause(seconds=seconds, reason=str(error))
        self.say(f"Nothing is sent for {seconds:.0f} s: {type(error).__name__} {error}")
