"""The drill: a backup while tills sell, restored elsewhere; then the tills send everything again.

    python3 dev.py faults --drill 10                     on PostgreSQL; each third backup is one of ``pg_basebackup``
    python3 dev.py faults --drill 10 --engine sqlite

What was acknowledged before the backup began is in it, nothing that was not sold, no half sale; its digests are those
of the same sales where it was made. A server on it knows the old keys, answers 200 to what is older than the backup,
and 201 to what is newer; then no sale is missing. Backups that are none have to be found out.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from sqlite3 import DatabaseError
from subprocess import CalledProcessError

from tests.faults.books import Condition, Ledger, check_answers, check_ledger, read_ledger
from tests.faults.model import Model
from tests.faults.report import tell, tell_conditions
from tests.faults.restored_books import Moment, check_digests, check_sent_again, check_snapshot
from tests.faults.snapshots import (
    Restored,
    by_base_backup,
    by_hand,
    by_the_product,
    clerk,
    folder_for,
    has_base_backup,
    restored,
    without_payments,
)
from tests.faults.stage import Scene, Stage, set_stage
from tests.faults.tills import PATIENT, Demand, Shop, Supply, sell
from tests.server.service import Service, running

TILLS = 24
BREATH = 0.1
"""Some 200 sales a second: a backup takes seconds, and all of them are sent again in each round."""
FEWEST_BEFORE, MOST_BEFORE = 100, 500
SOLD_AFTER = 200
LONGEST = 180
MOST_TRIES = 10
BASE_BACKUP_EACH = 3

BackUp = Callable[[Stage, Path], Path]


@dataclass(frozen=True, slots=True)
class Backup:
    """A file, or a cluster's folder; of which moment, and how long it took."""

    path: Path
    moment: Moment
    seconds: float


CONTROLS: dict[str, dict[str, BackUp]] = {
    "postgresql": {"payments left out": without_payments},
    "sqlite": {"copied by hand": by_hand},
}


def drill(*, engine: str, rounds: int, seed: int, folder: Path, controls: bool) -> bool:
    """So many rounds on one stage, and what must be found out; whether all is as it must be."""
    with set_stage(Scene(engine, seed), folder) as stage:
        shop, rng = Shop(Model(seed), stage.keys, stage.port), Random(seed)
        good = True
        for number in range(1, rounds + 1):
            is_base = number % BASE_BACKUP_EACH == 0 and has_base_backup(stage)
            good = _round(stage, shop, rng, by_base_backup if is_base else by_the_product) and good
        tell(f"{rounds} backups while {shop.model.sold} sales were sold")
        if controls:
            good = _older_is_found_out(stage, shop, rng) and good
            for name, back_up in CONTROLS[engine].items():
                good = _is_found_out(stage, shop, rng, name, back_up) and good
    return good


def _round(stage: Stage, shop: Shop, rng: Random, back_up: BackUp) -> bool:
    model = shop.model
    with folder_for(stage) as place:
        backup = asyncio.run(_back_up_while_selling(stage, shop, rng, back_up, place))
        with restored(stage, backup.path) as other:
            snapshot = read_ledger(other.database, model)
            conditions = [*check_snapshot(snapshot, model, backup.moment), _same_digests(stage, other, snapshot, model)]
            again = _send_again(stage, other, model, log=place / "server.log")
            ledger = read_ledger(other.database, again)
            conditions += [check_sent_again(snapshot.times_stored, model, again), *check_ledger(ledger, again)]
            conditions.append(check_answers(again))
    broken = [each for each in conditions if not each.holds]
    figures = "; ".join(each.figures for each in conditions if each.number in {13, 18})
    tell(f"{back_up.__name__.replace('_', ' ')} in {backup.seconds:.1f} s, {len(conditions)} conditions: {figures}")
    found = (snapshot, ledger, again) if broken else ()
    return tell_conditions(broken, [example for each in found for example in each.findings.examples])


