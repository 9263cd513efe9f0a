"""Migrations that break the rules, on purpose: a run that would not find them out proves nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.faults.report import tell
from tests.faults.tills import Shop
from tests.server.service import Service
from tests.upgrading.course import Course, Under
from tests.upgrading.judging import LONGEST_WAIT
from tests.upgrading.migrating import do
from tests.upgrading.pace import Pace, sell_at
from tests.upgrading.stage import UpgradeStage
from tests.upgrading.versions import Version
from tests.upgrading.waiting import watching

SETTINGS = "tests.upgrading.next_settings"
RATE = 40.0
BREAKS = "rules are broken"


@dataclass(frozen=True, slots=True)
class Break:
    """A set of migrations, and over how many sales it takes long enough to be felt."""

    steps: str
    least_rows: int = 0


BREAKING = (Break("held"), Break("rewritten", 500_000), Break("indexed", 500_000))


def next_version(steps: str) -> Version:
    """This version, and migrations of nobody's besides: a folder of this package."""
    return Version(
        f"migrations of tests/upgrading/migrations/{steps}",
        environment={"DJANGO_SETTINGS_MODULE": SETTINGS, "STEPS": steps},
    )


def find_out(stage: UpgradeStage, shop: Shop, *, rows: int) -> bool:
    """Each that is felt at this size; whether all were found out."""
    good = True
    for each in BREAKING:
        if rows >= each.least_rows:
            good = _is_found_out(stage, shop, each.steps) and good
    return good


def _is_found_out(stage: UpgradeStage, shop: Shop, steps: str) -> bool:
    version = next_version(steps)
    owner = Service({**stage.owner.environment, **version.environment}, log=stage.owner.log)
    with watching(stage.database) as waits:
        under = Under(stage, shop, Pace(shop.model, RATE), waits, 1.0)
        course = asyncio.run(_break(under, owner))
    (part,) = (each for each in course.parts if each.name == BREAKS)
    found = part.p99 >= LONGEST_WAIT or part.waited_for_lock >= LONGEST_WAIT or part.failures > 0
    tell(f"broken on purpose, {steps}: {'found out' if found else 'NOT FOUND OUT'}\n{part}")
    return found


async def _break(under: Under, owner: Service) -> Course:
    selling = asyncio.create_task(sell_at(under.shop, under.pace))
    await under.rest("rules are kept")
    await under.part(BREAKS, lambda: under.change([do(owner, "migrate", "upgrading", "--no-input", "-v", "2")]))
    await under.rest("rules are kept again")
    under.pace.is_over = True
    await selling
    under.end()
    under.change([do(owner, "migrate", "upgrading", "zero", "--no-input", "-v", "2")])
    return under.course
