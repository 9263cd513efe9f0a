"""A thousand bodies at once, each as long as a body may be, on a server that has few files or little memory.

    --scarce files      64 open files to a process
    --scarce memory     so much address space to a process (``prlimit --as``)

They are dry runs: they are read, checked and answered like any sale, and leave nothing.
"""

from __future__ import annotations

import asyncio
import json
import resource
from collections import Counter
from random import Random

from tests.faults.model import Answer
from tests.faults.sales import CAMPGROUNDS, sale_numbered
from tests.faults.stage import Stage
from tests.faults.striking import Fault
from tests.faults.tills import Shop
from tests.faults.wire import Dropped, Line, Refused, request

BODIES = 1000
LONGEST_BODY = 256 * 1024
PATIENCE = 60.0
FILES = 64
ADDRESS_SPACE = 3 * 2**30
OURS = 4096
"""Open files that the callers need."""
SCARCE = {"files": ("prlimit", f"--nofile={FILES}"), "memory": ("prlimit", f"--as={ADDRESS_SPACE}")}


def flood(stage: Stage, shop: Shop, rng: Random) -> None:
    """All at once; the tills sell on meanwhile."""
    may_open_many()
    before, workers = shop.model.acknowledged, set(stage.service.workers())
    heard = asyncio.run(_send_all(stage, shop, rng))
    shop.incidents.update({f"long body {fate}": count for fate, count in heard.items()})
    shop.incidents["sales acknowledged in a flood"] += shop.model.acknowledged - before
    shop.incidents["workers that ended in a flood"] += len(workers - set(stage.service.workers()))
    if shop.model.acknowledged == before:
        shop.model.findings.add("a flood in which no till got on", heard)


async def _send_all(stage: Stage, shop: Shop, rng: Random) -> Counter[str]:
    body = longest_sale(shop.model.seed)
    token = rng.choice(shop.keys.lasting[CAMPGROUNDS[0]])
    fates = await asyncio.gather(*(_send(shop, token, number, body) for number in range(BODIES)))
    return Counter(fates)


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


def may_open_many() -> None:
    """As many files as the flood needs at our end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(OURS, hard)), hard))


FLOODS = (Fault("1,000 bodies of 256 KiB at once", flood),)
