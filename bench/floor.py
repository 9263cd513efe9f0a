"""pgbench doing the product's SQL: nothing that uses this database can be faster."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.audit import Tables
from bench.database import Database
from bench.load import LoadFailed, Sent

SCRIPT = Path(__file__).with_name("floor.sql")
# Prefixes that pgbench can count up: it knows numbers, not texts.
PREFIXES = """
    UPDATE apikeys_apikey SET prefix = 'ck_till' || (till - 1)
    FROM (SELECT id AS key_id, row_number() OVER (ORDER BY id) AS till FROM apikeys_apikey) AS numbered
    WHERE key_id = id
"""
OWN_TABLES = Tables(budget="SELECT sum(calls) FROM pos_bridge_budgettotal")
ITEMS = [
    {
        "position": 0,
        "description": "Croissant",
        "quantity": 2000,
        "unit_price": 35000,
        "line_total": 700,
        "sku": "CROI-01",
        "vat_rate": 260,
        "category": "Backwaren",
        "kind": "SALE",
    },
    {
        "position": 1,
        "description": "Gasflasche 5 kg",
        "quantity": 1000,
        "unit_price": 289000,
        "line_total": 2890,
        "sku": "GASF-01",
        "vat_rate": 810,
        "category": "Shop",
        "kind": "SALE",
    },
]
PAYMENTS = [{"position": 0, "method": "CASH", "amount": 3590, "tip_amount": 0}]


@dataclass(frozen=True, slots=True)
class Floor:
    """pgbench against a database of its own."""

    database: Database
    name: str

    def prepare(self) -> None:
        """Give the keys of its copy such prefixes."""
        self.database.execute(self.name, PREFIXES)

    def send(self, *, clients: int, seconds: int, tag: str, folder: Path) -> Sent:
        """So many clients for so many seconds.

        Raises:
            LoadFailed: pgbench broke off.
        """
        folder.mkdir(parents=True)
        values = {"n": "0", "known": "0", "tag": tag, "items": json.dumps(ITEMS), "payments": json.dumps(PAYMENTS)}
        defined = [part for name, value in values.items() for part in ("-D", f"{name}={value}")]
        command = [str(self.database.programs / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
        command += ["-T", str(seconds), "-f", str(SCRIPT), "-l", "--log-prefix", str(folder / "log"), *defined]
        environment = {**os.environ, **self.database.environment(self.name)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (pgbench, with our own script)
        if done.returncode != 0:
            raise LoadFailed(f"pgbench said:\n{done.stdout}{done.stderr}")
        latencies = [each for path in folder.glob("log*") for each in read_log(path.read_text())]
        return summarize(latencies, seconds=seconds, output=done.stdout)


def read_log(text: str) -> list[float]:
    """Milliseconds of every transaction: the third column of pgbench's log, in microseconds."""
    return [int(line.split()[2]) / 1000 for line in text.splitlines()]


def summarize(latencies: Sequence[float], *, seconds: int, output: str) -> Sent:
    """What pgbench has printed and logged, in the load generator's terms."""
    found = re.search(r"transactions actually processed: (\d+)", output)
    failed = re.search(r"failed transactions: (\d+)", output)
    rate = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    if not found or not latencies:
        raise LoadFailed(f"pgbench said:\n{output}")
    processed = int(found[1])
    ordered = sorted(latencies)
    return Sent(
        requests=processed,
        seconds=processed / float(rate[1]) if rate else seconds,
        refused=int(failed[1]) if failed else 0,
        broken=0,
        p50=percentile(ordered, 50),
        p95=percentile(ordered, 95),
        p99=percentile(ordered, 99),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which ``share`` percent of an ordered, not empty series lie."""
    return ordered[min(int(len(ordered) * share / 100), len(ordered) - 1)]
