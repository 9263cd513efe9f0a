"""What can happen to a SQLite file while it is served: nobody may write into it, its index is gone, it is copied."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random

from tests.faults.books import read_ledger
from tests.faults.databases import SqliteFile
from tests.faults.restored_books import Moment, check_snapshot
from tests.faults.snapshots import by_the_backup_api, folder_for
from tests.faults.stage import Stage
from tests.faults.striking import Fault, kill_a_worker
from tests.faults.tills import Shop

SECONDS_READ_ONLY = 8
"""A worker takes some four of them to follow one that was killed."""
SECONDS_TO_SETTLE, SECONDS_LOOKED_AT = 20, 2
SECONDS_WITHOUT_INDEX = 2
NOT_WRITABLE, WRITABLE = 0o400, 0o600
HELD_TO_MODES = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Root may write whatever a file's mode says; a server that runs so may not."""


def held_to_modes() -> tuple[str, ...]:
    """Under what a server must run so that a file's mode binds it."""
    return HELD_TO_MODES if os.geteuid() == 0 else ()


def make_read_only(stage: Stage, shop: Shop, rng: Random) -> None:
    """Nobody may write for some seconds; the worker that had the file open is gone. Readiness must tell it."""
    with _read_only(_path_of(stage)):
        kill_a_worker(stage, shop, rng)
        said = _readiness_until(stage, time.monotonic() + SECONDS_READ_ONLY)
    shop.incidents[f"readiness while nobody could write: {said}"] += 1
    if "writing" not in said:
        shop.model.findings.add("readiness that does not tell that nothing can be written", said)
    if not _nobody_is_refused_any_more(shop):
        shop.model.findings.add("refused although the file may be written again", shop.model.failures)


def _nobody_is_refused_any_more(shop: Shop) -> bool:
    """Whether two seconds come in which nobody is. Each thread may still have the file open as it was, for one call."""
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while time.monotonic() < deadline:
        before, acknowledged = shop.model.failures.total(), shop.model.acknowledged
        time.sleep(SECONDS_LOOKED_AT)
        if shop.model.failures.total() == before:
            shop.incidents["sold in two seconds afterwards"] += shop.model.acknowledged - acknowledged
            return True
    return False


@contextmanager
def _read_only(path: Path) -> Iterator[None]:
    path.chmod(NOT_WRITABLE)
    try:
        yield
    finally:
        path.chmod(WRITABLE)


def _readiness_until(stage: Stage, end: float) -> str:
    """The last that is said before the end."""
    said = "nothing"
    while time.monotonic() < end:
        time.sleep(0.5)
        with suppress(OSError, HTTPException):
            asking = HTTPConnection("127.0.0.1", stage.service.port, timeout=5)
            asking.request("GET", "/readyz")
            answer = asking.getresponse()
            said = f"{answer.status} {json.loads(answer.read()).get('missing', '')}"
            asking.close()
    return said


def remove_index(stage: Stage, shop: Shop, rng: Random) -> None:
    """The ``-shm`` is deleted under the server, which sells on; then it is started anew, as it has to be."""
    path = _path_of(stage)
    path.with_name(f"{path.name}-shm").unlink()
    before = shop.model.acknowledged
    time.sleep(SECONDS_WITHOUT_INDEX)
    shop.incidents["sold without -shm"] += shop.model.acknowledged - before
    rng.choice((stage.service.stop, stage.service.kill))()
    stage.service.start()


def copy_in_mid_write(stage: Stage, shop: Shop, rng: Random) -> None:
    """SQLite's own ``.backup``: what was acknowledged before is in the copy, whole."""
    model = shop.model
    with folder_for(stage) as place:
        acknowledged = bytes(model.is_acknowledged)
        copy = by_the_backup_api(stage, place)
        ledger = read_ledger(SqliteFile(copy), model)
    conditions = check_snapshot(ledger, model, Moment(acknowledged, model.sold))
    shop.incidents[f"copy {'that is whole' if all(each.holds for each in conditions) else 'that is NONE'}"] += 1
    for each in conditions:
        if not each.holds:
            model.findings.add("a copy in mid-write that is none", each)


def _path_of(stage: Stage) -> Path:
    assert isinstance(stage.database, SqliteFile)
    return stage.database.path


ON_THE_FILE = (
    Fault("file read-only for 8 s", make_read_only),
    Fault("-shm gone", remove_index),
    Fault("copied by the backup API", copy_in_mid_write),
)
