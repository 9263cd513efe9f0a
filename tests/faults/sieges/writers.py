"""Eight processes that write into one SQLite file, flat out."""

from __future__ import annotations

import asyncio
import time

from tests.faults.books import percentile
from tests.faults.sieges.besieging import (
    FIRST_OF_A_SIEGE,
    Order,
    give_verdict,
    happened,
    only,
    open_shop,
    statuses_of,
    within,
)
from tests.faults.stage import Scene, set_stage
from tests.faults.tills import Supply, sell

WORKERS = 8
SALES_EACH = 5000
TILLS = 32
SECONDS = 20.0


def besiege_the_one_writer(order: Order) -> bool:
    """A server of eight workers, each of which would write."""
    with set_stage(Scene("sqlite", order.seed, workers=WORKERS), order.folder) as stage:
        shop, sales = open_shop(stage, order.seed), order.part_of(WORKERS * SALES_EACH)
        began = time.monotonic()
        asyncio.run(sell(shop, Supply(shop.model.sell(sales)), tills=TILLS))
        number, pace = FIRST_OF_A_SIEGE, sales / (time.monotonic() - began)
        seconds = [each.seconds for each in shop.heard or []]
        own = [
            happened(number, f"sales, {pace:.0f} a second", shop.model.acknowledged, at_least=sales),
            only(number + 1, statuses_of(shop.heard or []), (200, 201)),
            within(number + 2, "the slowest answer", max(seconds, default=None), SECONDS),
            within(number + 3, "p99", percentile(seconds, 0.99), SECONDS),
        ]
        return give_verdict(stage, shop, own)
