"""The upgrade from its first part to its last, while tills sell: forward, over, back, and forward again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.faults.books import percentile
from tests.faults.report import counts_text, tell
from tests.faults.stage import SERVING
from tests.faults.tills import Shop
from tests.server.process import ServerFailed
from tests.server.service import Service
from tests.upgrading.migrating import (
    Deed,
    applied,
    columns,
    go_back,
    lost_on_the_way_back,
    upgrade,
)
from tests.upgrading.pace import Pace, sell_at
from tests.upgrading.stage import UpgradeStage
from tests.upgrading.waiting import Waits, reading_on

CATCHES_UP_WITHIN = 120
"""Seconds; whoever needs longer is found too slow in the next part."""
FULL_SPEED = "as fast as it goes"
TAKES_OVER, IS_BACK = "new code takes over", "old code takes over again"
HANDOVERS = (TAKES_OVER, IS_BACK, f"{TAKES_OVER} again")


@dataclass(slots=True)
class Part:
    """What was seen in one part of the run; waits in seconds."""

    name: str
    sales: int = 0
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    silence: float = 0.0
    waited_for_lock: float = 0.0
    owner_waited: float = 0.0
    failures: int = 0

    def __str__(self) -> str:
        return (
            f"  {self.name:34} {self.sales:6} sales  p50 {self.p50:.3f}  p99 {self.p99:.3f}  max {self.longest:.3f} s"
            f"  silent {self.silence:.2f} s  waited for a lock: till {self.waited_for_lock:.2f},"
            f" owner {self.owner_waited:.2f} s  5xx {self.failures}"
        )


@dataclass(slots=True)
class Course:
    """What happened. ``refused`` says what the new code said on old tables; ``lost`` what kept us from going back."""

    parts: list[Part] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused: str = ""


@dataclass(slots=True)
class Under:
    """Tills that sell, whoever serves, and what is noted of them, part by part."""

    stage: UpgradeStage
    shop: Shop
    pace: Pace
    waits: Waits
    seconds: float
    course: Course = field(default_factory=Course)
    failures: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.failures["before"] = self.shop.model.failures.total()

    async def rest(self, name: str) -> None:
        """Nothing happens but selling."""
        await self.part(name, lambda: time.sleep(self.seconds))

    async def part(self, name: str, deed: Callable[[], object]) -> None:
        """Something happens, in a thread, while tills sell."""
        self._count_failures()
        self.pace.part = self.waits.part = name
        await asyncio.to_thread(deed)

    async def hand_over(self, name: str, old: Service, new: Service) -> None:
        """As ``systemctl restart``: whatever was taken is answered, then the other one begins."""
        await self.part(name, lambda: self._replace(old, new))
        await self.rest(name)
        await self.catch_up()

    async def catch_up(self) -> None:
        """Until what is overdue is sold: it belongs to the part in which it fell due."""
        deadline = time.monotonic() + CATCHES_UP_WITHIN
        while not self.pace.has_caught_up and time.monotonic() < deadline:  # noqa: ASYNC110 (a moment, asked for again)
            await asyncio.sleep(0.05)

    def _count_failures(self) -> None:
        """Whatever has failed since they were counted belongs to the part that ends."""
        self.failures[self.pace.part] += self.shop.model.failures.total() - self.failures.total()

    def _replace(self, old: Service, new: Service) -> None:
        self.shop.is_graceful = True
        old.stop()
        self.shop.is_graceful = False
        new.start()

    def change(self, deeds: Iterable[Deed]) -> None:
        """Each deed, and what it took."""
        for deed in deeds:
            self.course.deeds.append(deed)

    def end(self) -> None:
        """The figures of all parts."""
        self._count_failures()
        for name, waits in self.pace.waits.items():
            self.course.parts.append(
                Part(
                    name,
                    len(waits),
                    percentile(waits, 0.5),
                    percentile(waits, 0.99),
                    max(waits),
                    self.pace.longest_silence[name],
                    self.waits.of_service[name],
                    self.waits.of_owner[name],
                    self.failures[name],
                )
            )


async def upgrade_under_load(under: Under) -> Course:
    """All of it; the new code serves in the end."""
    selling = asyncio.create_task(sell_at(under.shop, under.pace))
    try:
        await _all_parts(under)
        under.pace.is_over = True
        await selling
    finally:
        selling.cancel()
        await asyncio.gather(selling, return_exceptions=True)
    under.end()
    return under.course


async def _all_parts(under: Under) -> None:
    stage, course = under.stage, under.course
    await _find_half_load(under)
    await under.rest("old code, old tables")
    known, place = applied(stage.database), columns(stage.database)
    await under.part("tables change", lambda: under.change(_with_readers(stage)))
    await under.rest("old code, new tables")
    await under.hand_over(TAKES_OVER, stage.before, stage.after)
    await under.rest("new code, new tables")
    await under.hand_over(IS_BACK, stage.after, stage.before)
    course.lost = lost_on_the_way_back(stage.database, place)
    newer = applied(stage.database)
    if newer != known and not course.lost:
        await under.part("tables change back", lambda: under.change(go_back(stage.owner, known, newer)))
        await under.rest("old code, old tables, again")
        course.refused = await asyncio.to_thread(_say_no, stage)
        await under.part("tables change again", lambda: under.change(upgrade(stage.owner, SERVING)))
    await under.hand_over(HANDOVERS[-1], stage.before, stage.after)


async def _find_half_load(under: Under) -> None:
    if under.pace.per_second is not None:
        return
    began = time.monotonic()
    await under.rest(FULL_SPEED)
    sold = len(under.pace.waits[FULL_SPEED])
    under.pace.per_second = sold / (time.monotonic() - began) / 2
    await under.catch_up()
    tell(f"{2 * under.pace.per_second:.0f} sales/s at full speed; half of that from here on")


def _with_readers(stage: UpgradeStage) -> Iterable[Deed]:
    """While a backup reads, ends, and another begins."""
    with reading_on(stage.database, times=3, seconds=3.0, pause=2.0):
        yield from upgrade(stage.owner, SERVING)


def _say_no(stage: UpgradeStage) -> str:
    """What the new code says where tables are old: it must not serve."""
    there = Service(stage.after.environment, log=stage.after.log.with_name("refused.log"), code=stage.after.code)
    try:
        there.start()
    except ServerFailed as failed:
        return str(failed).strip().splitlines()[-1]
    finally:
        there.kill()
    return ""


def tell_course(course: Course, shop: Shop) -> None:
    """What happened on the way."""
    for deed in course.deeds:
        tell(f"{deed.name}: {deed.seconds:.1f} s, {deed.tries} tries")
        for refusal, count in Counter(deed.refusals).items():
            tell(f"    not done at first, {count} ×: {refusal}")
        for name, seconds in deed.steps.items():
            tell(f"    {name:44} {seconds:.3f} s")
    for part in course.parts:
        tell(str(part))
    tell(f"calls: {counts_text(shop.fates)}")
    for each in course.lost:
        tell(f"No way back without loss: {each}.")
