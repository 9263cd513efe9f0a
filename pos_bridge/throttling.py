"""The budget of a key: so many calls in a rolling hour, counted exactly across all workers.

The count lies in the database, in a ring of one slot for each second of the hour. The key's own row is
locked while a call is counted, so calls of one key cannot pass each other; calls of other keys never wait.

Source: wire contract, section 1, "Budget".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from apikeys.models import ApiKey
from pos_bridge.models import BudgetSlot

WINDOW = 3600
COUNTED = frozenset({200, 201, 304, 400, 403, 404, 409, 429})


class BudgetUsedUp(Exception):
    """The budget is used up; ``retry_after`` in whole seconds, 1 to 3600."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("throttled")
        self.retry_after = retry_after


def charge_budget(key: ApiKey, *, at: datetime) -> int:
    """Count a call, and return the second it was counted in, for ``refund_budget()``.

    A call over the budget counts too: a till that hammers keeps itself locked out.

    Raises:
        BudgetUsedUp: the rolling hour before ``at`` is full.
    """
    second = int(at.timestamp())
    if key.budget is None:
        return second
    with transaction.atomic():
        # "No key update" lets log rows that point at the key go on beside us.
        ApiKey.objects.select_for_update(no_key=True).only("pk").get(pk=key.pk)
        used = calls_in_last_hour(key, at=at)
        _count(key, second)
        waits = _seconds_to_wait(key, second) if used >= key.budget else 0
    if waits:
        raise BudgetUsedUp(waits)
    return second


def refund_budget(key: ApiKey, *, second: int) -> None:
    """Give back a call whose answer does not count (a fault of ours)."""
    if key.budget is not None:
        _slots(key).filter(second=second, calls__gt=0).update(calls=F("calls") - 1)


def calls_in_last_hour(key: ApiKey, *, at: datetime) -> int:
    """How many counted calls a key has made in the hour before ``at``."""
    since = int(at.timestamp()) - WINDOW
    return _slots(key).filter(second__gt=since).aggregate(used=Sum("calls"))["used"] or 0


def _slots(key: ApiKey) -> QuerySet[BudgetSlot]:
    return BudgetSlot.objects.of(key.tenant).filter(api_key=key)


def _count(key: ApiKey, second: int) -> None:
    if not _slots(key).filter(second=second).update(calls=F("calls") + 1):
        BudgetSlot.objects.update_or_create(
            tenant=key.tenant, api_key=key, slot=second % WINDOW, defaults={"second": second, "calls": 1}
        )


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
