"""Crashes at known points, without a hook in the product: a lock makes all writers wait just there, and then we strike.

Between the sale and its lines, before the log's row, before the count, at the key's row; inside COMMIT, by a deferred
trigger that wants a lock of ours; and after COMMIT, whose answer the line swallows.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import kill
from pathlib import Path

from tests.faults.books import Condition
from tests.faults.databases import Postgres
from tests.faults.model import Model
from tests.faults.report import tell, tell_conditions
from tests.faults.running import check
from tests.faults.stage import Scene, Stage, set_stage
from tests.faults.tills import PATIENT, Shop, Supply, sell

TILLS = 30
ENOUGH_WAITING = 3
SECONDS_TO_GET_THERE = 1.5
"""Less than the server waits for a lock."""
LOCK = 8172
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND backend_type = 'client backend'"
WAITS_INSIDE_COMMIT = f"""
CREATE FUNCTION wait_inside_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER wait_inside_commit AFTER INSERT ON kasse_transaction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_inside_commit();
"""


@dataclass(frozen=True, slots=True)
class Point:
    """Where calls stand still, and by which statement of ours."""

    name: str
    freeze: str | None


POINTS = (
    Point("at the key's row", "LOCK TABLE apikeys_apikey IN ACCESS EXCLUSIVE MODE"),
    Point("before the count", "LOCK TABLE pos_bridge_budgettotal IN ACCESS EXCLUSIVE MODE"),
    Point("before the lines", "LOCK TABLE kasse_transactionitem IN ACCESS EXCLUSIVE MODE"),
    Point("before the log's row", "LOCK TABLE pos_bridge_inboundcall IN ACCESS EXCLUSIVE MODE"),
    Point("inside COMMIT", f"SELECT pg_advisory_xact_lock({LOCK})"),
    Point("after COMMIT", None),
)


def kill_the_workers(stage: Stage, database: Postgres) -> None:
    """All of them; the master begets others."""
    for worker in stage.service.workers():
        with suppress(ProcessLookupError):
            kill(worker, signal.SIGKILL)


def kill_postgres(stage: Stage, database: Postgres) -> None:
    """And its children."""
    database.kill()


VICTIMS = {"workers": kill_the_workers, "PostgreSQL": kill_postgres}


def freeze_and_strike(*, rounds: int, seed: int, folder: Path) -> bool:
    """At each point so many rounds, by turns against the workers and PostgreSQL; then a stop in the midst of it."""
    with set_stage(Scene("postgresql", seed, spoil_database=0), folder) as stage:
        stage.postgres.execute(WAITS_INSIDE_COMMIT)
        shop = Shop(Model(seed), stage.keys, stage.port)
        waited: dict[str, list[int]] = {point.name: [] for point in POINTS}
        for number in range(rounds):
            for place, point in enumerate(POINTS):
                victim = list(VICTIMS)[(number + place) % len(VICTIMS)]
                waited[point.name].append(asyncio.run(_round(stage, shop, point, VICTIMS[victim])))
        answered = [asyncio.run(_stop_while_frozen(stage, shop, point)) for point in POINTS[2:5]]
        tell(f"{rounds * len(POINTS)} crashes at known points; calls that stood still there, at least:")
        tell("  " + "; ".join(f"{name} {min(counts)}" for name, counts in waited.items()))
        conditions, examples = check(stage, shop, network_spoils=False)
        conditions += [everybody_stood_still(waited), everybody_was_answered(answered)]
        return tell_conditions(conditions, examples)


async def _round(stage: Stage, shop: Shop, point: Point, strike: Callable[[Stage, Postgres], None]) -> int:
    """Thirty tills run into the freeze; how many stood still when we struck."""
    database = stage.postgres
    selling = None
    with _frozen(stage, database, point) as how_many:
        selling = asyncio.create_task(sell(shop, Supply(shop.model.sell(TILLS)), tills=TILLS))
        stood = await asyncio.to_thread(_wait_for, how_many)
        await asyncio.to_thread(strike, stage, database)
    await asyncio.to_thread(database.bring_back)
    await selling
    return stood


@contextmanager
def _frozen(stage: Stage, database: Postgres, point: Point) -> Iterator[Callable[[], int]]:
    """Until the end of it nobody gets past the point; gives how many stand there."""
    if point.freeze is None:
        assert stage.line
        before = stage.line.swallowed
        stage.line.swallows.set()
        try:
            yield lambda: stage.line.swallowed - before if stage.line else 0
        finally:
            stage.line.swallows.clear()
        return
    holder, watcher = database.connect(), database.connect()
    try:
        holder.execute("BEGIN")
        holder.execute(point.freeze.encode())
        yield lambda: (watcher.execute(WAITING).fetchone() or (0,))[0]
    finally:
        holder.close()
        watcher.close()


def _wait_for(how_many: Callable[[], int]) -> int:
    deadline = time.monotonic() + SECONDS_TO_GET_THERE
    while (found := how_many()) < ENOUGH_WAITING and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


async def _stop_while_frozen(stage: Stage, shop: Shop, point: Point) -> int:
    """SIGTERM while calls stand still; how many of the patient tills' sales were acknowledged before the end."""
    database = stage.postgres
    patient = Shop(shop.model, shop.keys, shop.port, patiences=PATIENT)
    before = shop.model.acknowledged
    with _frozen(stage, database, point) as how_many:
        selling = asyncio.create_task(sell(patient, Supply(shop.model.sell(TILLS)), tills=TILLS))
        await asyncio.to_thread(_wait_for, how_many)
        stopping = asyncio.create_task(asyncio.to_thread(stage.service.stop))
        await asyncio.sleep(0.3)
    await stopping
    await asyncio.sleep(0.1)
    answered = shop.model.acknowledged - before
    await asyncio.to_thread(stage.service.start)
    await selling
    return answered


def everybody_stood_still(waited: dict[str, list[int]]) -> Condition:
    """A freeze in which nobody stood proves nothing."""
    missed = {name: sum(count < 1 for count in counts) for name, counts in waited.items()}
    return Condition(11, "calls stood still at every point", not any(missed.values()), f"missed {missed}")


def everybody_was_answered(answered: list[int]) -> Condition:
    """All that stood still were acknowledged before the server ended."""
    return Condition(12, "a stop in the midst of it answers all", min(answered) >= TILLS, f"{answered} of {TILLS} each")
