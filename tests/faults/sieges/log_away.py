"""The table of the activity log takes nothing: its privilege is gone, then its very name. Sales go on."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tests.faults.books import CALLS, Condition, read_log
from tests.faults.databases import Postgres
from tests.faults.report import tell_conditions
from tests.faults.running import check
from tests.faults.sieges.besieging import FIRST_OF_A_SIEGE, Order, happened, only, open_shop, sell_during, statuses_of
from tests.faults.stage import SERVING, Scene, set_stage
from tests.faults.tills import Heard

SECONDS = 20
SECONDS_BEFORE = 3
TILLS = 16
HARMS = {
    "no privilege": (
        f"REVOKE INSERT ON pos_bridge_inboundcall FROM {SERVING}",
        f"GRANT INSERT ON pos_bridge_inboundcall TO {SERVING}",
    ),
    "another name": (
        "ALTER TABLE pos_bridge_inboundcall RENAME TO elsewhere",
        "ALTER TABLE elsewhere RENAME TO pos_bridge_inboundcall",
    ),
}
TAKEN = re.compile(r"(\d+) taken")


@dataclass(frozen=True, slots=True)
class Away:
    """From when to when, by which harm."""

    harm: str
    began: float
    ended: float


def besiege_the_log(order: Order) -> bool:
    """By one harm after the other."""
    with set_stage(Scene("postgresql", order.seed), order.folder) as stage:
        database = stage.postgres
        shop = open_shop(stage, order.seed)
        deed = partial(harm_and_mend, database, order.part_of(SECONDS))
        course = asyncio.run(sell_during(shop, deed, tills=TILLS))
        without = read_log(database.rows(CALLS), shop.model).findings.counts["without a row"]
        conditions, examples = check(stage, shop, network_spoils=False)
        kept = int(next(iter(TAKEN.findall(" ".join(each.figures for each in conditions if each.number == 6))), 0))
        own = judge(shop.heard or [], course, without=without, kept=kept)
        return tell_conditions([*conditions, *own], examples)


def harm_and_mend(database: Postgres, seconds: float) -> list[Away]:
    """Each harm for so long."""
    course = []
    for harm in HARMS:
        time.sleep(SECONDS_BEFORE)
        with harmed(database, harm):
            began = time.monotonic()
            time.sleep(seconds)
        course.append(Away(harm, began, time.monotonic()))
    time.sleep(SECONDS_BEFORE)
    return course


@contextmanager
def harmed(database: Postgres, harm: str) -> Iterator[None]:
    """Mended on every way out."""
    break_it, mend_it = HARMS[harm]
    database.execute(break_it)
    try:
        yield
    finally:
        database.execute(mend_it)


def judge(heard: Sequence[Heard], course: Sequence[Away], *, without: int, kept: int) -> list[Condition]:
    """``without`` calls had no row before ``kept`` rows were taken out of the server's own log."""
    number, conditions = FIRST_OF_A_SIEGE, []
    for place, away in enumerate(course):
        inside = [each for each in heard if away.began < each.sent and each.sent + each.seconds < away.ended]
        statuses = statuses_of(inside)
        told = only(number + 2 * place, statuses, (200, 201))
        conditions.append(Condition(told.number, f"{away.harm}: {told.sentence}", told.holds, told.figures))
        conditions.append(happened(number + 2 * place + 1, f"{away.harm}: sales go on", statuses[201]))
    last = number + 2 * len(course)
    same = without == kept and without > 0
    figures = f"{without} without, {kept} kept"
    return [
        *conditions,
        Condition(last, "the server's own log has kept exactly the rows that are missing", same, figures),
    ]
