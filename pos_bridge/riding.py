"""What rides with a till's sale: the count of its call, and its row of the activity log; and the same without a sale.

All of it commits with the sale, in the sale's own statement (``kasse.writing``): no sale without its row, no row
without its sale. A call that is over its budget is counted, and stores nothing; one whose key is not what was
remembered of it does neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from kasse.riders import Parts
from kasse.rows import Row
from kasse.sqlite import in_turn, on_sqlite
from kasse.statements import Shared, execute_told, told, typed
from pos_bridge.activity import COLUMNS, INSERT, Call, row_of
from pos_bridge.models import InboundCall, Outcome
from pos_bridge.throttling import CALL_COLUMNS, COUNTED, Charge, charge_on_sqlite

CREATED = 201
# The server adds its own share of the latency, all but the commit.
_SERVER_TIME = "(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 100000)::bigint"


# What a statement is told of a call's row: by other names than those of a sale, which it may stand beside.
_BESIDE = {name: f"log_{name}" for name in COLUMNS}
_LOG_COLUMNS = {
    _BESIDE[field.column]: str(field.db_type(connection)).partition("(")[0]
    for field in InboundCall._meta.concrete_fields
    if not field.primary_key
}
TOLD = typed({**CALL_COLUMNS, **_LOG_COLUMNS})
_VALUES = ", ".join(_BESIDE.values()).replace("log_latency_ms", f"log_latency_ms + {_SERVER_TIME}")
LOGGED = f"log AS (INSERT INTO pos_bridge_inboundcall ({', '.join(COLUMNS)}) SELECT {_VALUES} FROM {{calls}})"
_LOGGED_WITH_SALE = LOGGED.format(calls="passed JOIN sale ON sale.id = passed.id")
_ANSWER = "(SELECT used FROM charged WHERE charged.id = told.id)"
PARTS = {
    True: Parts(TOLD, COUNTED, "passed", _LOGGED_WITH_SALE, _ANSWER),
    False: Parts(typed(CALL_COLUMNS), COUNTED, "passed", "", _ANSWER),
}


class TillRider:
    """The rider of one posted sale; see ``kasse.riders.Rider``."""

    def __init__(self, charge: Charge, call: Call, *, logs: bool = True) -> None:
        """``logs`` is False where the log has failed: the sale is worth more."""
        self.charge = charge
        self.call = call
        self.logs = logs
        self.parts = PARTS[logs]
        self.turn = charge.key.pk
        self._used: int | None = None

    def row(self) -> Row:
        return {**self.charge.row(), **(_beside(self._log_row()) if self.logs else {})}

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
        row = row_of(self.call, CREATED)
        row["outcome"] = Outcome.CREATED.value
        return row


def settle(charge: Charge, call: Call, status: int) -> None:
    """Count a call that stores no sale, and write its row of the activity log: one commit, at its end.

    Raises:
        BudgetUsedUp: the call is one too many; it is counted, and its row is not written.
        OutOfDate: its key's row is not what was remembered of it; neither has happened.
    """
    settle_on = _settle_on_sqlite if on_sqlite() else _settle_on_postgresql
    charge.note(settle_on(charge, call, status))
    charge.raise_if_used_up()
    call.logged = True


def _beside(row: dict[str, Any]) -> Row:
    return {_BESIDE[name]: value for name, value in row.items()}


@dataclass(slots=True)
class _Settling:
    """A call that is to be settled; how many the hour then holds, if it was admitted."""

    charge: Charge
    call: Call
    status: int
    used: int | None = None

    def row(self) -> Row:
        """What the statement is told; asked when it is about to be sent, since the row has the latency."""
        return {**self.charge.row(), **_beside(row_of(self.call, self.status))}


def _settle_on_postgresql(charge: Charge, call: Call, status: int) -> int | None:
    settling = _Settling(charge, call, status)
    _SETTLED.do(settling, turn=charge.key.pk)
    return settling.used


def _settle_together(calls: Sequence[_Settling]) -> None:
    """Settle the calls of several tills."""
    calls = sorted(calls, key=attrgetter("charge.key.pk"))
    tenants = [each.charge.key.tenant_id for each in calls]
    found = dict(execute_told(_settling(), [each.row() for each in calls], tenants=tenants))
    for each in calls:
        each.used = found.get(each.charge.key.pk)


_SETTLED = Shared(_settle_together)


@cache
def _settling() -> str:
    logged = LOGGED.format(calls="passed")
    return f"{told(TOLD, fenced=True)}, {COUNTED}, {logged} SELECT call_key, used FROM charged"


def _settle_on_sqlite(charge: Charge, call: Call, status: int) -> int:
    row = row_of(call, status)
    with in_turn(), transaction.atomic(), connection.cursor() as cursor:
        used = charge_on_sqlite(cursor, charge)
        if charge.key.budget is None or used <= charge.key.budget:
            cursor.execute(INSERT, row)
    return used
