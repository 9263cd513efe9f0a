"""The storm: real tills on one outbox, a spoiled network, the real bridge; both sides killed again and again.

    python -m tests.till_client.storm --sales 20000 --seed 7                    on SQLite
    python -m tests.cluster --fast python -m tests.till_client.storm            on a PostgreSQL of its own

The seed is printed, and leads chance on the network, in the tills and of the deaths; what processes do at which
moment no seed can hold. It ends with status 0 only if all that was sold is stored, once, to the Rappen, and the
outbox is empty.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from tests.server.process import PROJECT
from tests.server.service import Service, running
from tests.till_client.selling import CLAIM_SECONDS, Hurried, sale_numbered
from tests.till_client.spoiling import SpoiledNetwork, spoiled_network
from till_client import Drain, Outbox, TillClient, reconcile_day

DAYS = ("2026-04-27", "2026-04-28", "2026-04-29")
WEEK = 5000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen; ``share`` of the calls are spoiled."""

    sales: int
    seed: int
    share: float = 0.3
    till_deaths: int = 50
    bridge_deaths: int = 20
    tills: int = 2


@dataclass(slots=True)
class Report:
    """What came of it; amounts in CHF."""

    plan: Plan
    seconds: float = 0.0
    deaths: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    sold: int = 0
    stored: int = 0
    doubled: int = 0
    sum_sold: Decimal = Decimal(0)
    sum_stored: Decimal = Decimal(0)
    outbox: dict[str, int] = field(default_factory=dict)
    verdicts: list[str] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        """Whether both sides have the same, and nothing is left over."""
        books = self.sold == self.stored == self.plan.sales and not self.doubled
        books = books and self.sum_sold == self.sum_stored
        settled = {"waiting": 0, "sending": 0, "acknowledged": self.plan.sales, "poison": 0}
        return books and self.outbox == settled and set(self.verdicts) == {"complete"}

    def __str__(self) -> str:
        spoiled = ", ".join(f"{count} {fate}" for fate, count in sorted(self.fates.items()))
        return (
            f"sold {self.sold}, stored {self.stored}, {self.doubled} doubled,"
            f" CHF {self.sum_sold} / CHF {self.sum_stored}; outbox {self.outbox}; days {', '.join(self.verdicts)}\n"
            f"{self.seconds:.0f} s; killed: till {self.deaths['till']}, bridge {self.deaths['bridge']}; {spoiled}"
        )


class Tills:
    """The till processes; one that has ended or was killed is started again while there is something to do."""

    def __init__(self, plan: Plan, *, outbox: Path, url: str, token: str, rng: Random) -> None:
        self._plan = plan
        self._outbox = outbox
        self._environment = {**os.environ, "TILL_URL": url, "TILL_TOKEN": token}
        self._rng = rng
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def keep_running(self) -> None:
        """Start those that do not run."""
        for number in range(self._plan.tills):
            process = self._running.get(number)
            if process is None or process.poll() is not None:
                if process is not None and process.returncode > 0:
                    raise RuntimeError(f"A till ended with status {process.returncode}.")
                self._running[number] = self._start(number)

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        numbers = (number, self._plan.tills, self._plan.sales, self._rng.getrandbits(32))
        command = [sys.executable, "-m", "tests.till_client.selling", str(self._outbox), *map(str, numbers)]
        return subprocess.Popen(command, cwd=PROJECT, env=self._environment)

    def kill_one(self) -> None:
        """``kill -9`` to any."""
        self._rng.choice(list(self._running.values())).kill()

    def end(self) -> None:
        """Kill all that still run."""
        for process in self._running.values():
            process.kill()
            process.wait()


def storm(plan: Plan, *, service: Service, token: str, folder: Path) -> Report:
    """Sell everything through the storm, then compare."""
    report, rng, began = Report(plan), Random(plan.seed), time.monotonic()
    path = folder / f"storm-{plan.seed}.sqlite3"
    with (
        spoiled_network(service.port, share=plan.share, seed=plan.seed) as network,
        Outbox(path, claim_seconds=CLAIM_SECONDS) as outbox,
    ):
        tills = Tills(plan, outbox=path, url=f"http://127.0.0.1:{network.port}", token=token, rng=rng)
        try:
            play(plan, report, tills=tills, service=service, outbox=outbox, rng=rng)
        finally:
            tills.end()
        compare(report, service=service, token=token, outbox=outbox)
        report.fates = spoiled_calls(network)
    report.seconds = time.monotonic() - began
    return report


