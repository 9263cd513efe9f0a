"""Tills at half load: each sale is due at its moment, and late from then on, whoever is kept waiting."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field

from tests.faults.model import Model
from tests.faults.tills import Shop, Till

TILLS = 64
"""Many more than half load needs: as long as somebody waits, others find the next sale due."""
OVERDUE = 0.5
"""Seconds."""


@dataclass(slots=True)
class Pace:
    """Gives out sales as they fall due; without ``per_second`` as fast as tills take them.

    ``waits`` are, by part of the run, the seconds from the moment a sale was due until it was acknowledged.
    """

    model: Model
    per_second: float | None = None
    part: str = ""
    is_over: bool = False
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    acknowledged_at: float = 0.0
    longest_silence: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _due: dict[int, tuple[float, str]] = field(default_factory=dict)
    _next: float = 0.0

    async def take(self) -> int | None:
        """The next one, at its moment; None once it is over."""
        now = time.monotonic()
        due = max(self._next, now) if self.per_second is None or not self._next else self._next
        self._next = due + 1 / self.per_second if self.per_second else 0.0
        if due > now:
            await asyncio.sleep(due - now)
        if self.is_over:
            return None
        number = self.model.sell(1)[0]
        self._due[number] = (due, self.part)
        return number

    @property
    def has_caught_up(self) -> bool:
        """Whether no sale is long overdue."""
        now = time.monotonic()
        return self._next > now and all(now - due < OVERDUE for due, _ in self._due.values())

    def settle(self, number: int) -> None:
        """It is acknowledged."""
        now = time.monotonic()
        due, part = self._due.pop(number)
        self.waits[part].append(now - due)
        if self.acknowledged_at:
            self.longest_silence[self.part] = max(self.longest_silence[self.part], now - self.acknowledged_at)
        self.acknowledged_at = now


class PacedTill(Till):
    """Sells what is due."""

    async def sell_at(self, pace: Pace) -> None:
        """One sale after the other, each until it is acknowledged."""
        try:
            while (number := await pace.take()) is not None:
                await self.settle(pace.model.sale(number))
                pace.settle(number)
        finally:
            self.hang_up()


async def sell_at(shop: Shop, pace: Pace, *, tills: int = TILLS) -> None:
    """Sell until it is over, by so many tills at once."""
    async with asyncio.TaskGroup() as group:
        for each in range(tills):
            group.create_task(PacedTill(shop, seed=f"{shop.model.seed}/{shop.model.sold}/{each}").sell_at(pace))
