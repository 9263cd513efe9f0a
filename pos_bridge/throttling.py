"""The budget of a key: so many calls in a rolling hour, counted exactly across all workers.

The count lies in the database: a slot for each second in which the key was used, and their sum in one row.
A call takes the slots that have left the hour out of the sum and adds itself; the row is locked meanwhile, so
calls of one key cannot pass each other, and calls of other keys never wait. Nothing grows: at most 3,600 slots.

On PostgreSQL these are ``WITH`` parts, so that the count rides in the statement that stores a sale
(``Charge.parts``); SQLite runs them one by one in the sale's transaction. Both are here, side by side.

Source: wire contract, section 1, "Budget".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F, QuerySet, Sum

from apikeys.models import ApiKey
from kasse.sqlite import in_turn, on_sqlite
from kasse.statements import execute
from pos_bridge.admission import ADMITTED, OutOfDate
from pos_bridge.models import BudgetSlot, BudgetTotal
from tenants.fence import is_standing, side_of

WINDOW = 3600
COUNTED = frozenset({200, 201, 304, 400, 403, 404, 409, 429})

_EXPIRE = """
    DELETE FROM pos_bridge_budgetslot
    WHERE tenant_id = %(tenant)s AND api_key_id = %(key)s AND second <= %(window_end)s {if_admitted}
    RETURNING calls
"""
_COUNT = """
    INSERT INTO pos_bridge_budgetslot (tenant_id, api_key_id, second, calls)
    SELECT %(tenant)s, %(key)s, %(second)s, 1 {admitted}
    ON CONFLICT (tenant_id, api_key_id, second) DO UPDATE SET calls = pos_bridge_budgetslot.calls + 1
"""
_SUM_UP = """
    INSERT INTO pos_bridge_budgettotal (tenant_id, api_key_id, calls)
    SELECT %(tenant)s, %(key)s, 1 {admitted}
    ON CONFLICT (tenant_id, api_key_id) DO UPDATE SET calls = pos_bridge_budgettotal.calls + 1 - {expired}
    RETURNING calls
"""
_COUNTED = f"""
    expired AS ({_EXPIRE.format(if_admitted="AND EXISTS (SELECT FROM admitted)")}),
    slot AS ({_COUNT.format(admitted="FROM admitted")}),
    charged AS (
        {_SUM_UP.format(admitted="FROM admitted", expired="(SELECT coalesce(sum(calls), 0) FROM expired)")}
    )
"""
_FREE = "charged AS (SELECT 0 AS calls FROM admitted)"
_PARTS = {
    (*case, counts): f"{admitted}, {_COUNTED if counts else _FREE}"
    for case, admitted in ADMITTED.items()
    for counts in (True, False)
}
_EXPIRE_ON_SQLITE = _EXPIRE.format(if_admitted="")
_COUNT_ON_SQLITE = _COUNT.format(admitted="WHERE true")
_CHARGE_ON_SQLITE = _SUM_UP.format(admitted="WHERE true", expired="%(expired)s")


class BudgetUsedUp(Exception):
    """The budget is used up; ``retry_after`` in whole seconds, 1 to 3600."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("throttled")
        self.retry_after = retry_after


