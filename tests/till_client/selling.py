"""A till as a process that may die at any moment: sells the next numbers, sends, and begins again where it was.

``python -m tests.till_client.selling OUTBOX FIRST STEP SALES SEED``; it sells FIRST, FIRST + STEP … below SALES. Where
the bridge is and its token come from the environment, as for every till.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from tests.till_client.sales import croissants
from till_client import Drain, Outbox, TillClient

CLAIM_SECONDS = 5.0
SOLD_BETWEEN_SENDS = 60


class Hurried(Random):
    """Chance whose waits are a fiftieth: a storm of minutes instead of hours."""

    def uniform(self, a: float, b: float) -> float:
        return super().uniform(a, b) / 50


def sale_numbered(number: int) -> dict[str, Any]:
    """Sales of three days; every fiftieth is a refund."""
    sale = croissants(number, external_ref=f"storm-{number}", occurred_at=f"2026-04-{27 + number % 3}T10:14:32+02:00")
    if number % 50 == 49:
        amount = -sale["total_amount"]
        sale["total_amount"] = amount
        sale["items"] = [{"description": "Croissant", "quantity": -1, "unit_price": -amount, "line_total": amount}]
    return sale


def main(path: Path, *, first: int, step: int, sales: int, seed: int) -> None:
    """Sell and send by turns; some lives know no batches."""
    rng = Hurried(seed)
    with Outbox(path, claim_seconds=CLAIM_SECONDS) as outbox, TillClient.from_environment(timeout=5) as client:
        drain = Drain(outbox, client, rng=rng, _singles_left=10**9 if rng.random() < 0.5 else 0)
        unsold = [number for number in range(first, sales, step) if outbox.find(f"storm-{number}") is None]
        while unsold:
            for number in unsold[:SOLD_BETWEEN_SENDS]:
                outbox.put(sale_numbered(number))
            del unsold[:SOLD_BETWEEN_SENDS]
            drain.step()
        while (wait := drain.step()) is not None:
            time.sleep(min(wait, 1.0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), **dict(zip(("first", "step", "sales", "seed"), map(int, sys.argv[2:]), strict=True)))
