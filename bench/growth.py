"""Does a sale cost more because many lie before it? Ledgers from a thousand to ten million sales, one after the other.

python -m bench.growth                        a quarter of an hour, 20 GB of disk; writes the page and var/bench/
python -m bench.growth --rows 1000 100000     these sizes alone; writes var/bench/ only
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench.conditions import Conditions, read_conditions
from bench.database import Database, own_database
from bench.growth_rows import YEARS
from bench.report import PAGE, table
from bench.servers import ROOT
from bench.shop import CAMPGROUNDS
from bench.targets import PreparationFailed, prepare_product, product_environment
from tests.cluster import ClusterFailed, PostgresMissing

SIZES = (1_000, 100_000, 1_000_000, 10_000_000)
BEGIN, END = "<!-- growth:begin -->", "<!-- growth:end -->"
CAMPGROUND_DAYS = len(CAMPGROUNDS) * YEARS.days
VAR = ROOT / "var" / "bench"

Grown = Mapping[str, Any]
"""What ``bench.growth_calls`` prints."""


def tell(line: str) -> None:
    """Say how far we are."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def measure_size(database: Database, count: int, folder: Path) -> Grown:
    """A database of its own for one size, dropped afterwards."""
    name = f"growth_{count}"
    database.create(name)
    environment = product_environment(database.url(name), folder)
    # One process with one thread: its connection stays.
    environment["DATABASE_POOL_SIZE"] = "0"
    keys = prepare_product(environment)
    command = [sys.executable, "-m", "bench.growth_calls", str(count), str(database.pid)]
    done = subprocess.run(  # noqa: S603 (our own step)
        command,
        cwd=ROOT,
        env={**environment, "PATH": "/usr/bin:/bin"},
        input=json.dumps(keys.as_dict()),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    database.execute("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')
    if done.returncode != 0:
        raise PreparationFailed(f"{' '.join(command[1:])} ended with status {done.returncode}.")
    grown: Grown = json.loads(done.stdout)
    return grown


def markdown(at: datetime, conditions: Conditions, grown: Sequence[Grown]) -> str:
    """The tables: what the database works, what it writes, how long a caller waits."""
    sizes = [f"{each['sales']:,}" for each in grown]
    rows: list[list[str]] = []
    for place, first in enumerate(grown[0]["costs"][:-1]):
        costs = [each["costs"][place] for each in grown]
        rows.append([first["what"], *(cell(cost) for cost in costs), growth([cost["cpu"] for cost in costs])])
    wal = [each["costs"][0]["wal"] for each in grown]
    rows.append(["write-ahead log of a sale, kB", *(f"{each / 1000:.2f}" for each in wal), growth(wal)])
    rows.append(["database on disk, GB", *(f"{each['bytes'] / 1e9:.2f}" for each in grown)])
    rows.append(["the log's oldest month, pruned", *(month_cell(each) for each in grown)])
    days = ", ".join(f"{each['sales'] / CAMPGROUND_DAYS:,.0f}" for each in grown)
    told = (
        f"{at:%d %B %Y}, {conditions.cores} cores, PostgreSQL {conditions.postgresql} with 256 MB of shared buffers."
        " Each call: CPU seconds of the database for a thousand, below it the milliseconds (p50, p99) that one caller"
        " waited in the process, the service's own work included. Two years of sales at eight campgrounds, each with"
        f" two lines, a payment and a row of the log. A day of one campground holds {days} sales."
        " The last column compares the largest ledger with the smallest."
    )
    return f"{table(['sales in the ledger', *sizes, 'growth'], rows)}\n\n{told}"


def cell(cost: Mapping[str, Any]) -> str:
    """CPU, and below it how long a caller waited."""
    return f"{cost['cpu']:.3f}<br>{cost['p50']:.1f}, {cost['p99']:.1f}"


def month_cell(grown: Grown) -> str:
    """How many rows went, and how long that took."""
    return f"{grown['rows_pruned']:,} rows<br>{grown['costs'][-1]['p50']:.0f} ms"


def growth(figures: Sequence[float]) -> str:
    """How many times the first figure the last one is."""
    return f"{figures[-1] / figures[0]:.2f} ×" if figures[0] else ""


def put_between_marks(page: str, tables: str) -> str:
    """The page with new tables between its marks; a page that has none gets them at its end."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before.rstrip()}\n\n{BEGIN}\n\n{tables}\n\n{END}{after or chr(10)}"


def keep(at: datetime, conditions: Conditions, grown: Sequence[Grown], *, page: bool) -> None:
    """Print; write JSON; after a whole run, the page."""
    tables = markdown(at, conditions, grown)
    print(tables)  # noqa: T201 (it is what was asked for)
    VAR.mkdir(parents=True, exist_ok=True)
    path = VAR / f"growth-{at:%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps({"at": at.isoformat(), "sizes": list(grown)}, indent=1) + "\n")
    tell(f"\nEverything: {path}")
    if page:
        PAGE.write_text(put_between_marks(PAGE.read_text(), tables))


def run(sizes: Sequence[int], say: Callable[[str], None]) -> tuple[Conditions, list[Grown]]:
    """All sizes, on one server."""
    grown = []
    with own_database() as database, tempfile.TemporaryDirectory(prefix="growth") as folder:
        conditions = read_conditions(database.cluster.folder, str(database.ask("campone", "SHOW server_version")))
        for count in sizes:
            say(f"{count:,} sales")
            grown.append(measure_size(database, count, Path(folder)))
            say(f"  filled in {grown[-1]['seconds_to_fill']:.0f} s")
            for cost in grown[-1]["costs"]:
                say(
                    f"  {cost['what']:34} cpu {cost['cpu']:8.3f}  wal {cost['wal']:7.0f}"
                    f"  p50 {cost['p50']:.2f}  p99 {cost['p99']:.2f}"
                )
    return conditions, grown


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth")
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES, help="sales in the ledger, one size or several")
    asked = parser.parse_args(arguments)
    at = datetime.now(timezone.utc)  # noqa: TID251 (the edge of the benchmark)
    try:
        conditions, grown = run(asked.rows, tell)
    except (PostgresMissing, ClusterFailed, PreparationFailed) as problem:
        tell(f"bench.growth: {problem}")
        return 1
    keep(at, conditions, grown, page=tuple(asked.rows) == SIZES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
