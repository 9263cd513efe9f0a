"""The evening: the till's day beside the bridge's, and exactly what is missing sent again."""

from dataclasses import dataclass
from typing import Any

from till_client.client import TillClient
from till_client.draining import Drain
from till_client.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Evening:
    """The bridge's verdict on a day; ``sent_again`` counts what it had lost, ``open_sales`` what it never had."""

    verdict: dict[str, Any]
    sent_again: int
    open_sales: int
    set_aside: int

    @property
    def is_complete(self) -> bool:
        """Whether both sides have the same day, and nothing of any day is left here."""
        return self.verdict.get("verdict") == "complete" and not self.open_sales and not self.set_aside


def reconcile_day(outbox: Outbox, client: TillClient, *, business_date: str, drain: Drain) -> Evening:
    """Compare a day, send again what the bridge does not have, and compare once more.

    The day is what the bridge itself has acknowledged for it, so no cut-off hour is guessed here; what has
    not been acknowledged yet belongs to no day and is counted apart. So drain first.
    """
    verdict = _compare(outbox, client, business_date)
    if missing := _missing_in(verdict):
        outbox.release(missing)
        drain.until_settled()
        verdict = _compare(outbox, client, business_date)
    counts = outbox.counts()
    return Evening(verdict, len(missing), counts["waiting"] + counts["sending"], counts["poison"])


def _compare(outbox: Outbox, client: TillClient, business_date: str) -> dict[str, Any]:
    day = [(each.external_ref, each.total_amount) for each in outbox.acknowledged_on(business_date)]
    return client.reconcile(business_date, day)


def _missing_in(verdict: dict[str, Any]) -> list[str]:
    listed = verdict.get("missing_here")
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