class Charge:
    """What a call costs its key: counted once, by the statement that stores its sale, or else by ``pay()``.

    A call over the budget counts too: a till that hammers keeps itself locked out. What counts a call of which
    the key's row was only remembered confirms it, too.
    """

    def __init__(self, key: ApiKey, *, at: datetime, remembered: str | None = None) -> None:
        """``at`` is when the call came, by our clock; ``remembered`` the key's row, if it has not been read."""
        self.key = key
        self.at = at
        self.remembered = remembered
        self.counted = False
        self._used = 0

    @property
    def parts(self) -> str:
        """``WITH`` parts for PostgreSQL: the row of ``charged(calls)`` is the calls of the hour with this one, or 0
        where the key has no budget; there is none where the call is not admitted.
        """
        return _PARTS[self.remembered is not None, is_standing(), self.key.budget is not None]

    @property
    def gate(self) -> str:
        """The one row from which a statement goes on, if the call is within its budget."""
        return "charged" if self.key.budget is None else "charged WHERE charged.calls <= %(budget)s"

    @property
    def values(self) -> dict[str, Any]:
        """The names that the statements use."""
        second = second_of(self.at)
        values: dict[str, Any] = {
            "tenant": self.key.tenant_id,
            "key": self.key.pk,
            "second": second,
            "window_end": second - WINDOW,
            "budget": self.key.budget,
        }
        if is_standing():
            values["fence"] = side_of(self.key.tenant)
        if self.remembered is not None:
            values |= {"prefix": self.key.prefix, "row": self.remembered}
        return values

    def pay(self) -> None:
        """Count the call, unless that has been done.

        Raises:
            BudgetUsedUp: the rolling hour before the call is full.
        """
        if not self.counted:
            self.note(_charge_alone_on_sqlite(self) if on_sqlite() else _charge_on_postgresql(self))
        self.raise_if_used_up()

    def note(self, used: int | None) -> None:
        """The call has been counted as the ``used``-th of its hour, or as 0 where the key has no budget.

        Raises:
            OutOfDate: ``used`` is None: it was not admitted, and so it has not been counted.
        """
        if used is None:
            raise OutOfDate
        self.counted = True
        self._used = used

    def raise_if_used_up(self) -> None:
        """Refuse a call that is one too many.

        Raises:
            BudgetUsedUp: with the seconds to wait.
        """
        if self.key.budget is not None and self._used > self.key.budget:
            raise BudgetUsedUp(_seconds_to_wait(self.key, second_of(self.at)))

    def refund(self) -> None:
        """Give back a call whose answer does not count (a fault of ours)."""
        if self.counted and self.key.budget is not None:
            refund_budget(self.key, second=second_of(self.at))


def _charge_on_postgresql(charge: Charge) -> int | None:
    if charge.key.budget is None and charge.remembered is None:
        return 0
    found = execute(_alone(charge.parts), charge.values).fetchone()
    return found[0] if found else None


@cache
def _alone(parts: str) -> str:
    return " ".join(f"WITH {parts} SELECT calls FROM charged".split())


def _charge_alone_on_sqlite(charge: Charge) -> int:
    if charge.key.budget is None:
        return 0
    with in_turn(), transaction.atomic(), connection.cursor() as cursor:
        return charge_on_sqlite(cursor, charge)


def charge_on_sqlite(cursor: CursorWrapper, charge: Charge) -> int:
    """Count a call within a transaction, and return how many the hour holds with it; 0 without a budget."""
    if charge.key.budget is None:
        return 0
    values = charge.values
    cursor.execute(_EXPIRE_ON_SQLITE, values)
    expired = sum(calls for (calls,) in cursor.fetchall())
    cursor.execute(_COUNT_ON_SQLITE, values)
    cursor.execute(_CHARGE_ON_SQLITE, {**values, "expired": expired})
    return int(cursor.fetchone()[0])


def refund_budget(key: ApiKey, *, second: int) -> None:
    """Take one call out of a second of a key's budget again."""
    with transaction.atomic():
        # The sum first, as everybody does: whoever holds its row may count.
        totals = BudgetTotal.objects.of(key.tenant).filter(api_key=key)
        totals.select_for_update().first()
        if _slots(key).filter(second=second, calls__gt=0).update(calls=F("calls") - 1):
            totals.update(calls=F("calls") - 1)


def calls_in_last_hour(key: ApiKey, *, at: datetime) -> int:
    """How many counted calls a key has made in the hour before ``at``."""
    return _slots(key).filter(second__gt=second_of(at) - WINDOW).aggregate(used=Sum("calls"))["used"] or 0


def second_of(instant: datetime) -> int:
    """The whole seconds since 1970."""
    return int(instant.timestamp())


def _slots(key: ApiKey) -> QuerySet[BudgetSlot]:
    return BudgetSlot.objects.of(key.tenant).filter(api_key=key)


def _seconds_to_wait(key: ApiKey, second: int) -> int:
    """Until enough counted calls have left the window for one more to fit."""
    slots = _slots(key).filter(second__gt=second - WINDOW).order_by("second").values_list("second", "calls")
    # A call that began after this one may have been counted before it; who hears of it now waits an hour at most.
    return min(first_free_second(slots, budget=key.budget or 0) - second, WINDOW)


def first_free_second(slots: Iterable[tuple[int, int]], *, budget: int) -> int:
    """The second in which a further call would be within ``budget``; ``slots`` are (second, calls), oldest first."""
    rows = list(slots)
    too_many = sum(calls for _second, calls in rows) - (budget - 1)
    for second, calls in rows:
        too_many -= calls
        if too_many <= 0:
            return second + WINDOW
    return rows[-1][0] + WINDOW
