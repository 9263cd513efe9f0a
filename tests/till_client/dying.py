"""A till that dies by ``kill -9`` at line after line of till_client, and is started again each time.

Run as a program of its own: ``python -m tests.till_client.dying URL TOKEN FOLDER FIRST STEP``; lives FIRST, FIRST +
STEP … so that several share the work. Prints one JSON object per life: at which line it
ended, which sales the cashier was told are safe, and what the outbox came to after the next start. The
last life is the one that met no more new line and ended by itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import till_client
from tests.till_client.sales import croissants, refused
from till_client import Drain, Outbox, TillClient

OURS = str(Path(till_client.__file__).parent)
LATER = 1000.0


class Hasty(Random):
    """Chance that never waits."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0


def die_at(count: int, note: int) -> Callable[..., Any]:
    """A trace that ends the process on the so-manieth new line of till_client; the line is noted on a pipe first."""
    seen: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
            if len(seen) == count:
                os.write(note, f"died {Path(frame.f_code.co_filename).name}:{frame.f_lineno}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def live(url: str, token: str, path: Path, *, life: int, note: int) -> None:
    """Sell one, send it; sell four more, one of which is refused, and send them; compare the day."""
    with Outbox(path) as outbox, TillClient(url, token, timeout=5) as client:
        drain = Drain(outbox, client, rng=Hasty())
        for name in ("a", "b", "c", "d"):
            outbox.put(croissants(life, external_ref=f"{life}-{name}"))
            os.write(note, f"told {life}-{name}\n".encode())
            if name == "a":
                drain.until_settled()
        outbox.put(refused(life))
        drain.until_settled()


def start_again(url: str, token: str, path: Path, *, life: int, note: int) -> None:
    """The next morning: claims of the dead have run out, and everything is sent."""
    with Outbox(path, clock=lambda: time.time() + LATER) as outbox, TillClient(url, token, timeout=5) as client:
        Drain(outbox, client, rng=Hasty()).until_settled()
        os.write(note, f"counts {json.dumps(outbox.counts())}\n".encode())


def in_a_process(deed: Callable[..., None], *arguments: Any, life: int, dying: bool) -> list[str]:
    """Do it in a child, which may not survive; what it noted."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        if dying:
            sys.settrace(die_at(life, writing))
        try:
            deed(*arguments, life=life, note=writing)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as notes:
        lines = notes.read().splitlines()
    os.waitpid(child, 0)
    return lines


def main(url: str, token: str, folder: Path, *, first: int, step: int) -> None:
    """Life after life, until one comes through."""
    for life in range(first, 2000, step):
        path = folder / f"outbox-{life}.sqlite3"
        notes = in_a_process(live, url, token, path, life=life, dying=True)
        later = in_a_process(start_again, url, token, path, life=life, dying=False)
        died = next((line.removeprefix("died ") for line in notes if line.startswith("died ")), None)
        told = [line.removeprefix("told ") for line in notes if line.startswith("told ")]
        counts = next((json.loads(line.removeprefix("counts ")) for line in later if line.startswith("counts ")), None)
        print(json.dumps({"life": life, "died": died, "told": told, "counts": counts}), flush=True)
        if died is None:
            return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), first=int(sys.argv[4]), step=int(sys.argv[5]))
