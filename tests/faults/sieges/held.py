"""Every connection that PostgreSQL has is somebody else's for half a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

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
from tests.faults.stage import SERVING, Scene, set_stage
from tests.faults.tills import Heard

SECONDS = 30
SECONDS_TO_TAKE_ALL = 20
TILLS = 24
TICK = 0.02
OURS = f"SELECT pid FROM pg_stat_activity WHERE usename = '{SERVING}' AND backend_type = 'client backend'"


@dataclass(frozen=True, slots=True)
class Course:
    """From when to when all were held, and how many they were."""

    began: float
    ended: float
    held: int


def besiege_by_others(order: Order) -> bool:
    """They take what there is, and what the service had."""
    with set_stage(Scene("postgresql", order.seed), order.folder) as stage:
        shop = open_shop(stage, order.seed)
        deed = partial(hold_all, stage.postgres, order.part_of(SECONDS))
        course = asyncio.run(sell_during(shop, deed, tills=TILLS))
        return give_verdict(stage, shop, judge(shop.heard or [], course))


def hold_all(database: Postgres, seconds: float) -> Course:
    """For so long nobody else gets one."""
    time.sleep(1)
    with everything(database) as held:
        began = time.monotonic()
        time.sleep(seconds)
        ended = time.monotonic()
    return Course(began, ended, len(held))


@contextmanager
def everything(database: Postgres) -> Iterator[list[psycopg.Connection[Any]]]:
    """Every connection there is; the service's own are ended, and taken before it has them again.

    Raises:
        TimeoutError: the service was quicker all the time.
    """
    held = [database.connect()]
    try:
        deadline = time.monotonic() + SECONDS_TO_TAKE_ALL
        while True:
            held += take_what_is_free(database)
            left = held[0].execute(OURS.encode()).fetchall()
            if not left:
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"The service still holds {len(left)} connections.")
            for (pid,) in left:
                held[0].execute("SELECT pg_terminate_backend(%s)", (pid,))
            time.sleep(TICK)
        yield held
    finally:
        for each in held:
            each.close()


def take_what_is_free(database: Postgres) -> list[psycopg.Connection[Any]]:
    """As many as PostgreSQL gives."""
    taken = []
    try:
        while True:
            taken.append(database.connect())
    except psycopg.OperationalError:
        return taken


def judge(heard: Sequence[Heard], course: Course) -> list[Condition]:
    """Everybody is told in time to come again, and all goes on."""
    number, inside = FIRST_OF_A_SIEGE, heard_in(heard, course.began, course.ended)
    told = [each.seconds for each in inside if each.status == 503]
    return [
        happened(number, "connections were held by others", course.held),
        happened(number + 1, "calls were told to come again", len(told)),
        only(number + 2, statuses_of(inside), (200, 201, 503)),
        within(number + 3, "p99 of 503", percentile(told, 0.99), SECONDS_TO_BE_TOLD),
        within(number + 4, "selling goes on", first_ack_after(heard, course.ended), SECONDS_TO_GO_ON),
    ]
