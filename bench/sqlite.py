"""The product without a database server: SQLite, every commit flushed, one process."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.audit import Tables, find_faults, read_counts
from bench.contest import Contestant, Route
from bench.rounds import Round, run_rounds
from bench.servers import free_port, running
from bench.targets import PRODUCT_BUDGET, Target, prepare_product, product_command, product_environment

NAME = "sqlite"


@dataclass(frozen=True, slots=True)
class OnSqlite:
    """Rounds of posted sales; ``fault`` says why they do not count."""

    rounds: list[Round]
    fault: str


def run_on_sqlite(folder: Path, *, now: datetime, rounds: int, seconds: int, tell: Callable[[str], None]) -> OnSqlite:
    """Lay it out, check it, measure it, count its rows."""
    path, port = folder / "campone.sqlite3", free_port()
    environment = product_environment(f"sqlite:///{path}", folder)
    keys = prepare_product(environment)
    command, tables = product_command(port, workers=1), Tables(budget=PRODUCT_BUDGET)
    target = Target(NAME, "", command, environment, keys, tables)
    with running(command, port=port, environment=environment, token=keys.tills[0], log=folder / "sqlite.log") as server:
        contestant = Contestant(target, server, folder / NAME, now)
        contestant.check()
        if contestant.fault:
            return OnSqlite([], contestant.fault)
        contestant.drive(Route.POST, "warm", max(seconds // 2, 1))
        measured = run_rounds([contestant.entrant(Route.POST, seconds)], database=None, count=rounds, tell=tell)
    faults = find_faults_in(path, contestant)
    return OnSqlite(measured[NAME], f"audit: {'; '.join(faults)}" if faults else "")


def find_faults_in(path: Path, contestant: Contestant) -> list[str]:
    """The same audit as everyone's."""
    connection = sqlite3.connect(path)
    try:
        questions = contestant.target.tables.questions()
        answers = {name: connection.execute(question).fetchone()[0] for name, question in questions.items()}
    finally:
        connection.close()
    tally = contestant.tally
    return find_faults(read_counts(answers), accepted=tally.accepted, in_flight=tally.in_flight)
