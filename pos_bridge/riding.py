"""What rides with a till's sale: the count of its call, and its row of the activity log; and the same without a sale.

All of it commits with the sale, in the sale's own statement (``kasse.writing``): no sale without its row, no row
without its sale. A call that is over its budget is counted, and stores nothing; one whose key is not what was
remembered of it does neither.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from kasse.riders import Parts
from kasse.sqlite import in_turn, on_sqlite
from kasse.statements import execute
from pos_bridge.activity import COLUMNS, INSERT, Call, row_of
from pos_bridge.models import Outcome
from pos_bridge.throttling import Charge, charge_on_sqlite

CREATED = 201
# The server adds its own share of the latency, all but the commit.
_SERVER_TIME = "(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 100000)::bigint"
_LOG_VALUES = ", ".join(f"told.{name}" for name in COLUMNS).replace(
    "told.latency_ms", f"told.latency_ms + {_SERVER_TIME}"
)
LOGGED = f"""
    log AS (
        INSERT INTO pos_bridge_inboundcall ({", ".join(COLUMNS)})
        SELECT {_LOG_VALUES} FROM json_populate_record(NULL::pos_bridge_inboundcall, %(log)s::json) AS told, {{row}}
    )
"""
LOGGED_WITH_SALE = LOGGED.format(row="sale")
_ENCODE = msgspec.json.Encoder().encode


class TillRider:
    """The rider of one posted sale; see ``kasse.riders.Rider``."""

    def __init__(self, charge: Charge, call: Call, *, logs: bool = True) -> None:
        """``logs`` is False where the log has failed: the sale is worth more."""
        self.charge = charge
        self.call = call
        self.logs = logs
        self._used: int | None = None

    def parts(self) -> Parts:
        return Parts(
            before=self.charge.parts,
            gate=self.charge.gate,
            after=LOGGED_WITH_SALE if self.logs else "",
            answer="(SELECT calls FROM charged)",
            values={**self.charge.values, "log": _ENCODE(self._log_row()).decode()},
        )

    def hear(self, answer: Any) -> None:
        self._used = answer

    def open_gate(self, cursor: CursorWrapper) -> bool:
        self._used = charge_on_sqlite(cursor, self.charge)
        return self.charge.key.budget is None or self._used <= self.charge.key.budget

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


def settle(charge: Charge, call: Call, status: int) -> None:
    """Count a call that stores no sale, and write its row of the activity log: one commit, at its end.

    Raises:
        BudgetUsedUp: the call is one too many; it is counted, and its row is not written.
        OutOfDate: its key's row is not what was remembered of it; neither has happened.
    """
    row = row_of(call, status)
    charge.note(_settle_on_sqlite(charge, row) if on_sqlite() else _settle_on_postgresql(charge, row))
    charge.raise_if_used_up()
    call.logged = True


def _settle_on_postgresql(charge: Charge, row: dict[str, Any]) -> int | None:
    found = execute(_settling(charge.parts, charge.gate), {**charge.values, "log": _ENCODE(row).decode()}).fetchone()
    return found[0] if found else None


@cache
def _settling(parts: str, gate: str) -> str:
    return " ".join(f"WITH {parts}, {LOGGED.format(row=gate)} SELECT calls FROM charged".split())


def _settle_on_sqlite(charge: Charge, row: dict[str, Any]) -> int:
    with in_turn(), transaction.atomic(), connection.cursor() as cursor:
        used = charge_on_sqlite(cursor, charge)
        if charge.key.budget is None or used <= charge.key.budget:
            cursor.execute(INSERT, row)
    return used
