"""Defects put in on purpose: a test that would not find them proves nothing.

    synchronous_commit_off    PostgreSQL says "committed" before it is: killing it loses sales
    two_transactions          a sale commits before its lines: killing anything leaves half sales
    no_unique_constraint      a look beforehand in place of the constraint: twins double sales

The product knows nothing of this. What is done in its place is put in by an application of Django's
(``tests.faults.defects``) that only the settings of a control install.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.books import Ledger, read_ledger
from tests.faults.campaign import sell_under_faults
from tests.faults.model import Model
from tests.faults.report import tell
from tests.faults.stage import Scene, Stage, set_stage
from tests.faults.striking import Fault, kill_a_worker, kill_postgres, kill_the_server, stop_postgres_at_once
from tests.faults.tills import Shop

SALES_A_ROUND, STRIKES_A_ROUND = 500, 2
MOST_ROUNDS = 15
TILLS = 30
ON_POSTGRES = (Fault("stopped at once", stop_postgres_at_once), Fault("killed", kill_postgres))
ON_THE_SERVER = (Fault("worker killed", kill_a_worker), Fault("server killed", kill_the_server))


@dataclass(frozen=True, slots=True)
class Control:
    """A defect: how it is put in, which faults show it, and how it shows."""

    faults: tuple[Fault, ...]
    shows: Callable[[Ledger, Model], int]
    called: str
    statements: tuple[str, ...] = ()
    defect: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Of a server with the defect."""
        settings = {"DJANGO_SETTINGS_MODULE": "tests.faults.defective_settings", "DEFECT": self.defect}
        return settings if self.defect else {}


def lost(ledger: Ledger, model: Model) -> int:
    """Acknowledged, and not there."""
    return sum(model.is_acknowledged[n] and not ledger.times_stored[n] for n in range(model.sold))


def half(ledger: Ledger, model: Model) -> int:
    """There, without its lines."""
    return ledger.findings.counts["half"]


def doubled(ledger: Ledger, model: Model) -> int:
    """There more than once."""
    return ledger.findings.counts["doubled"]


TWO_TRANSACTIONS = Control(ON_THE_SERVER, half, "half", defect="two_transactions")
CONTROLS = {
    "postgresql": {
        "synchronous_commit_off": Control(
            ON_POSTGRES, lost, "lost", statements=("ALTER DATABASE campone SET synchronous_commit = off",)
        ),
        "two_transactions": TWO_TRANSACTIONS,
        "no_unique_constraint": Control(
            ON_THE_SERVER,
            doubled,
            "doubled",
            statements=(
                "ALTER TABLE kasse_transaction DROP CONSTRAINT transaction_external_ref_per_tenant",
                "CREATE INDEX ON kasse_transaction (tenant_id, external_ref)",
            ),
            defect="no_unique_constraint",
        ),
    },
    "sqlite": {"two_transactions": TWO_TRANSACTIONS},
}


def find_out(name: str, *, engine: str, seed: int, folder: Path) -> bool:
    """Sell and strike, round after round, until the defect shows; whether it does."""
    control = CONTROLS[engine][name]
    scene = Scene(engine, seed, environment=control.environment, statements=control.statements)
    with set_stage(scene, folder) as stage:
        shop, rng = Shop(Model(seed), stage.keys, stage.port), Random(seed)
        for number in range(1, MOST_ROUNDS + 1):
            count = asyncio.run(_round(stage, shop, control, rng))
            if count:
                told = f"{count} sales {control.called} of {shop.model.sold} after {number * STRIKES_A_ROUND} faults"
                tell(f"control {name}: found out, {told}")
                return True
            if shop.model.acknowledged < shop.model.sold:
                break  # selling stands still, and not for what the defect does
    tell(f"control {name}: NOT FOUND OUT in {shop.model.sold} sales; this run proves nothing")
    return False


async def _round(stage: Stage, shop: Shop, control: Control, rng: Random) -> int:
    await sell_under_faults(
        stage, shop, sales=SALES_A_ROUND, faults=control.faults, strikes=STRIKES_A_ROUND, tills=TILLS, rng=rng
    )
    ledger = await asyncio.to_thread(read_ledger, stage.database, shop.model)
    return control.shows(ledger, shop.model)
