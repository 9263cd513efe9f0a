"""The line to PostgreSQL is dead for a minute, and says so to nobody; and, for as long, a PostgreSQL that hangs."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tests.faults.books import Condition, percentile
from tests.faults.databases import Postgres
from tests.faults.sieges.besieging import (
    FIRST_OF_A_SIEGE,
    SECONDS_TO_BE_TOLD,
    SECONDS_TO_GO_ON,
    Order,
    first_ack_after,
    give_verdict,
    happened,
    heard_in,
    only,
    open_shop,
    sell_during,
    statuses_of,
    within,
)
from tests.faults.silence import SilentLine, silent_line
from tests.faults.stage import SERVING, Scene, set_stage
from tests.faults.tills import Heard

SECONDS = 60
SECONDS_BEFORE = 3
SECONDS_TO_GIVE_UP = 30.0
TILLS = 24
TICK = 0.1


@dataclass(frozen=True, slots=True)
class Course:
    """When it was silent, and after how long the last of the connections that stood in it was given up, if ever."""

    began: float
    ended: float
    stood: int
    given_up: float | None


def besiege_by_a_dead_line(order: Order) -> bool:
    """What the app sends is not even confirmed by a kernel."""
    with set_stage(Scene("postgresql", order.seed), order.folder) as stage, silent_line(stage.postgres) as line:
        stage.service.stop()
        stage.service.serving["DATABASE_URL"] = line.url_for(SERVING)
        stage.service.start()
        shop = open_shop(stage, order.seed)
        deed = partial(keep_silent, line, order.part_of(SECONDS))
        course = asyncio.run(sell_during(shop, deed, tills=TILLS))
        return give_verdict(stage, shop, judge(shop.heard or [], course))


def besiege_by_a_hung_database(order: Order) -> bool:
    """All of PostgreSQL stands still, as on a machine that is paused; its kernel goes on taking what comes."""
    with set_stage(Scene("postgresql", order.seed), order.folder) as stage:
        shop = open_shop(stage, order.seed)
        deed = partial(keep_still, stage.postgres, order.part_of(SECONDS))
        course = asyncio.run(sell_during(shop, deed, tills=TILLS))
        return give_verdict(stage, shop, judge_hung(shop.heard or [], course))


def keep_still(database: Postgres, seconds: float) -> Course:
    """For so long."""
    time.sleep(SECONDS_BEFORE)
    began = time.monotonic()
    database.tell_all(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        database.tell_all(signal.SIGCONT)
    return Course(began, time.monotonic(), stood=0, given_up=None)


def keep_silent(line: SilentLine, seconds: float) -> Course:
    """For so long, watching who gives up."""
    time.sleep(SECONDS_BEFORE)
    stood, began = line.callers(), time.monotonic()
    line.fall_silent()
    given_up = None
    while time.monotonic() < began + seconds:
        if given_up is None and not stood & line.callers():
            given_up = time.monotonic() - began
        time.sleep(TICK)
    line.speak_again()
    return Course(began, time.monotonic(), len(stood), given_up)


def judge(heard: Sequence[Heard], course: Course) -> list[Condition]:
    """A line that is dead: nobody waits for the end of it."""
    number, inside = FIRST_OF_A_SIEGE, heard_in(heard, course.began, course.ended)
    slowest = max((each.seconds for each in inside), default=None)
    return [
        happened(number, "connections stood in the silence", course.stood),
        within(number + 1, "all of them are given up", course.given_up, SECONDS_TO_GIVE_UP),
        only(number + 2, statuses_of(inside), (200, 201, 503)),
        within(number + 3, "whoever calls is answered", slowest, SECONDS_TO_GIVE_UP),
        within(number + 4, "selling goes on", first_ack_after(heard, course.ended), SECONDS_TO_GO_ON),
    ]


def judge_hung(heard: Sequence[Heard], course: Course) -> list[Condition]:
    """A database that hangs: who is being served waits with it, everybody else is told."""
    number, inside = FIRST_OF_A_SIEGE, heard_in(heard, course.began, course.ended)
    told = [each.seconds for each in inside if each.status == 503]
    waited = len(inside) - len(told)
    return [
        happened(number, f"calls were told to come again, and {waited} waited with it", len(told)),
        only(number + 1, statuses_of(inside), (200, 201, 503)),
        within(number + 2, "p99 of 503", percentile(told, 0.99), SECONDS_TO_BE_TOLD),
        within(number + 3, "selling goes on", first_ack_after(heard, course.ended), SECONDS_TO_GO_ON),
    ]
