"""One upgrade from the first sale to the last condition, and then what breaks the rules, on the same stage."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.faults.model import Model
from tests.faults.report import tell, tell_conditions
from tests.faults.running import check
from tests.faults.stage import Stage
from tests.faults.tills import Shop
from tests.upgrading.breaking import find_out
from tests.upgrading.course import Course, Under, tell_course, upgrade_under_load
from tests.upgrading.judging import check_course, digest
from tests.upgrading.pace import Pace
from tests.upgrading.stage import LAID_IN, UpgradeStage, set_upgrade_stage
from tests.upgrading.versions import Version
from tests.upgrading.waiting import watching


@dataclass(frozen=True, slots=True)
class Plan:
    """From which version to which, over how long a ledger; ``rate`` in sales a second, None for half load."""

    old: Version
    new: Version
    seed: int
    rows: int
    seconds: float
    rate: float | None
    patience: str


def run(plan: Plan, folder: Path) -> bool:
    """Upgrade, compare, and see that a broken rule is found out; whether all is as it must be."""
    with set_upgrade_stage(plan.old, plan.new, folder, rows=plan.rows, patience=plan.patience) as stage:
        before = digest(stage.database)
        tell(f"from {plan.old.name} to {plan.new.name}; the owner waits {plan.patience} for a lock")
        stage.before.start()
        shop = Shop(Model(plan.seed), stage.keys, stage.before.port)
        course = sell_through(stage, shop, plan)
        tell_course(course, shop)
        whole = Stage(stage.after, stage.database, stage.keys, shop.port, None, None)
        conditions, examples = check(whole, shop, network_spoils=False, laid_in=LAID_IN)
        conditions += check_course(
            course, before=before, after=digest(stage.database), changes=any(deed.steps for deed in course.deeds)
        )
        good = tell_conditions(conditions, examples)
        return find_out(stage, shop, rows=plan.rows) and good


def sell_through(stage: UpgradeStage, shop: Shop, plan: Plan) -> Course:
    """The upgrade itself."""
    with watching(stage.database) as waits:
        under = Under(stage, shop, Pace(shop.model, plan.rate), waits, plan.seconds)
        return asyncio.run(upgrade_under_load(under))
