"""One run, from an empty database server to the tables.

    python3 dev.py bench                           about ten minutes
    python3 dev.py bench --quick                   one short round, for trying
    python3 dev.py bench --only product,floor      some of it

All write var/bench/; only the first, being whole, also writes docs/explanation/performance.md.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from bench import contest, many, report
from bench.accounting import PROC, cpu_seconds
from bench.checking import Unlike
from bench.conditions import read_conditions
from bench.contest import Contest, Route
from bench.database import Database, own_database
from bench.flood import Flood, run_flood
from bench.load import LoadFailed
from bench.many import Many
from bench.rounds import Round, run_rounds
from bench.servers import ROOT
from bench.sqlite import OnSqlite, run_on_sqlite
from bench.targets import PRODUCT, TITLES, PreparationFailed, call, prepare_product, product_environment
from tests.cluster import ClusterFailed, PostgresMissing

VAR = ROOT / "var" / "bench"
ASIDES = ("flood", "sqlite", "many")
PARTS = frozenset({*TITLES, *ASIDES})


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a run measures; seconds are those of one round."""

    rounds: int
    post_seconds: int
    read_seconds: int
    warm_seconds: int
    flood_seconds: int
    many_sales: int


FULL = Plan(rounds=3, post_seconds=8, read_seconds=3, warm_seconds=3, flood_seconds=5, many_sales=10_000)
QUICK = Plan(rounds=1, post_seconds=2, read_seconds=1, warm_seconds=1, flood_seconds=2, many_sales=1_000)


def tell(line: str) -> None:
    """Say how far we are."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def measure(plan: Plan, *, parts: frozenset[str], folder: Path, now: datetime) -> report.Report:
    """In this order: laid out and checked, rounds of each route, flood, audit, many at once, SQLite."""
    with own_database() as database:
        version = str(database.ask("campone", "SHOW server_version"))
        conditions = read_conditions(database.cluster.folder, version)
        tell("Laying out and starting everyone")
        with contest.contest(database, folder, names=parts, now=now, tell=tell) as everyone:
            contest.warm_up(everyone.fit(), plan.warm_seconds)
            database.execute("campone", "CHECKPOINT")
            paths = {route.value: measure_route(route, everyone, plan) for route in Route}
            flood = measure_flood(everyone, plan) if "flood" in parts else None
            everyone.audit()
        at_once = measure_many(database, plan, folder) if "many" in parts else None
    on_sqlite = measure_sqlite(plan, folder, now) if "sqlite" in parts else None
    whole = plan is FULL and parts == PARTS
    counting = flood if PRODUCT not in everyone.faults else None
    return report.Report(now, whole, conditions, paths, everyone.faults, counting, on_sqlite, at_once)


def measure_route(route: Route, everyone: Contest, plan: Plan) -> dict[str, list[Round]]:
    """The rounds of one route."""
    tell(route.capitalize())
    seconds = plan.post_seconds if route is Route.POST else plan.read_seconds
    return run_rounds(everyone.entrants(route, seconds), database=everyone.database, count=plan.rounds, tell=tell)


def measure_flood(everyone: Contest, plan: Plan) -> Flood | None:
    """Only the product is flooded, and only if its answers were right."""
    product = next((each for each in everyone.fit() if each.target.name == PRODUCT), None)
    if product is None:
        return None
    tell("A flood of made-up tokens")
    try:
        return run_flood(product, rounds=plan.rounds, seconds=plan.flood_seconds, tell=tell)
    except LoadFailed as failed:
        tell(f"  not measured: {failed}")
        return None


def measure_sqlite(plan: Plan, folder: Path, now: datetime) -> OnSqlite:
    """The product without a database server, once that has ended."""
    tell("The service on SQLite")
    try:
        return run_on_sqlite(folder, now=now, rounds=plan.rounds, seconds=plan.post_seconds, tell=tell)
    except (Unlike, LoadFailed, PreparationFailed) as failed:
        tell(f"  not measured: {failed}")
        return OnSqlite([], str(failed))


def measure_many(database: Database, plan: Plan, folder: Path) -> Many | None:
    """The list form of the ledger's door, on a database of its own."""
    tell("Many sales at once")
    database.create("many")
    environment = product_environment(database.url("many"), folder)
    try:
        prepare_product(environment)
        return many.measure(
            plan.many_sales,
            run=lambda arguments: call([sys.executable, "-m", "bench.many", *arguments], environment),
            database_cpu=lambda: cpu_seconds(database.pid),
        )
    except PreparationFailed as failed:
        tell(f"  not measured: {failed}")
        return None


def read_parts(text: str) -> frozenset[str]:
    """Some of the parts, with commas between them."""
    parts = frozenset(text.split(","))
    if unknown := parts - PARTS:
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}")
    return parts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the tables, and keep them; status 1 if somebody's figures do not count."""
    parser = argparse.ArgumentParser(prog="dev.py bench")
    parser.add_argument("--quick", action="store_true", help="one short round; the page stays as it is")
    parser.add_argument("--only", type=read_parts, default=PARTS, metavar="PART,…", help=", ".join(sorted(PARTS)))
    asked = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        parser.error("wrk is not on PATH: `apt install wrk`, then the same again")
    if not PROC.exists():
        parser.error("CPU is read from /proc, so this runs on Linux only")
    now = datetime.now(timezone.utc)  # noqa: TID251 (the edge of the benchmark)
    try:
        with tempfile.TemporaryDirectory(prefix="bench") as folder:
            told = measure(QUICK if asked.quick else FULL, parts=asked.only, folder=Path(folder), now=now)
    except (PostgresMissing, ClusterFailed, LoadFailed, PreparationFailed) as problem:
        tell(f"bench: {problem}")
        return 1
    except KeyboardInterrupt:
        return 130
    keep(told)
    return 1 if told.faults else 0


def keep(told: report.Report) -> None:
    """Print; write JSON; after a whole run, the page."""
    tables = report.markdown(told)
    print(tables)  # noqa: T201 (it is what was asked for)
    tell(f"\nEvery round: {report.write_json(told, VAR)}")
    if told.whole:
        report.PAGE.write_text(report.replace_between_marks(report.PAGE.read_text(), tables))
        tell(f"Written into {report.PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
