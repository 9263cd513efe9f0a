"""The machine that was measured on: figures without it mean nothing."""

from __future__ import annotations

import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

WRITES = 200
PAGE = 8192


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the figures depend on; ``fdatasync_us`` is the median wait for one page to reach the disk."""

    processor: str
    cores: int
    kernel: str
    python: str
    postgresql: str
    fdatasync_us: float
    load_before: float


def read_conditions(folder: Path, postgresql: str) -> Conditions:
    """Look round, and try the disk under ``folder``."""
    return Conditions(
        processor=read_processor(Path("/proc/cpuinfo").read_text()),
        cores=os.cpu_count() or 1,
        kernel=platform.release(),
        python=platform.python_version(),
        postgresql=postgresql.partition(" ")[0],
        fdatasync_us=round(probe_disk(folder), 1),
        load_before=round(os.getloadavg()[0], 2),
    )


def read_processor(text: str) -> str:
    """The model's name, if it is told."""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def probe_disk(folder: Path) -> float:
    """Microseconds for a page to be written over and flushed, as a commit does; the median of many."""
    path, waits = folder / "probe", []
    with path.open("wb", buffering=0) as file:
        for _ in range(WRITES):
            file.seek(0)
            began = time.perf_counter()
            file.write(b"\0" * PAGE)
            os.fdatasync(file.fileno())
            waits.append((time.perf_counter() - began) * 1e6)
    path.unlink()
    return statistics.median(waits)
