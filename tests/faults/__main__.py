"""Strike the service while tills sell, and compare afterwards; ``python3 dev.py faults`` is the way here.

    python3 dev.py faults --sales 5000 --faults 8                     on PostgreSQL, with its controls
    python3 dev.py faults --engine sqlite --sales 5000 --faults 8
    python3 dev.py faults --spoil 0.3 --spoil-database 0.05           both networks spoiled
    python3 dev.py faults --disk-full                                 on a disk that fills up; as root
    python3 dev.py faults --engine sqlite --harm-file                 read-only, without its index, copied
    python3 dev.py faults --scarce memory                             and a thousand long bodies at once
    python3 dev.py faults --control synchronous_commit_off            one control alone
    python3 dev.py faults --frozen 50                                 crashes at known points
    python3 dev.py faults --siege dead-line --share 0.5               one siege alone, at half of the full bar
    python3 dev.py faults --drill 10                                  backups, restored and sold on; nothing else

The seed is printed, and leads amounts, kinds, places and patience; what processes do at which moment no seed can
hold. The status is 0 only if all conditions hold and every control was found out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom

from tests.cluster import ClusterFailed, PostgresMissing, cleaning_up_when_told_to_end
from tests.faults.controls import CONTROLS, find_out
from tests.faults.drill import drill
from tests.faults.file_harms import ON_THE_FILE, held_to_modes
from tests.faults.filling import ON_A_SMALL_DISK
from tests.faults.flooding import FLOODS, SCARCE
from tests.faults.frozen import freeze_and_strike
from tests.faults.report import tell
from tests.faults.running import Plan, run
from tests.faults.sieges.besieging import Order
from tests.faults.sieges.table import SIEGES
from tests.faults.stage import Scene
from tests.faults.striking import Fault, faults_for

FEWEST_TO_A_FAULT = 100


def main(arguments: Sequence[str]) -> int:
    """Everything that was asked for, one after the other; 0 if all of it is as it must be."""
    asked = parse(arguments)
    seed = asked.seed if asked.seed is not None else SystemRandom().randrange(10**6)
    tell(f"seed {seed}, {asked.engine}")
    with cleaning_up_when_told_to_end(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.siege:
            good = besiege(asked, seed, folder)
        elif asked.drill:
            controls = not asked.no_controls
            good = drill(engine=asked.engine, rounds=asked.drill, seed=seed, folder=folder, controls=controls)
        else:
            good = strike(asked, seed, folder)
    tell("All as it must be." if good else "NOT as it must be.")
    return 0 if good else 1


def strike(asked: argparse.Namespace, seed: int, folder: Path) -> bool:
    """The main run, crashes at known points, and what has to be found out; or one control alone."""
    good, controls = True, [asked.control]
    if not asked.control:
        controls = [] if asked.no_controls else list(CONTROLS[asked.engine])
        if asked.sales:
            good = run(plan_of(asked, seed), folder)
        if asked.frozen and asked.engine == "postgresql":
            good = freeze_and_strike(rounds=asked.frozen, seed=seed, folder=folder) and good
    for control in controls:
        good = find_out(control, engine=asked.engine, seed=seed, folder=folder) and good
    return good


def besiege(asked: argparse.Namespace, seed: int, folder: Path) -> bool:
    """The sieges that are asked for, one after the other; whether all were withstood."""
    good = True
    for name in asked.siege:
        place = folder / name
        place.mkdir()
        tell(f"siege {name}")
        good = SIEGES[name](Order(seed, asked.share, place)) and good
    return good


def plan_of(asked: argparse.Namespace, seed: int) -> Plan:
    """The main run."""
    megabytes = 320 + asked.sales // 100 + 20 * asked.faults if asked.disk_full else None
    under = SCARCE[asked.scarce] if asked.scarce else held_to_modes() if asked.harm_file else ()
    scene = Scene(
        asked.engine,
        seed,
        spoil=asked.spoil,
        spoil_database=asked.spoil_database,
        megabytes=megabytes,
        under=under,
    )
    lasts = bool(asked.disk_full or asked.harm_file or asked.scarce)
    return Plan(scene, faults_of(asked), sales=asked.sales, strikes=asked.faults, tills=asked.tills, endless=lasts)


def faults_of(asked: argparse.Namespace) -> Sequence[Fault]:
    """Those of the main run, each with the same chance."""
    if asked.disk_full:
        return ON_A_SMALL_DISK
    if asked.harm_file:
        return ON_THE_FILE
    return FLOODS if asked.scarce else faults_for(asked.engine)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What is asked for; nothing asked is what runs before a change is taken."""
    parser = argparse.ArgumentParser(
        prog="dev.py faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--sales", type=int, default=5000)
    parser.add_argument("--faults", type=int, default=8)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--tills", type=int, default=24)
    parser.add_argument("--spoil", type=float, default=0.0, help="share of tills' calls that the network spoils")
    parser.add_argument("--spoil-database", type=float, help="share of what the app says to PostgreSQL")
    parser.add_argument("--disk-full", action="store_true", help="on a small disk; the faults are that it is full")
    parser.add_argument("--harm-file", action="store_true", help="the faults are those of a SQLite file")
    parser.add_argument("--scarce", choices=sorted(SCARCE), help="the faults are floods, on a server with few of them")
    parser.add_argument("--frozen", type=int, default=1, metavar="ROUNDS", help="crashes at each known point")
    parser.add_argument("--drill", type=int, metavar="ROUNDS", help="back up, restore and send again; nothing else")
    parser.add_argument("--control", choices=sorted({each for found in CONTROLS.values() for each in found}))
    parser.add_argument(
        "--siege", action="append", choices=sorted(SIEGES), help="this alone; several one after another"
    )
    parser.add_argument("--share", type=float, default=1.0, help="how much of a siege's full bar")
    parser.add_argument("--no-controls", action="store_true", help="the run then proves less")
    asked = parser.parse_args(arguments)
    if asked.sales and asked.sales < FEWEST_TO_A_FAULT * (asked.faults + 1):
        parser.error(f"a fault needs {FEWEST_TO_A_FAULT} sales around it at least")
    if asked.harm_file and asked.engine != "sqlite":
        parser.error("a file can be harmed only with --engine sqlite")
    return asked


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (PostgresMissing, ClusterFailed) as problem:
        sys.exit(f"dev.py faults: {problem}")
