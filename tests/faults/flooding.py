"""A thousand bodies at once, each as long as a body may be, on a server that has few files or little memory.

    --scarce files      64 open files to a process
    --scarce memory     so much address space to a process (``prlimit --as``)

They are dry runs: they are read, checked and answered like any sale, and leave nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.faults.model import Answer
from tests.faults.sales import CAMPGROUNDS, sale_numbered
from tests.faults.stage import Stage
from tests.faults.striking import Fault
from tests.faults.tills import Shop
from tests.faults.wire import Dropped, Line, Refused, request
from tests.server.process import answers

BODIES = 1000
LONGEST_BODY = 256 * 1024
PATIENCE = 60.0
FILES = 64
ADDRESS_SPACE = 1400 * 2**20
"""A worker that only sells takes some 1,300 MiB, most of it never touched; with a flood it would take 1,500."""
BETWEEN_LOOKS = 0.25
SECONDS_TO_FOLLOW = 60
OURS = 4096
"""Open files that the callers need."""
MOST_FILES, MEGABYTES = "open files of a worker at most", "MiB of address space of a worker at most"
SCARCE = {"files": ("prlimit", f"--nofile={FILES}"), "memory": ("prlimit", f"--as={ADDRESS_SPACE}")}


def flood(stage: Stage, shop: Shop, rng: Random) -> None:
    """All at once; the tills sell on meanwhile."""
    may_open_many()
    before, workers = shop.model.acknowledged, set(stage.service.workers())
    heard = asyncio.run(_send_all(stage, shop, rng))
    shop.incidents.update({f"long body {fate}": count for fate, count in heard.items()})
    shop.incidents["sales acknowledged in a flood"] += shop.model.acknowledged - before
    shop.incidents["workers that ended in a flood"] += len(workers - set(stage.service.workers()))
    _wait_for_workers(stage, len(workers))
    if shop.model.acknowledged == before:
        shop.model.findings.add("a flood in which no till got on", heard)


def _wait_for_workers(stage: Stage, count: int) -> None:
    """Until those that ended are followed by others."""
    deadline = time.monotonic() + SECONDS_TO_FOLLOW
    while len(stage.service.workers()) < count or not answers(stage.service.port):
        assert time.monotonic() < deadline, "No worker has followed the one that ended."
        time.sleep(BETWEEN_LOOKS)


async def _send_all(stage: Stage, shop: Shop, rng: Random) -> Counter[str]:
    body = longest_sale(shop.model.seed)
    token = rng.choice(shop.keys.lasting[CAMPGROUNDS[0]])
    watching = asyncio.create_task(_watch_workers(stage, shop))
    fates = await asyncio.gather(*(_send(shop, token, number, body) for number in range(BODIES)))
    watching.cancel()
    return Counter(fates)


async def _watch_workers(stage: Stage, shop: Shop) -> None:
    """What each takes, as long as it lives."""
    while True:
        for worker in stage.service.workers():
            shop.incidents[MOST_FILES] = max(shop.incidents[MOST_FILES], files_of(worker))
            shop.incidents[MEGABYTES] = max(shop.incidents[MEGABYTES], megabytes_of(worker))
        await asyncio.sleep(BETWEEN_LOOKS)


async def _send(shop: Shop, token: str, number: int, body: bytes) -> str:
    """What became of one."""
    line = Line(shop.port)
    sent = request("POST", "transactions/?dry_run=1", token=token, request_id=f"flood-{number}", body=body)
    try:
        answer = await line.call(sent, patience=PATIENCE)
    except TimeoutError:
        return "waited in vain"
    except (Refused, Dropped):
        return "hung up on"
    finally:
        line.hang_up()
    note_failure(shop, answer)
    return f"answered {answer.status}"


def note_failure(shop: Shop, answer: Answer) -> None:
    """Whatever is not taken may be told to come again, and nothing else."""
    asked_again = answer.status in {429, 503} and answer.headers.get("retry-after", "").isdecimal()
    if answer.status != 200 and not asked_again:
        shop.model.findings.add("a long body answered otherwise than 200, 429 or 503", answer)


def longest_sale(seed: int) -> bytes:
    """A sale in order, with as much said beside it as there may be."""
    document = json.loads(sale_numbered(0, seed=seed).body) | {"external_ref": "flood"}
    return json.dumps(document).encode().ljust(LONGEST_BODY)


def files_of(process: int) -> int:
    """How many it has open; none if it has ended."""
    try:
        return len(list(Path(f"/proc/{process}/fd").iterdir()))
    except OSError:
        return 0


def megabytes_of(process: int) -> int:
    """The most address space that it has had, in MiB."""
    try:
        said = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    peak = re.search(r"VmPeak:\s+(\d+) kB", said)  # not there any more in one that is ending
    return int(peak[1]) // 1024 if peak else 0


def may_open_many() -> None:
    """As many files as the flood needs at our end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(OURS, hard)), hard))


FLOODS = (Fault("1,000 bodies of 256 KiB at once", flood),)