async def _back_up_while_selling(stage: Stage, shop: Shop, rng: Random, back_up: BackUp, place: Path) -> Backup:
    """Some sales before, some while, some after; in the end all are acknowledged."""
    model, demand = shop.model, Demand(shop.model, pause=BREATH)
    async with asyncio.timeout(LONGEST), asyncio.TaskGroup() as group:
        group.create_task(sell(shop, demand, tills=TILLS))
        await _until_acknowledged(model, model.acknowledged + rng.randint(FEWEST_BEFORE, MOST_BEFORE))
        acknowledged, began = bytes(model.is_acknowledged), time.monotonic()
        path = await asyncio.to_thread(back_up, stage, place)
        backup = Backup(path, Moment(acknowledged, model.sold), time.monotonic() - began)
        await _until_acknowledged(model, model.acknowledged + SOLD_AFTER)
        demand.over = True
    return backup


async def _until_acknowledged(model: Model, count: int) -> None:
    while model.acknowledged < count:  # noqa: ASYNC110 (the tills tell nobody)
        await asyncio.sleep(0.005)


def _same_digests(stage: Stage, other: Restored, snapshot: Ledger, model: Model) -> Condition:
    """The digests of just these sales, taken where the backup was made."""
    wanted = defaultdict(list)
    for number, times in enumerate(snapshot.times_stored):
        if times:
            wanted[model.sale(number).campground].append(model.sale(number).reference)
    source = clerk(stage, stage.database.url)
    return check_digests(other.digests, source.run("-m", "tests.faults.digesting", typed=json.dumps(wanted)))


def _send_again(stage: Stage, other: Restored, model: Model, *, log: Path) -> Model:
    """Every sale there has been, to a server on what was restored, with the old keys; what is heard this time."""
    again = Model(model.seed)
    environment = {**stage.service.environment, "DATABASE_URL": other.serving}
    workers = 1 if other.database.engine == "sqlite" else 2
    with running(Service(environment, log=log, workers=workers)) as service:
        shop = Shop(again, stage.keys, service.port, patiences=PATIENT)
        asyncio.run(sell(shop, Supply(again.sell(model.sold)), tills=TILLS))
        service.stop()
    return again


# What must be found out -----------------------------------------------------------------------------


def _older_is_found_out(stage: Stage, shop: Shop, rng: Random) -> bool:
    """A backup of before, passed off as the one of now."""
    with folder_for(stage) as place:
        backup = asyncio.run(_back_up_while_selling(stage, shop, rng, by_the_product, place))
        now = Moment(bytes(shop.model.is_acknowledged), shop.model.sold)
        broken = _broken(stage, shop, Backup(backup.path, now, 0))
    return _tell_control("an older backup", broken)


def _is_found_out(stage: Stage, shop: Shop, rng: Random, name: str, back_up: BackUp) -> bool:
    """A backup that is none; again, if by luck nothing of it was missing."""
    broken: list[str] = []
    for _ in range(MOST_TRIES):
        with folder_for(stage) as place:
            broken = _broken(stage, shop, asyncio.run(_back_up_while_selling(stage, shop, rng, back_up, place)))
        if broken:
            break
    return _tell_control(name, broken)


def _broken(stage: Stage, shop: Shop, backup: Backup) -> list[str]:
    """Which conditions a backup breaks; ``restore`` itself may refuse it, too."""
    try:
        with restored(stage, backup.path) as other:
            ledger = read_ledger(other.database, shop.model)
    except (DatabaseError, CalledProcessError) as refused:
        return [f"refused: {refused}"]
    return [str(each).strip() for each in check_snapshot(ledger, shop.model, backup.moment) if not each.holds]


def _tell_control(name: str, broken: list[str]) -> bool:
    tell(f"control {name}: {'found out' if broken else 'NOT FOUND OUT; this run proves nothing'}")
    for line in broken:
        tell(f"      {line}")
    return bool(broken)
