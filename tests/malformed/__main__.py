"""Send what nobody would; ``python3 dev.py malformed`` is the way here.

    python3 dev.py malformed --cases 10000                    both engines, every kind
    python3 dev.py malformed --engine sqlite --cases 1000
    python3 dev.py malformed --play bodies:1234 --seed 7      one case again, and what was answered

Of the cases, two thirds are bodies, the rest calls as bytes; ``--examples`` are Schemathesis's, for each operation. The
status is 0 if every answer was one of a sound service: JSON, never a fault of ours, what was taken reads
back, memory stays, and every call that reached the service is in its log.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random, SystemRandom

from bench.accounting import memory_mib
from tests.cluster import cleaning_up_when_told_to_end
from tests.faults.report import tell
from tests.faults.sales import CAMPGROUNDS
from tests.faults.stage import Scene, Stage, set_stage
from tests.faults.wire import request
from tests.malformed.bodies import DOORS, body_for, post_misspelt
from tests.malformed.calls import call_numbered, call_oddly
from tests.malformed.hearing import Caller
from tests.malformed.published import follow_description
from tests.malformed.verdict import Verdict

ENGINES = ("postgresql", "sqlite")
WARM = 500
HALF = 2
"""Which of ``parts_of()`` ends the first half."""
MOST_GROWTH_MIB = 48
MOST_LATE_GROWTH_MIB = 24
"""In the second half of the bodies, and of the calls: by then threads and connections, with their caches, are there."""


def main(arguments: Sequence[str]) -> int:
    """All that was asked for, on one engine after the other."""
    asked = parse(arguments)
    seed = asked.seed if asked.seed is not None else SystemRandom().randrange(10**6)
    tell(f"seed {seed}")
    with cleaning_up_when_told_to_end():
        good = [run(engine, asked, seed) for engine in ([asked.engine] if asked.engine else ENGINES)]
    tell("All as it must be." if all(good) else "NOT as it must be.")
    return 0 if all(good) else 1


def run(engine: str, asked: argparse.Namespace, seed: int) -> bool:
    """One engine."""
    with tempfile.TemporaryDirectory() as name, set_stage(Scene(engine, seed), Path(name)) as stage:
        token = stage.keys.lasting[CAMPGROUNDS[0]][0]
        if asked.play:
            return play(asked.play, stage, token, seed)
        verdict, caller = Verdict(), Caller(stage.port)
        bodies = asked.cases * 2 // 3
        after_bodies, after_calls = [], []
        for part in parts_of(bodies):
            post_misspelt(caller, verdict, token=token, seed=seed, numbers=part, tell=tell)
            after_bodies.append(memory_of(stage))
        for part in parts_of(asked.cases - bodies):
            call_oddly(caller, verdict, token=token, seed=seed, numbers=part)
            after_calls.append(memory_of(stage))
        caller.hang_up()
        memory = [*after_bodies, *after_calls]
        tell(f"{engine}: {asked.cases} cases; memory in MiB, now and then: {', '.join(map(str, memory))}")
        grown = memory[-1] - memory[0]
        late = max(each[-1] - each[HALF] for each in (after_bodies, after_calls))
        for line in verdict.lines():
            tell(line)
        missing = not_logged(stage, seed, bodies)
        tell(f"not in the activity log: {missing}")
        good = not verdict.findings and not missing and grown <= MOST_GROWTH_MIB and late <= MOST_LATE_GROWTH_MIB
        if asked.examples:
            good = follow_description(port=stage.port, token=token, seed=seed, examples=asked.examples) and good
        return good


def parts_of(count: int) -> list[range]:
    """Some numbers to warm up with, and the others in quarters."""
    warm = min(WARM, count)
    ends = [warm + (count - warm) * quarter // 4 for quarter in range(5)]
    return [range(warm), *(range(begin, end) for begin, end in pairwise(ends))]


def not_logged(stage: Stage, seed: int, bodies: int) -> int:
    """How many of the bodies' calls have no row of their own."""
    question = f"SELECT count(DISTINCT request_id) FROM pos_bridge_inboundcall WHERE request_id LIKE 'm-{seed}-%'"
    ((logged,),) = stage.database.rows(question)
    return bodies - int(logged)


def memory_of(stage: Stage) -> int:
    """Resident memory of all workers, in MiB."""
    return round(sum(memory_mib(each) for each in stage.service.workers()))


def play(case: str, stage: Stage, token: str, seed: int) -> bool:
    """One case again; what was sent and heard is printed."""
    kind, _, number = case.partition(":")
    if kind == "bodies":
        chance = Random(f"{seed}/{case}")
        door = chance.choice(DOORS)
        body = body_for(door, int(number), chance)
        method, sent = "POST", request("POST", door, token=token, request_id="m-played", body=body)
    else:
        method, sent = call_numbered(int(number), seed=seed, token=token)
    heard = Caller(stage.port).ask(sent, method=method, alone=kind != "bodies")
    tell(repr(sent.replace(token.encode(), b"<token>")))
    tell(f"{heard.status} {heard.headers} {heard.body[:2000]!r}")
    return heard.status < 500


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What is asked for; nothing asked is what runs before a change is taken."""
    parser = argparse.ArgumentParser(prog="dev.py malformed")
    parser.add_argument("--cases", type=int, default=3000, help="bodies and calls on each engine; 3000")
    parser.add_argument("--examples", type=int, default=20, help="of Schemathesis, for each operation; 20, 0 for none")
    parser.add_argument("--engine", choices=ENGINES, help="one alone")
    parser.add_argument("--seed", type=int, help="that of another run")
    parser.add_argument("--play", metavar="KIND:NUMBER", help="one case alone")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
