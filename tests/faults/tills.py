"""Impatient tills. Without impatience and twins a missing constraint stays unseen, however much is killed.

A call waits 0.15, 0.5, 2 or 10 seconds; one sale in ten is sent by two tills at once. Whatever has not been
acknowledged is sent again, the same bytes, until it is. Waits between are a fraction of what a till of the field would
take, so that a run lasts minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.faults.model import DROPPED_BY_A_GRACEFUL_SERVER, Model
from tests.faults.sales import CAMPGROUNDS, Sale
from tests.faults.wire import Dropped, Line, Refused, request

PATIENT = (30.0,)
PATIENCES = (0.15, 0.5, 2.0, 10.0)
PAUSES = (0.02, 0.2)
TICK = 0.005
SHARE_OF_SECOND_KEY = 0.1


@dataclass(slots=True)
class Keys:
    """Tokens of each campground. Seeblick's second one is revoked and minted anew now and then."""

    lasting: dict[str, list[str]]
    second: str | None = None
    revoked: set[str] = field(default_factory=set)

    def pick(self, campground: str, rng: Random) -> str:
        """One that opens the campground, unless it is being revoked at this very moment."""
        if campground == CAMPGROUNDS[0] and self.second and rng.random() < SHARE_OF_SECOND_KEY:
            return self.second
        return rng.choice(self.lasting[campground])


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole answer to a sale: when that was sent, on the monotonic clock, and how many seconds it took."""

    sent: float
    seconds: float
    status: int


@dataclass(slots=True)
class Shop:
    """What all tills of a run share. ``is_graceful`` while the server has promised to answer all it has taken;
    ``heard`` is a list where somebody wants to know how long each answer took; ``incidents`` are what else was seen
    during faults.
    """

    model: Model
    keys: Keys
    port: int
    patiences: tuple[float, ...] = PATIENCES
    is_graceful: bool = False
    fates: Counter[str] = field(default_factory=Counter)
    heard: list[Heard] | None = None
    incidents: Counter[str] = field(default_factory=Counter)

    def request_id(self, call: int) -> str:
        """By which a call is found in the activity log."""
        return f"fault-{call}"


class Supply:
    """Numbers of sales for all tills of a run; none from ``end`` on is given out before the end is moved."""

    def __init__(self, numbers: range) -> None:
        self._next, self._last = numbers.start, numbers.stop
        self.end = numbers.stop

    async def take(self) -> int | None:
        """The next one; None if there are no more."""
        while self.end <= self._next < self._last:  # noqa: ASYNC110 (asked only where tills wait for a fault)
            await asyncio.sleep(TICK)
        if self._next >= self._last:
            return None
        self._next += 1
        return self._next - 1


class Demand(Supply):
    """Sales without end, until it is ``over``; a till waits ``pause`` seconds before each of its own."""

    def __init__(self, model: Model, *, pause: float = 0.0) -> None:
        super().__init__(range(0))
        self.over = False
        self._model, self._pause = model, pause

    async def take(self) -> int | None:
        await asyncio.sleep(self._pause)
        return None if self.over else self._model.sell(1).start


class Till:
    """Sells one sale after the other, each until it is acknowledged."""

    def __init__(self, shop: Shop, *, seed: str) -> None:
        self._shop = shop
        self._rng = Random(seed)
        self._line, self._twins_line = Line(shop.port), Line(shop.port)

    async def sell(self, supply: Supply) -> None:
        """All that are left; other tills take from the same."""
        try:
            while (number := await supply.take()) is not None:
                await self.settle(self._shop.model.sale(number))
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        """End both connections."""
        self._line.hang_up()
        self._twins_line.hang_up()

    async def settle(self, sale: Sale) -> None:
        """Until it is acknowledged, as often as that takes; of twins' two, either will do."""
        if sale.is_sent_by_twins:
            both = await asyncio.gather(self.send(sale, self._line), self.send(sale, self._twins_line))
            if any(both):
                return
        while not await self.send(sale, self._line):  # noqa: ASYNC110 (the answer is what is waited for)
            await asyncio.sleep(self._rng.uniform(*PAUSES))

    async def send(self, sale: Sale, line: Line) -> bool:
        """Once; whether it is acknowledged now."""
        shop, token = self._shop, self._shop.keys.pick(sale.campground, self._rng)
        call = shop.model.call()
        sent = request("POST", "transactions/", token=token, request_id=shop.request_id(call), body=sale.body)
        began = time.monotonic()
        try:
            answer = await line.call(sent, patience=self._rng.choice(shop.patiences))
        except TimeoutError:
            shop.fates["waited in vain"] += 1
        except Refused:
            shop.fates["found nobody"] += 1
        except Dropped as dropped:
            shop.fates[f"hung up on, {dropped}"] += 1
            if shop.is_graceful:
                shop.model.statuses[call] = DROPPED_BY_A_GRACEFUL_SERVER
        else:
            shop.fates[f"answered {answer.status}"] += 1
            if shop.heard is not None:
                shop.heard.append(Heard(began, time.monotonic() - began, answer.status))
            if answer.status == 401 and token not in shop.keys.lasting[sale.campground]:
                shop.model.hear(call, answer)  # revoked meanwhile; another key will do
            else:
                return shop.model.hear_of_sale(call, sale, answer)
        return False


async def sell(shop: Shop, supply: Supply, *, tills: int) -> None:
    """Sell them all, by so many tills at once."""
    async with asyncio.TaskGroup() as group:
        for each in range(tills):
            group.create_task(Till(shop, seed=f"{shop.model.seed}/{shop.model.sold}/{each}").sell(supply))
