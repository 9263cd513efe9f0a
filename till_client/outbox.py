"""The outbox: every sale on disk before it is sent, and until the bridge has acknowledged it.

A sale goes through these states; each arrow is one transaction of SQLite, written through to the disk:

    put ─→ waiting ⇄ sending ─→ acknowledged        the bridge has said so
              ↑         └─────→ poison              set aside, with the bridge's reason
              └── release, correct ──┘

Any number of processes may share one file. Who takes a sale claims it for a while; if he dies, the claim runs
out and another sends the same bytes again, which is harmless. A sale is deleted only after its
acknowledgement, and only by `forget`.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from till_client.answers import Receipt
from till_client.errors import ReferenceTaken
from till_client.outbox_file import OutboxFile
from till_client.sale import Sale, sale_from
from till_client.waiting import LONGEST_WAIT

CLAIM_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A sale as it lies in the outbox; ``state`` is waiting, sending, acknowledged or poison.

    ``attempts`` counts sends that proved nothing, ``reason`` is the last word about them.
    """

    external_ref: str
    state: str
    total_amount: str
    attempts: int
    reason: str
    business_date: str
    put_at: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """A sale that is ours to send, and how often it has been tried."""

    sale: Sale
    attempts: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Nobody sends before ``until``: the bridge asked for it, or the way to it is broken."""

    until: float
    failures: int
    reason: str


class Outbox:
    """One file. Threads may share an object; a process that forks opens its own."""

    def __init__(
        self, path: str | Path, *, clock: Callable[[], float] = time.time, claim_seconds: float = CLAIM_SECONDS
    ) -> None:
        """Open or make the file.

        ``clock`` gives seconds; it may jump, which costs time and no sale. A process that has died keeps what it
        had claimed for ``claim_seconds``, which should be more than its calls take.

        Raises:
            OutboxFailed: it cannot be opened, is no outbox, or is one of a later version.

        """
        self.path = Path(path)
        self._clock = clock
        self._claim_seconds = claim_seconds
        self._file = OutboxFile(self.path)
        self._writing = self._file.writing
        self._owner = f"{os.getpid()}-{os.urandom(6).hex()}"

    def __repr__(self) -> str:
        return f"Outbox({str(self.path)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what we have claimed, and close the file."""
        try:
            self.give_back()
        finally:
            self._file.close()

    # In ---------------------------------------------------------------------------------------------

    def put(self, sale: Mapping[str, Any] | bytes | Sale) -> Kept:
        """Write a sale down. Once this has returned it survives a power cut.

        The same bytes again are the same sale, and nothing is changed.

        Raises:
            UnusableSale: it cannot be written down.
            ReferenceTaken: other bytes lie here under its reference.
            OutboxFailed: the sale is not taken.

        """
        return self.put_all([sale])[0]

    def put_all(self, sales: Iterable[Mapping[str, Any] | bytes | Sale]) -> list[Kept]:
        """Write many sales down, all or none, in one go to the disk."""
        written = [sale if isinstance(sale, Sale) else sale_from(sale) for sale in sales]
        with self._writing() as database:
            return [self._put(database, sale) for sale in written]

    def _put(self, database: sqlite3.Connection, sale: Sale) -> Kept:
        database.execute(
            "INSERT INTO sale (external_ref, total_amount, body, put_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (external_ref) DO NOTHING",
            (sale.external_ref, sale.total_amount, sale.body, self._clock()),
        )
        (body,) = database.execute("SELECT body FROM sale WHERE external_ref = ?", (sale.external_ref,)).fetchone()
        if body != sale.body:
            raise ReferenceTaken(f"Another sale lies in the outbox under {sale.external_ref!r}.")
        return _kept(database, sale.external_ref)

    def correct(self, sale: Mapping[str, Any] | bytes | Sale) -> Kept:
        """Replace a sale that was refused, under its own reference, and send it.

        Raises:
            ReferenceTaken: the sale under this reference is not set aside.

        """
        written = sale if isinstance(sale, Sale) else sale_from(sale)
        with self._writing() as database:
            changed = database.execute(
                "UPDATE sale SET state = 'waiting', body = ?, total_amount = ?, attempts = 0, not_before = 0,"
                " reason = '' WHERE external_ref = ? AND state = 'poison'",
                (written.body, written.total_amount, written.external_ref),
            )
            if not changed.rowcount:
                raise ReferenceTaken(f"No sale is set aside under {written.external_ref!r}.")
            return _kept(database, written.external_ref)

    def release(self, references: Iterable[str]) -> int:
        """Send again what was set aside, or what the bridge no longer has; how many that were."""
        return self._change_each(
            "UPDATE sale SET state = 'waiting', attempts = 0, not_before = 0, reason = ''"
            " WHERE external_ref = ? AND state IN ('poison', 'acknowledged')",
            references,
        )

    # Out --------------------------------------------------------------------------------------------

    def claim(self, most: int) -> list[Claimed]:
        """Take up to ``most`` sales that are due: those that have failed least, and of these the oldest.

        A claim or a wait that lies further ahead than any can is one of a clock that has been set back.
        """
        with self._writing() as database:
            now = self._clock()  # not before it is our turn: others have claimed meanwhile
            rows = database.execute(
                "UPDATE sale SET state = 'sending', claimed_by = :owner, claimed_until = :until WHERE number IN ("
                "  SELECT number FROM sale WHERE state = 'waiting' AND (not_before <= :now OR not_before > :far)"
                "     OR state = 'sending' AND (claimed_until <= :now OR claimed_until > :far)"
                "  ORDER BY attempts, number LIMIT :most)"
                " RETURNING number, external_ref, total_amount, body, attempts",
                {"owner": self._owner, "now": now, "until": now + self._claim_seconds}
                | {"far": now + LONGEST_WAIT, "most": most},
            ).fetchall()
        return [Claimed(Sale(*row[1:4]), row[4]) for row in sorted(rows, key=lambda row: (row[4], row[0]))]

    def give_back(self) -> None:
        """Everything that we have claimed waits again, as if it had not been taken."""
        with self._writing() as database:
            database.execute(
                "UPDATE sale SET state = 'waiting' WHERE state = 'sending' AND claimed_by = ?", (self._owner,)
            )

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        """The bridge has these. That is so whoever has claimed them, and nothing undoes it."""
        now = self._clock()
        with self._writing() as database:
            database.executemany(
                "UPDATE sale SET state = 'acknowledged', settled_at = ?, transaction_id = ?, business_date = ?,"
                " reason = '' WHERE external_ref = ?",
                [(now, each.transaction_id, each.business_date, each.external_ref) for each in receipts],
            )

    def set_aside(self, external_ref: str, reason: str) -> None:
        """The bridge will never take these bytes; unless somebody has heard in the meantime that it did."""
        self._change_each(
            "UPDATE sale SET state = 'poison', settled_at = ?, reason = ? WHERE external_ref = ? AND state = 'sending'",
            [external_ref],
            self._clock(),
            reason,
        )

    def postpone(self, external_ref: str, *, seconds: float, reason: str) -> None:
        """Nothing is known: it waits, and is not due before so many seconds."""
        self._change_each(
            "UPDATE sale SET state = 'waiting', attempts = attempts + 1, not_before = ?, reason = ?"
            " WHERE external_ref = ? AND state = 'sending' AND claimed_by = ?",
            [external_ref],
            self._clock() + seconds,
            reason,
            after=(self._owner,),
        )

    # The pause --------------------------------------------------------------------------------------

    def pause(self) -> Pause:
        """How long nobody is to send, for all processes on this file."""
        now = self._clock()
        until, failures, reason = self._read("SELECT until, failures, reason FROM pause")[0]
        return Pause(until if until <= now + LONGEST_WAIT else now, failures, reason)

    def pause_left(self) -> float:
        """Seconds until anybody sends; 0 or less for now."""
        return self.pause().until - self._clock()

    def begin_pause(self, *, seconds: float, reason: str) -> None:
        """Nobody sends for so many seconds; one more failure in a row."""
        with self._writing() as database:
            database.execute(
                "UPDATE pause SET until = ?, failures = failures + 1, reason = ?", (self._clock() + seconds, reason)
            )

    def end_pause(self) -> None:
        """The bridge has answered as it should."""
        if self.pause().failures:
            with self._writing() as database:
                database.execute("UPDATE pause SET until = 0, failures = 0, reason = ''")

    # Looking ----------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """Seconds until something may be due, 0 for now; None when everything is settled."""
        now = self._clock()
        ((due,),) = self._read(
            "SELECT min(CASE state WHEN 'waiting' THEN not_before ELSE claimed_until END) FROM sale"
            " WHERE state IN ('waiting', 'sending')"
        )
        if due is None:
            return None
        return float(min(max(due - now, 0.0), self._claim_seconds))

    def counts(self) -> dict[str, int]:
        """How many sales are in each state."""
        none = dict.fromkeys(("waiting", "sending", "acknowledged", "poison"), 0)
        return none | dict(self._read("SELECT state, count(*) FROM sale GROUP BY state"))

    def find(self, external_ref: str) -> Kept | None:
        """The sale of this reference."""
        return next(iter(self._kept_where("external_ref = ?", external_ref)), None)

    def poison(self) -> list[Kept]:
        """What a person has to look at, with the reasons."""
        return self._kept_where("state = 'poison'")

    def struggling(self) -> list[Kept]:
        """What waits after at least one try."""
        return self._kept_where("state IN ('waiting', 'sending') AND attempts > 0")

    def acknowledged_on(self, business_date: str) -> list[Kept]:
        """What the bridge has said that it counts for this day."""
        return self._kept_where("state = 'acknowledged' AND business_date = ?", business_date)

    def forget(self, *, older_than: float) -> int:
        """Delete what was acknowledged more than so many seconds ago; how many that were."""
        with self._writing() as database:
            return database.execute(
                "DELETE FROM sale WHERE state = 'acknowledged' AND settled_at < ?", (self._clock() - older_than,)
            ).rowcount

    # The file ---------------------------------------------------------------------------------------

    def _kept_where(self, condition: str, *values: Any) -> list[Kept]:
        return [Kept(*row) for row in self._read(f"{SELECT_KEPT} WHERE {condition} ORDER BY number", *values)]

    def _read(self, statement: str, *values: Any) -> list[Any]:
        return self._file.read(statement, values)

    def _change_each(self, statement: str, references: Iterable[str], *before: Any, after: tuple[Any, ...] = ()) -> int:
        with self._writing() as database:
            return sum(database.execute(statement, (*before, each, *after)).rowcount for each in references)


SELECT_KEPT = "SELECT external_ref, state, total_amount, attempts, reason, business_date, put_at FROM sale"


def _kept(database: sqlite3.Connection, external_ref: str) -> Kept:
    return Kept(*database.execute(f"{SELECT_KEPT} WHERE external_ref = ?", (external_ref,)).fetchone())
