"""The budget of a key: so many calls in a rolling hour, counted exactly across all workers.

The count lies in the database: a slot for each second in which the key was used, and their sum in one row.
A call takes the slots that have left the hour out of the sum and adds itself; the row is locked meanwhile, so
calls of one key cannot pass each other, and calls of other keys never wait. Nothing grows: at most 3,600 slots.

On PostgreSQL these are ``WITH`` parts, so that the count rides in the statement that stores a sale, or those of several
tills (``COUNTED``); SQLite runs them one by one in the sale's transaction. Both are here, side by side.

Source: wire contract, section 1, "Budget".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F, QuerySet, Sum

from apikeys.models import ApiKey
from kasse.rows import Columns, Row
from kasse.sqlite import in_turn, on_sqlite
from kasse.statements import execute_told, told, typed
from pos_bridge.admission import CONFIRMED, OutOfDate
from pos_bridge.models import BudgetSlot, BudgetTotal

WINDOW = 3600
MOST_AHEAD = 60
"""Seconds by which two of our own clocks may differ."""
COUNTED_STATUSES = frozenset({200, 201, 304, 400, 403, 404, 409, 429})

CALL_COLUMNS: Columns = {
    "call_tenant": "bigint",
    "call_key": "bigint",
    "call_prefix": "text",
    "call_row": "text",
    "call_second": "bigint",
    "call_budget": "bigint",
}
"""What a statement for PostgreSQL is told of each of its calls, no two of the same key."""
COUNTED = f"""
    {CONFIRMED},
    expired AS (
        DELETE FROM pos_bridge_budgetslot AS slot USING admitted
        WHERE slot.tenant_id = call_tenant AND slot.api_key_id = call_key AND call_budget IS NOT NULL
            AND slot.second <= call_second - {WINDOW}
        RETURNING slot.api_key_id, slot.calls
    ),
    slot AS (
        INSERT INTO pos_bridge_budgetslot (tenant_id, api_key_id, second, calls)
        SELECT call_tenant, call_key, call_second, 1 FROM admitted WHERE call_budget IS NOT NULL ORDER BY call_key
        ON CONFLICT (tenant_id, api_key_id, second) DO UPDATE SET calls = pos_bridge_budgetslot.calls + 1
    ),
    summed AS (
        INSERT INTO pos_bridge_budgettotal (tenant_id, api_key_id, calls)
        SELECT call_tenant, call_key, 1 FROM admitted WHERE call_budget IS NOT NULL ORDER BY call_key
        ON CONFLICT (tenant_id, api_key_id) DO UPDATE SET calls = pos_bridge_budgettotal.calls + 1 - (
            SELECT coalesce(sum(expired.calls), 0) FROM expired WHERE expired.api_key_id = excluded.api_key_id
        )
        RETURNING api_key_id, calls
    ),
    charged AS (
        SELECT admitted.*, coalesce(summed.calls, 0) AS used
        FROM admitted LEFT JOIN summed ON summed.api_key_id = call_key
    ),
    passed AS (SELECT * FROM charged WHERE call_budget IS NULL OR used <= call_budget)
"""
"""``WITH`` parts for PostgreSQL, after ``told``: the calls that are admitted are ``charged``, and ``used`` is how many
the hour holds with this one, or 0 where the key has no budget; those within their budget have ``passed``.
"""
_EXPIRE_ON_SQLITE = """
    DELETE FROM pos_bridge_budgetslot
    WHERE tenant_id = %(tenant)s AND api_key_id = %(key)s AND second <= %(window_end)s
    RETURNING calls
"""
_COUNT_ON_SQLITE = """
    INSERT INTO pos_bridge_budgetslot (tenant_id, api_key_id, second, calls)
    VALUES (%(tenant)s, %(key)s, %(second)s, 1)
    ON CONFLICT (tenant_id, api_key_id, second) DO UPDATE SET calls = calls + 1
"""
_CHARGE_ON_SQLITE = """
    INSERT INTO pos_bridge_budgettotal (tenant_id, api_key_id, calls)
    VALUES (%(tenant)s, %(key)s, 1)
    ON CONFLICT (tenant_id, api_key_id) DO UPDATE SET calls = calls + 1 - %(expired)s
    RETURNING calls
"""


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

    def row(self) -> Row:
        """What is in ``CALL_COLUMNS``."""
        return {
            "call_tenant": self.key.tenant_id,
            "call_key": self.key.pk,
            "call_prefix": self.key.prefix,
            "call_row": self.remembered,
            "call_second": second_of(self.at),
            "call_budget": self.key.budget,
        }

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
            second = second_of(self.at)
            forget_calls_ahead(self.key, second=second)
            raise BudgetUsedUp(_seconds_to_wait(self.key, second))

    def refund(self) -> None:
        """Give back a call whose answer does not count (a fault of ours)."""
        if self.counted and self.key.budget is not None:
            refund_budget(self.key, second=second_of(self.at))


def _charge_on_postgresql(charge: Charge) -> int | None:
    if charge.key.budget is None and charge.remembered is None:
        return 0
    found = execute_told(_alone(), [charge.row()], tenants=[charge.key.tenant_id])
    return found[0][0] if found else None


@cache
def _alone() -> str:
    return f"{told(typed(CALL_COLUMNS), fenced=True)}, {COUNTED} SELECT used FROM charged"


def _charge_alone_on_sqlite(charge: Charge) -> int:
    if charge.key.budget is None:
        return 0
    with in_turn(), transaction.atomic(), connection.cursor() as cursor:
        return charge_on_sqlite(cursor, charge)


def charge_on_sqlite(cursor: CursorWrapper, charge: Charge) -> int:
    """Count a call within a transaction, and return how many the hour holds with it; 0 without a budget."""
    if charge.key.budget is None:
        return 0
    second = second_of(charge.at)
    values = {"tenant": charge.key.tenant_id, "key": charge.key.pk, "second": second, "window_end": second - WINDOW}
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


def forget_calls_ahead(key: ApiKey, *, second: int) -> None:
    """Forget what was counted by a clock that was ahead of ``second``: it would not leave the hour for as long.

    Asked for only where a budget is used up, and so no burden to a call that is not.
    """
    ahead = _slots(key).filter(second__gt=second + MOST_AHEAD)
    if not ahead.exists():
        return
    with transaction.atomic():
        totals = BudgetTotal.objects.of(key.tenant).filter(api_key=key)
        totals.select_for_update().first()
        calls = ahead.aggregate(calls=Sum("calls"))["calls"] or 0
        ahead.delete()
        totals.update(calls=F("calls") - calls)


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
    if too_many <= 0:
        return rows[-1][0] + 1
    for second, calls in rows:
        too_many -= calls
        if too_many <= 0:
            return second + WINDOW
    return rows[-1][0] + WINDOW
