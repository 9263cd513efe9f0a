"""Upgrade while tills sell; ``python3 dev.py upgrade`` is the way here.

    python3 dev.py upgrade                                     migrations that keep to the rules, and one that does not
    python3 dev.py upgrade --from REVISION                     from the code of a revision to this one
    python3 dev.py upgrade --rows 1000000 --seconds 20         on a ledger of a million sales

The status is 0 only if all conditions hold and what breaks the rules was found out.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom

from tests.cluster import ClusterFailed, PostgresMissing, cleaning_up_when_told_to_end
from tests.faults.report import tell
from tests.upgrading.breaking import next_version
from tests.upgrading.migrating import MigrationFailed
from tests.upgrading.running import Plan, run
from tests.upgrading.versions import NoSuchVersion, Version, other_packages, unpack


def main(arguments: Sequence[str]) -> int:
    """What was asked for; 0 if all of it is as it must be."""
    asked = parse(arguments)
    seed = asked.seed if asked.seed is not None else SystemRandom().randrange(10**6)
    tell(f"seed {seed}, {asked.rows} sales in the ledger, load before {os.getloadavg()[0]:.1f}")
    with cleaning_up_when_told_to_end(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old, new = versions(asked.since, folder / "code")
        plan = Plan(old, new, seed, rows=asked.rows, seconds=asked.seconds, rate=asked.rate, patience=asked.patience)
        good = run(plan, folder)
    tell("All as it must be." if good else "NOT as it must be.")
    return 0 if good else 1


def versions(since: str | None, folder: Path) -> tuple[Version, Version]:
    """From which to which. Of itself a version differs by migrations of nobody's: see ``tests.upgrading.breaking``."""
    if since is None:
        return Version("this version"), next_version("kept")
    old = unpack(since, folder)
    for sentence in other_packages(old):
        tell(f"It was locked to other packages: {sentence}")
    return old, Version("this version")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What is asked for; nothing asked is a look at this version, in some minutes."""
    parser = argparse.ArgumentParser(
        prog="dev.py upgrade", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="since", metavar="REVISION", help="whose code and tables are upgraded")
    parser.add_argument("--rows", type=int, default=20_000, help="sales in the ledger")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each part lasts in which nothing happens")
    parser.add_argument("--rate", type=float, help="sales a second; half of what is possible unless said")
    parser.add_argument("--patience", default="1s", help="how long the owner waits for a lock")
    parser.add_argument("--seed", type=int)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (PostgresMissing, ClusterFailed, NoSuchVersion, MigrationFailed) as problem:
        sys.exit(f"dev.py upgrade: {problem}")
