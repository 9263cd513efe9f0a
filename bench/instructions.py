"""The gate that noise cannot move: instructions in user space for one accepted sale, against a recorded figure.

    python3 dev.py gate             count and compare
    python3 dev.py gate --record    count and make the result the figure

Counted is the whole path as it is served, from the WSGI entry to the answer, on PostgreSQL and on SQLite; the
PostgreSQL server's own work is not. Seconds depend on the machine and its neighbours, instructions hardly do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.callgrind import TOOL, CountingFailed, ValgrindMissing, count_parts, require_valgrind
from tests.cluster import ClusterFailed, PostgresMissing, throwaway_cluster

ROOT = Path(__file__).resolve().parent.parent
FILE = Path(__file__).with_name("instructions.json")
ENGINES = ("PostgreSQL", "SQLite")
WARM, FEW, MANY = 40, 50, 250
"""Sales before counting, and in the two parts whose difference is counted."""

SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "campone.settings",
    "SECRET_KEY": "counted-only-" + "k7Qz2mX9vB4nL8pR3sT6wY1cF5gH0jD" * 2,
    "ALLOWED_HOSTS": "api.campone.example,.campone.example",
    "TENANT_DOMAIN": "campone.example",
    "PUBLIC_URL": "https://api.campone.example",
    # The order of sets, and so the work that depends on it, would differ from run to run.
    "PYTHONHASHSEED": "0",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True, slots=True)
class Drift:
    """How far from the figure a count may lie, in percent: above it, and below it."""

    above: float
    below: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """One engine's count in words, and whether it may pass."""

    passes: bool
    sentence: str


# What was counted, and what it comes to --------------------------------------------------------------


def per_sale(few: int, many: int) -> int:
    """Instructions of one sale, from those of ``FEW`` and of ``MANY``: what is done once falls out."""
    return round((many - few) / (MANY - FEW))


def judge(engine: str, counted: int, figure: int | None, drift: Drift) -> Verdict:
    """Compare a count with its figure. One far below fails too: the next slow-down would hide in the gap."""
    said = f"{engine}: {counted:,} instructions per sale"
    if figure is None:
        return Verdict(passes=True, sentence=f"{said}; there is no figure for {runtime()} to compare it with.")
    change = (counted - figure) * 100 / figure
    said += f", {change:+.1f} % against the figure of {figure:,}"
    if change > drift.above:
        advice = f"{drift.above:+g} % is allowed: take the work off the path, or record it with its reason."
        return Verdict(passes=False, sentence=f"{said}; {advice}")
    if change < -drift.below:
        advice = "tighten the figure, so that the gain cannot be lost again unseen."
        return Verdict(passes=False, sentence=f"{said}; {advice}")
    return Verdict(passes=True, sentence=f"{said}.")


def runtime() -> str:
    """What a count depends on besides the code: another Python, or one built another way, has figures of its own.

    Between two builds of one version lie as much as 15 percent.
    """
    python = f"{platform.python_implementation()} {sys.version_info[0]}.{sys.version_info[1]} {platform.machine()}"
    configured = hashlib.sha256((sysconfig.get_config_var("CONFIG_ARGS") or "").encode()).hexdigest()[:8]
    return f"{python}, {platform.python_compiler()}, configured as {configured}"


# The file --------------------------------------------------------------------------------------------


def read_drift(recorded: Mapping[str, Any]) -> Drift:
    """The allowed drift."""
    allowed = recorded["allowed_drift_percent"]
    return Drift(above=allowed["above"], below=allowed["below"])


def read_figures(recorded: Mapping[str, Any]) -> dict[str, int]:
    """The figures of this Python by engine; empty where it has none."""
    return dict(recorded["figures"].get(runtime(), {}))


def with_figures(recorded: Mapping[str, Any], counted: Mapping[str, int]) -> dict[str, Any]:
    """The file's content with new figures for this Python; those of others stay."""
    figures = {**recorded["figures"], runtime(): dict(counted)}
    return {**recorded, "tool": TOOL, "figures": dict(sorted(figures.items()))}


# Counting --------------------------------------------------------------------------------------------


def count_everywhere() -> dict[str, int]:
    """Instructions per sale by engine, both counted at the same time: a busy machine changes nothing."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gate-")))
        databases = {
            "PostgreSQL": stack.enter_context(throwaway_cluster(durable=False)),
            "SQLite": f"sqlite:///{folder / 'campone.sqlite3'}",
        }
        counts = {name: pool.submit(count_on, url, folder / name) for name, url in databases.items()}
        return {name: count.result() for name, count in counts.items()}


def count_on(database: str, folder: Path) -> int:
    """Instructions per sale on one database, which is empty; ``folder`` is made for what valgrind writes."""
    folder.mkdir()
    environment = make_environment(database)
    run([sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"], environment)
    sales = [sys.executable, "-m", "bench.counted_sales"]
    token = run([*sales, "prepare"], environment).strip()
    selling = [*sales, "sell", token, str(WARM), str(FEW), str(MANY)]
    few, many = count_parts(selling, environment=environment, folder=folder)
    return per_sale(few, many)


def make_environment(database: str) -> dict[str, str]:
    """The service's own settings, and of the caller's environment only what starts programs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, **SETTINGS, "LC_ALL": "C.UTF-8", "DATABASE_URL": database}


def run(command: list[str], environment: Mapping[str, str]) -> str:
    """Run one step to its end; what it prints.

    Raises:
        CountingFailed: it failed; the message carries its own words.
    """
    done = subprocess.run(  # noqa: S603 (commands of our own)
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CountingFailed(done.stdout + done.stderr)
    return done.stdout


# Command line ----------------------------------------------------------------------------------------


def compare(recorded: Mapping[str, Any], counted: Mapping[str, int]) -> int:
    """Print a verdict for each engine; the exit status."""
    figures, drift = read_figures(recorded), read_drift(recorded)
    verdicts = [judge(engine, count, figures.get(engine), drift) for engine, count in counted.items()]
    for verdict in verdicts:
        sys.stdout.write(f"{verdict.sentence}\n")
    return 0 if all(verdict.passes for verdict in verdicts) else 1


def main() -> int:
    """Count, then compare or record; the exit status."""
    parser = argparse.ArgumentParser(prog="dev.py gate", description="Count the instructions of one accepted sale.")
    parser.add_argument("--record", action="store_true", help="make the result the figure for this Python")
    asked = parser.parse_args()
    recorded = json.loads(FILE.read_text())
    try:
        require_valgrind()
        counted = count_everywhere()
    except (ValgrindMissing, CountingFailed, PostgresMissing, ClusterFailed) as problem:
        sys.stderr.write(f"gate: {problem}\n")
        return 1
    if not asked.record:
        return compare(recorded, counted)
    FILE.write_text(json.dumps(with_figures(recorded, counted), indent=2) + "\n")
    for engine, count in counted.items():
        sys.stdout.write(f"{engine}: {count:,} instructions per sale are now the figure for {runtime()}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
