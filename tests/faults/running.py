"""One run from the first sale to the last condition."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from tests.faults.books import (
    CALLS,
    Condition,
    check_answers,
    check_ledger,
    check_log,
    check_recoveries,
    check_views,
    read_ledger,
    read_log,
)
from tests.faults.campaign import Course, sell_under_faults
from tests.faults.databases import Postgres
from tests.faults.model import Model, read_document
from tests.faults.report import counts_text, tell, tell_conditions
from tests.faults.sales import CAMPGROUNDS, DAYS
from tests.faults.stage import Scene, Stage, set_stage
from tests.faults.striking import Fault
from tests.faults.tills import Shop
from tests.faults.wire import Dropped, Line, request

READ_BACK = 200
TRIES = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is sold on which scene, and how often one of the faults strikes; ``endless`` as in ``campaign``."""

    scene: Scene
    faults: Sequence[Fault]
    sales: int
    strikes: int
    tills: int = 24
    endless: bool = False


def run(plan: Plan, folder: Path) -> bool:
    """Sell under faults, then check everything; whether all conditions hold."""
    with set_stage(plan.scene, folder) as stage:
        model, rng = Model(plan.scene.seed), Random(plan.scene.seed)
        tell(describe(stage, plan))
        shop = Shop(model, stage.keys, stage.port)
        shop.keys.second = stage.mint()
        course = asyncio.run(
            sell_under_faults(
                stage,
                shop,
                sales=plan.sales,
                faults=plan.faults,
                strikes=plan.strikes,
                tills=plan.tills,
                rng=rng,
                endless=plan.endless,
            )
        )
        tell_course(course, shop, stage)
        conditions, examples = check(stage, shop, network_spoils=bool(plan.scene.spoil))
        conditions.append(check_recoveries(course.recoveries))
        return tell_conditions(conditions, examples)


def check(stage: Stage, shop: Shop, *, network_spoils: bool, laid_in: str = "") -> tuple[list[Condition], list[str]]:
    """All conditions but that of time, and examples of what breaks them; ``laid_in`` as in ``read_ledger``."""
    database, model = stage.database, shop.model
    taken_late = stage.service.manage("take_kept_calls", str(stage.service.log)).rpartition(": ")[2]
    ledger, log = read_ledger(database, model, laid_in=laid_in), read_log(database.rows(CALLS), model)
    conditions = check_ledger(ledger, model)
    conditions += check_log(log, model, network_spoils=network_spoils, taken_late=taken_late)
    if not any(ledger.findings.counts.values()):
        by_api = asyncio.run(ask_api(stage, shop))
        product = stage.service.run("-m", "tests.faults.asking")
        conditions.append(check_views(ledger, product=product, by_api=by_api))
    conditions.append(check_answers(model))
    return conditions, [*ledger.findings.examples, *log.findings.examples, *model.findings.examples]


def describe(stage: Stage, plan: Plan) -> str:
    """What it runs on: a figure without that says nothing."""
    database, load = stage.database, os.getloadavg()[0]
    durable = database.settings() if isinstance(database, Postgres) else {"synchronous": "FULL"}
    said = ", ".join(f"{name} {value}" for name, value in durable.items())
    return f"{plan.sales} sales, {plan.strikes} faults, {plan.tills} tills; {said}; load before {load:.1f}"


def tell_course(course: Course, shop: Shop, stage: Stage) -> None:
    """What happened on the way."""
    model = shop.model
    if course.stood_still:
        tell("Selling STOOD STILL: for a minute nothing was acknowledged, though everything was up.")
    tell(f"{course.seconds:.0f} s, {model.sold / max(course.seconds, 1e-9):.0f} sales/s; {len(model.statuses)} calls")
    tell(f"faults: {counts_text(course.faults)}")
    tell(f"calls: {counts_text(shop.fates)}")
    if shop.incidents:
        tell(f"meanwhile: {counts_text(shop.incidents)}")
    if stage.network:
        tell(f"tills' network: {counts_text({fate.value: n for fate, n in stage.network.fates.items()})}")
    if stage.line:
        tell(f"line to PostgreSQL: {counts_text({harm.value: n for harm, n in stage.line.harms.items()})}")
    longest = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in course.strikes.items())
    tell(f"from the blow until all was up again, at most: {longest or 'nothing was struck'}")


async def ask_api(stage: Stage, shop: Shop) -> dict[str, int]:
    """Rappen by campground, as tills are told; and some sales read back one by one."""
    line, model = Line(stage.service.port), shop.model
    found = {}
    for slug in CAMPGROUNDS:
        days = [
            await _get(line, f"transactions/summary/?business_date={day}", shop.keys.lasting[slug][0]) for day in DAYS
        ]
        found[slug] = sum(int(str(day["total_amount"]).replace(".", "")) for day in days)
    for number in _some(model.sold):
        sale = model.sale(number)
        token = shop.keys.lasting[sale.campground][0]
        read = await _get(line, f"transactions/{quote(sale.reference, safe='')}/", token)
        if read.get("id") != str(model.id_of(number)) or len(read.get("items", [])) != sale.lines:
            model.findings.add("read back otherwise than it was acknowledged", sale.reference)
    line.hang_up()
    return found


def _some(count: int) -> Iterable[int]:
    return range(0, count, max(count // READ_BACK, 1))


async def _get(line: Line, path: str, token: str) -> dict[str, Any]:
    """A line may still be spoiled; whoever asks long enough hears."""
    for _ in range(TRIES):
        try:
            answer = await line.call(request("GET", path, token=token, request_id="afterwards"), patience=30)
        except (TimeoutError, Dropped):
            continue
        if answer.status < 500:
            return read_document(answer.content) or {}
    return {}
