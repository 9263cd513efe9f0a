"""What sieges have in common: how much of the full bar is asked for, tills that sell meanwhile, and what is judged."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.faults.books import Condition
from tests.faults.model import Model
from tests.faults.report import tell_conditions
from tests.faults.running import check
from tests.faults.stage import Stage
from tests.faults.tills import Demand, Heard, Shop, sell

PATIENT = (60.0,)
SECONDS_TO_SETTLE = 120
SECONDS_TO_BE_TOLD = 5.0
"""To come again, where nobody can be served."""
SECONDS_TO_GO_ON = 5.0
FIRST_OF_A_SIEGE = 20
"""Conditions from here on are a siege's own; those before are everybody's (``books``)."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """A siege that is asked for; ``share`` is that of the full bar."""

    seed: int
    share: float
    folder: Path

    def part_of(self, full: int) -> int:
        """So many, and one at least."""
        return max(round(full * self.share), 1)


def open_shop(stage: Stage, seed: int, *, patiences: tuple[float, ...] = PATIENT) -> Shop:
    """Tills that wait for whatever answer comes, and remember how long it took."""
    return Shop(Model(seed), stage.keys, stage.port, patiences=patiences, heard=[])


async def sell_during(shop: Shop, deed: Callable[[], T], *, tills: int, pause: float = 0.0) -> T:
    """Sell as long as the deed lasts, and until all sold is acknowledged, if it ever is; what the deed says."""
    demand = Demand(shop.model, pause=pause)
    selling = asyncio.create_task(sell(shop, demand, tills=tills))
    try:
        return await asyncio.to_thread(deed)
    finally:
        demand.over = True
        with suppress(TimeoutError):  # the books will say what is missing
            async with asyncio.timeout(SECONDS_TO_SETTLE):
                await selling


def give_verdict(stage: Stage, shop: Shop, own: Iterable[Condition]) -> bool:
    """Everybody's conditions and the siege's own; whether all hold."""
    conditions, examples = check(stage, shop, network_spoils=False)
    return tell_conditions([*conditions, *own], examples)


def heard_in(heard: Iterable[Heard], began: float, ended: float) -> list[Heard]:
    """By calls that had no answer yet when something began, or were sent before it ended."""
    return [each for each in heard if began < each.sent + each.seconds and each.sent < ended]


def statuses_of(heard: Iterable[Heard]) -> Counter[int]:
    """How often each was heard."""
    return Counter(each.status for each in heard)


def only(number: int, statuses: Counter[int], allowed: Sequence[int]) -> Condition:
    """Nothing else was heard, and something was."""
    others = {status: count for status, count in statuses.items() if status not in allowed}
    told = ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items())) or "nothing"
    sentence = f"only {', '.join(map(str, allowed))} is heard"
    return Condition(number, sentence, bool(statuses) and not others, told)


def within(number: int, sentence: str, seconds: float | None, limit: float) -> Condition:
    """Something took less than the limit; None if it never came to an end."""
    figures = "never" if seconds is None else f"{seconds:.2f} s"
    return Condition(number, f"{sentence} within {limit:g} s", seconds is not None and seconds < limit, figures)


def happened(number: int, sentence: str, count: int, *, at_least: int = 1) -> Condition:
    """A siege in which nothing was besieged proves nothing."""
    return Condition(number, sentence, count >= at_least, str(count))


def none_of(number: int, sentence: str, count: int, *, among: int) -> Condition:
    """There were some that could have been, and none that was."""
    return Condition(number, sentence, not count and among > 0, f"{count} of {among}")


def first_ack_after(heard: Iterable[Heard], moment: float) -> float | None:
    """Seconds from a moment to the end of the first call that was acknowledged and ended after it."""
    ends = [each.sent + each.seconds - moment for each in heard if each.status in (200, 201)]
    return min((each for each in ends if each > 0), default=None)