def play(plan: Plan, report: Report, *, tills: Tills, service: Service, outbox: Outbox, rng: Random) -> None:
    """Kill whom it hits, at moments drawn beforehand between the first sale and the last acknowledgement."""
    deaths = [("till", rng.random()) for _ in range(plan.till_deaths)]
    deaths += [("bridge", rng.random()) for _ in range(plan.bridge_deaths)]
    deaths.sort(key=lambda death: -death[1])
    while (done := progress(outbox, plan)) < 1 or deaths:
        tills.keep_running()
        if deaths and done >= deaths[-1][1] * 0.98:
            who, _ = deaths.pop()
            time.sleep(rng.random() * 0.2)
            report.deaths[who] += 1
            if who == "till":
                tills.kill_one()
            else:
                service.kill()
                service.start()
        else:
            time.sleep(0.02)


def progress(outbox: Outbox, plan: Plan) -> float:
    """From 0 to 1: half of it is selling, half of it being acknowledged."""
    counts = outbox.counts()
    return (sum(counts.values()) + counts["acknowledged"] + counts["poison"]) / (2 * plan.sales)


def compare(report: Report, *, service: Service, token: str, outbox: Outbox) -> None:
    """Read every sale back on a straight line, and ask the bridge for its verdict on each day."""
    with TillClient(f"http://127.0.0.1:{service.port}", token) as client:
        stored = [sale for day in DAYS for sale in stored_on(client, day)]
        drain = Drain(outbox, client)
        evenings = [reconcile_day(outbox, client, business_date=day, drain=drain) for day in DAYS]
    report.verdicts = [str(evening.verdict["verdict"]) for evening in evenings]
    sold = {sale["external_ref"]: sale["total_amount"] for sale in map(sale_numbered, range(report.plan.sales))}
    references = Counter(sale["external_ref"] for sale in stored)
    report.sold, report.stored = len(sold), len(set(references) & set(sold))
    report.doubled = sum(count - 1 for count in references.values())
    report.sum_sold = sum(sold.values(), Decimal(0))
    report.sum_stored = sum((Decimal(sale["total_amount"]) for sale in stored), Decimal(0))
    report.outbox = outbox.counts()


def stored_on(client: TillClient, day: str) -> Iterator[dict[str, Any]]:
    """A day's list, page by page, as any till can read it."""
    number, more = 1, True
    while more:
        page = client.get(f"transactions/?business_date={day}&page_size=200&page={number}")
        yield from page["results"]
        number, more = number + 1, bool(page["next"])


def spoiled_calls(network: SpoiledNetwork) -> Counter[str]:
    """Fates by their names."""
    return Counter({fate.value: count for fate, count in network.fates.items()})


def week_offline(service: Service, *, token: str, folder: Path, sales: int = WEEK) -> str:
    """What a week without a line costs to send, with a key of 1000 calls an hour."""
    with Outbox(folder / "week.sqlite3") as outbox, TillClient(f"http://127.0.0.1:{service.port}", token) as client:
        outbox.put_all({**sale_numbered(number), "external_ref": f"week-{number}"} for number in range(sales))
        drain, began = Drain(outbox, client, rng=Hurried(1)), time.monotonic()
        settled = drain.until_settled()
        return f"{drain.tally}; {'all settled' if settled else 'NOT SETTLED'} in {time.monotonic() - began:.1f} s"


@contextmanager
def own_service(folder: Path) -> Iterator[Service]:
    """A bridge on a database of its own: ``DATABASE_URL``, which must be empty, or else a SQLite file in ``folder``."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "campone.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "DEVELOPMENT": "1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,.localhost",
        "TENANT_DOMAIN": "localhost",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'bridge.sqlite3'}",
    }
    service = Service(environment, log=folder / "bridge.log")
    service.manage("migrate", "--no-input", "-v", "0")
    service.manage("create_tenant", "seeblick", "--name", "Camping Seeblick")
    with running(service):
        yield service


def mint(service: Service, name: str, *, budget: str) -> str:
    """A key of its own for each part."""
    scopes = ("--scope", "pos:read", "--scope", "pos:write")
    return service.manage("mint_key", "--tenant", "seeblick", "--name", name, *scopes, "--budget", budget)


def main(arguments: Sequence[str]) -> int:
    """The whole storm, and then the week."""
    parser = argparse.ArgumentParser(prog="python -m tests.till_client.storm", description=__doc__)
    parser.add_argument("--sales", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--share", type=float, default=0.3, help="share of spoiled calls")
    parser.add_argument("--till-deaths", type=int, default=50)
    parser.add_argument("--bridge-deaths", type=int, default=20)
    plan = Plan(**vars(parser.parse_args(arguments)))
    print(f"seed {plan.seed}", flush=True)
    with tempfile.TemporaryDirectory() as name, own_service(Path(name)) as service:
        report = storm(plan, service=service, token=mint(service, "storm", budget="none"), folder=Path(name))
        print(report, flush=True)
        week = week_offline(service, token=mint(service, "week", budget="1000"), folder=Path(name))
        print(f"a week offline, {WEEK} sales: {week}")
    return 0 if report.is_exact and "all settled" in week else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
