"""The clock of the server steps while tills sell: hours ahead and back, a day back, a year ahead.

By libfaketime (Debian: ``libfaketime``), which the server alone is started with. Its monotonic clock goes on, as it
does where somebody sets the clock of a machine.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

from bench.shop import sale
from tests.faults.books import Condition
from tests.faults.report import tell
from tests.faults.sales import CAMPGROUNDS
from tests.faults.sieges.besieging import (
    FIRST_OF_A_SIEGE,
    Order,
    give_verdict,
    only,
    open_shop,
    sell_during,
    statuses_of,
)
from tests.faults.sieges.probing import Probe
from tests.faults.stage import BOTH_SCOPES, Scene, Stage, set_stage

LIBRARY = "usr/lib/*/faketime/libfaketimeMT.so.1"
RIGHT, BEHIND, A_YEAR_AHEAD = "+0", ("-1h", "-1d"), "+1y"
STEPS = ("+1h", RIGHT, "-1h", "-1d", A_YEAR_AHEAD, RIGHT)
ROUNDS = 3
SECONDS_A_STEP = 10
SECONDS_TO_ARRIVE = 0.5
TILLS = 16
FEW = 30
MONTH = timedelta(days=30)


class LibraryMissing(Exception):
    """There is no libfaketime on this machine."""


@dataclass(frozen=True, slots=True)
class Probes:
    """A key that ends in a month; one that may call a few times in an hour; a test key."""

    ending: Probe
    few: Probe
    trying: Probe


@dataclass(frozen=True, slots=True)
class Seen:
    """What was answered after a step: to the key that ends in a month; to the few calls of the other, more of them
    than it may make; to a sale that was sold just now by a right clock.
    """

    step: str
    ending: int
    few: Counter[int]
    just_now: int


def besiege_by_the_clock(order: Order) -> bool:
    """Step by step, under load."""
    clock = order.folder / "clock"
    set_clock(clock, RIGHT)
    with set_stage(Scene("postgresql", order.seed), order.folder) as stage:
        probes = mint_for_probes(stage)
        stage.service.stop()
        stage.service.serving.update(environment(clock))
        stage.service.start()
        shop = open_shop(stage, order.seed)
        steps = STEPS * order.part_of(ROUNDS)
        seen = asyncio.run(sell_during(shop, partial(step_and_look, clock, steps, probes), tills=TILLS))
        return give_verdict(stage, shop, judge(statuses_of(shop.heard or []), seen))


def environment(clock: Path) -> dict[str, str]:
    """Of a server whose clock is what a file says.

    Raises:
        LibraryMissing: no libfaketime was found.
    """
    found = sorted(Path("/").glob(LIBRARY))
    if not found:
        raise LibraryMissing("The clock is set by libfaketime, which is not here (Debian: apt install libfaketime).")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DJANGO_SETTINGS_MODULE": "tests.faults.sieges.clock_settings",
    }


def set_clock(clock: Path, step: str) -> None:
    """In one piece: it is read at every look at the clock."""
    draft = clock.with_suffix(".draft")
    draft.write_text(f"{step}\n")
    draft.replace(clock)


def now() -> datetime:
    """By a clock that nobody has set."""
    return datetime.fromtimestamp(time.time(), timezone.utc)


def mint_for_probes(stage: Stage) -> Probes:
    """Of Seeblick."""
    ends = (now() + MONTH).strftime("%Y-%m-%dT%H:%M:%SZ")
    both = ("mint_key", "--tenant", CAMPGROUNDS[0], "--name", "Probe", *BOTH_SCOPES)
    tokens = [stage.service.manage(*both, *more) for more in (("--expires", ends), ("--budget", str(FEW)), ("--test",))]
    return Probes(*(Probe(stage.port, token) for token in tokens))


def step_and_look(clock: Path, steps: Sequence[str], probes: Probes) -> list[Seen]:
    """Each step for some seconds, and what was seen in it."""
    seen = []
    for number, step in enumerate(steps):
        set_clock(clock, step)
        time.sleep(SECONDS_TO_ARRIVE)
        few = Counter(probes.few.ping().status for _ in range(FEW + 5))
        just_now = probes.trying.post(sale(f"now-{number}", now())).status
        seen.append(Seen(step, probes.ending.ping().status, few, just_now))
        tell(f"  {step}: {seen[-1]}")
        time.sleep(SECONDS_A_STEP)
    return seen


def judge(statuses: Counter[int], seen: Sequence[Seen]) -> list[Condition]:
    """What tills heard, and what the probes did."""
    number = FIRST_OF_A_SIEGE
    ended = [each for each in seen if each.ending != (401 if each.step == A_YEAR_AHEAD else 200)]
    refused = [each for each in seen if each.just_now != (400 if each.step in BEHIND else 201)]
    stuck = [each.step for each in seen if each.few[200] < FEW - 2]
    return [
        only(number, statuses, (200, 201)),
        Condition(
            number + 1, "a key ends by the server's clock, and opens again", not ended, f"{len(ended)} otherwise"
        ),
        Condition(
            number + 2,
            "a sale sold just now is too far ahead only for a clock that is behind",
            not refused,
            f"{len(refused)} otherwise",
        ),
        Condition(number + 3, "no budget is used up by calls of another time", not stuck, ", ".join(stuck) or "none"),
    ]
