"""Selling under faults: tills go on, and now and then something is struck while calls are in flight."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

from tests.faults.model import Model
from tests.faults.stage import Stage
from tests.faults.striking import Fault
from tests.faults.tills import Demand, Shop, Supply, sell
from tests.faults.watching import watch_second_key

ACKNOWLEDGED_BETWEEN = 20
LONGEST_OUTAGE = 60
BREATH = 0.15


@dataclass(slots=True)
class Course:
    """What happened: which faults, and how long until a sale was acknowledged after each.

    ``recoveries`` begin when everything is up again; ``strikes`` is how long it took at most from the blow to there.
    """

    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    strikes: dict[str, float] = field(default_factory=dict)
    stood_still: bool = False

    def note(self, fault: Fault, *, recovery: float, strike: float) -> None:
        """A fault is over."""
        self.faults[fault.name] += 1
        self.recoveries.append(recovery)
        self.strikes[fault.name] = max(strike, self.strikes.get(fault.name, 0.0))


class StandsStill(Exception):
    """Nothing has been acknowledged for a long time."""


async def sell_under_faults(
    stage: Stage,
    shop: Shop,
    *,
    sales: int,
    faults: Sequence[Fault],
    strikes: int,
    tills: int,
    rng: Random,
    endless: bool = False,
) -> Course:
    """Sell so many more, and strike so often: once in each part of them, somewhere in its first half. Where, is counted
    in sales and not in seconds, in which a fast machine would have sold the whole part before.

    Strikes that last long need tills that do not run out of sales meanwhile: ``endless`` ones sell, not so fast, until
    the last strike is over, and at least so many.
    """
    course, began, first = Course(), time.monotonic(), shop.model.sold
    supply = Demand(shop.model, pause=BREATH) if endless else Supply(shop.model.sell(sales))
    part = sales // (strikes + 1)
    selling = asyncio.create_task(sell(shop, supply, tills=tills))
    watching = asyncio.create_task(watch_second_key(shop))
    try:
        for number in range(strikes):
            # Calls must be in flight all through a strike, so the tills are not let run ahead of it.
            supply.end = first + (number + 1) * part
            await _until(shop, partial(_reached, shop.model, first + number * part + rng.randrange(part // 2)))
            fault = rng.choice(faults)
            struck, over = await _strike(stage, shop, fault, rng)
            supply.end = shop.model.sold
            await _until(shop, partial(_reached, shop.model, shop.model.acknowledged + 1))
            course.note(fault, recovery=time.monotonic() - over, strike=over - struck)
        if isinstance(supply, Demand):
            await _until(shop, partial(_reached, shop.model, first + sales))
            supply.over = True
        await _until(shop, selling.done)
        selling.result()
    except StandsStill:
        course.stood_still = True
    finally:
        for task in (selling, watching):
            task.cancel()
        await asyncio.gather(selling, watching, return_exceptions=True)
    course.seconds = time.monotonic() - began
    return course


async def _strike(stage: Stage, shop: Shop, fault: Fault, rng: Random) -> tuple[float, float]:
    """Not before selling has got going again after the last one; when it struck, and when all was up again."""
    await _until(shop, partial(_reached, shop.model, shop.model.acknowledged + ACKNOWLEDGED_BETWEEN))
    struck = time.monotonic()
    shop.is_graceful = fault.gracefully
    await asyncio.to_thread(fault.strike, stage, shop, rng)
    shop.is_graceful = False
    return struck, time.monotonic()


def _reached(model: Model, count: int) -> bool:
    return model.acknowledged >= count


async def _until(shop: Shop, true: Callable[[], bool]) -> None:
    """Wait, as long as anything is acknowledged now and then.

    Raises:
        StandsStill: nothing has been.
    """
    seen, since = shop.model.acknowledged, time.monotonic()
    while not true():
        if shop.model.acknowledged != seen:
            seen, since = shop.model.acknowledged, time.monotonic()
        if time.monotonic() - since > LONGEST_OUTAGE:
            raise StandsStill
        await asyncio.sleep(0.005)
