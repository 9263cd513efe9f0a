"""What rides with a till's sale: the count of its call, and its row of the activity log.

All of it commits with the sale, in the sale's own statement (``kasse.writing``): no sale without its row, no row
without its sale; and a call that is over its budget is counted, and stores nothing.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper

from kasse.riders import Parts
from pos_bridge.activity import COLUMNS, INSERT, Call, row_of
from pos_bridge.models import Outcome
from pos_bridge.throttling import CHARGED, Charge, charge_on_sqlite

CREATED = 201
# The server adds its own share of the latency, all but the commit.
_SERVER_TIME = "(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 100000)::bigint"
_LOG_VALUES = ", ".join(f"%({name})s" for name in COLUMNS).replace("%(latency_ms)s", f"%(latency_ms)s + {_SERVER_TIME}")
LOGGED = f", log AS (INSERT INTO pos_bridge_inboundcall ({', '.join(COLUMNS)}) SELECT {_LOG_VALUES} FROM sale)"


class TillRider:
    """The rider of one posted sale; see ``kasse.riders.Rider``."""

    def __init__(self, charge: Charge, call: Call, *, logs: bool = True) -> None:
        """``logs`` is False where the log has failed: the sale is worth more."""
        self.charge = charge
        self.call = call
        self.logs = logs
        self._used: int | None = None

    def parts(self) -> Parts:
        counts = self.charge.key.budget is not None
        return Parts(
            before=f"{CHARGED}," if counts else "",
            gate=", charged WHERE charged.calls <= %(budget)s" if counts else "",
            after=LOGGED if self.logs else "",
            answer="(SELECT calls FROM charged)" if counts else "NULL",
            values={**self.charge.values, **self._log_row()},
        )

    def hear(self, answer: Any) -> None:
        self._used = answer

    def open_gate(self, cursor: CursorWrapper) -> bool:
        budget = self.charge.key.budget
        if budget is None:
            return True
        self._used = charge_on_sqlite(cursor, self.charge.values)
        return self._used <= budget

    def follow(self, cursor: CursorWrapper) -> None:
        if self.logs:
            cursor.execute(INSERT, self._log_row())

    def raise_if_shut(self) -> None:
        # Only now, after the commit: a count that was rolled back is none to give back.
        self.charge.note(self._used)
        self.charge.raise_if_used_up()

    def without_log(self) -> TillRider:
        """The same, without its row of the log."""
        return TillRider(self.charge, self.call, logs=False)

    def _log_row(self) -> dict[str, Any]:
        return {**row_of(self.call, CREATED), "outcome": Outcome.CREATED.value}
