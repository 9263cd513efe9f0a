"""The budget of a key: so many calls in a rolling hour, counted exactly across all workers.

The count lies in the database: a slot for each second in which the key was used, and their sum in one row.
A call takes the slots that have left the hour out of the sum and adds itself; the row is locked meanwhile, so
calls of one key cannot pass each other, and calls of other keys never wait. Nothing grows: at most 3,600 slots.

On PostgreSQL these are ``WITH`` parts, so that the count rides in the statement that stores a sale
(``CHARGED``); SQLite runs them one by one in the sale's transaction. Both are here, side by side.

Source: wire contract, section 1, "Budget".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F, QuerySet, Sum

from apikeys.models import ApiKey
from kasse.sqlite import in_turn, on_sqlite
from pos_bridge.models import BudgetSlot, BudgetTotal

WINDOW = 3600
COUNTED = frozenset({200, 201, 304, 400, 403, 404, 409, 429})

_EXPIRE = """
    DELETE FROM pos_bridge_budgetslot
    WHERE tenant_id = %(tenant)s AND api_key_id = %(key)s AND second <= %(window_end)s
    RETURNING calls
"""
_COUNT = """
    INSERT INTO pos_bridge_budgetslot (tenant_id, api_key_id, second, calls)
    VALUES (%(tenant)s, %(key)s, %(second)s, 1)
    ON CONFLICT (tenant_id, api_key_id, second) DO UPDATE SET calls = pos_bridge_budgetslot.calls + 1
"""
_SUM_UP = """
    INSERT INTO pos_bridge_budgettotal (tenant_id, api_key_id, calls)
    VALUES (%(tenant)s, %(key)s, 1)
    ON CONFLICT (tenant_id, api_key_id) DO UPDATE SET calls = pos_bridge_budgettotal.calls + 1 - {expired}
    RETURNING calls
"""
CHARGED = f"""
    expired AS ({_EXPIRE}),
    slot AS ({_COUNT}),
    charged AS ({_SUM_UP.format(expired="(SELECT coalesce(sum(calls), 0) FROM expired)")})
"""
"""``WITH`` parts for PostgreSQL; ``charged(calls)`` is one row, the calls of the hour with this one."""

_CHARGE_ON_POSTGRESQL = f"WITH {CHARGED} SELECT calls FROM charged"
_CHARGE_ON_SQLITE = _SUM_UP.format(expired="%(expired)s")


class BudgetUsedUp(Exception):
    """The budget is used up; ``retry_after`` in whole seconds, 1 to 3600."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("throttled")
        self.retry_after = retry_after


class Charge:
    """What a call costs its key: counted once, by the statement that stores its sale, or else by ``pay()``.

    A call over the budget counts too: a till that hammers keeps itself locked out.
    """

    def __init__(self, key: ApiKey, *, at: datetime) -> None:
        """``at`` is when the call came, by our clock."""
        self.key = key
        self.at = at
        self.counted = False
        self._used = 0

    @property
    def values(self) -> dict[str, Any]:
        """The names that the statements above use."""
        second = second_of(self.at)
        return {
            "tenant": self.key.tenant_id,
            "key": self.key.pk,
            "second": second,
            "window_end": second - WINDOW,
            "budget": self.key.budget,
        }

    def pay(self) -> None:
        """Count the call, unless that has been done.

        Raises:
            BudgetUsedUp: the rolling hour before the call is full.
        """
        if not self.counted and self.key.budget is not None:
            self.note(_charge_alone_on_sqlite(self) if on_sqlite() else _charge_on_postgresql(self))
        self.counted = True
        self.raise_if_used_up()

    def note(self, used: int | None) -> None:
        """The call has been counted as the ``used``-th of its hour; None where the key has no budget."""
        self.counted = True
        self._used = used or 0

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


def _charge_on_postgresql(charge: Charge) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_CHARGE_ON_POSTGRESQL, charge.values)
        return int(cursor.fetchone()[0])


def _charge_alone_on_sqlite(charge: Charge) -> int:
    with in_turn(), transaction.atomic(), connection.cursor() as cursor:
        return charge_on_sqlite(cursor, charge.values)


def charge_on_sqlite(cursor: CursorWrapper, values: dict[str, Any]) -> int:
    """Count a call within a transaction, and return how many the hour holds with it."""
    cursor.execute(_EXPIRE, values)
    expired = sum(calls for (calls,) in cursor.fetchall())
    cursor.execute(_COUNT, values)
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
