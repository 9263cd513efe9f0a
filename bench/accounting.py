"""What a tree of processes has cost: CPU from the kernel's own books, and memory.

CPU seconds survive a noisy machine; requests per second do not. A process that has ended is found in the books of
the parent that waited for it, so nothing is lost when workers or database sessions come and go.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the books; ``ticks`` are its own and those of its children that have ended."""

    pid: int
    parent: int
    ticks: int


def read_stat(text: str) -> Process:
    """A process from ``/proc/PID/stat``. The program's name, in brackets, may hold blanks and brackets."""
    pid, _, rest = text.partition(" (")
    fields = rest.rpartition(") ")[2].split()
    # Behind the name: state, parent, …; user and system time of its own, then of its children.
    return Process(int(pid), int(fields[1]), sum(int(ticks) for ticks in fields[11:15]))


def processes() -> list[Process]:
    """Every process there is now."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                found.append(read_stat((folder / "stat").read_text()))
            except OSError:
                continue  # it has ended in between
    return found


def tree_of(root: int, among: list[Process]) -> list[Process]:
    """A process and all its descendants."""
    children = defaultdict(list)
    for process in among:
        children[process.parent].append(process)
    found = [process for process in among if process.pid == root]
    for process in found:  # grows while we walk
        found += children[process.pid]
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of a tree since it began."""
    return sum(process.ticks for process in tree_of(root, processes())) / TICKS


def memory_mib(root: int) -> float:
    """Resident memory of a tree; pages that several processes share are counted by their shares."""
    return sum(proportional_bytes(process.pid) for process in tree_of(root, processes())) / MEBIBYTE


def proportional_bytes(pid: int) -> int:
    """A process's share of memory."""
    try:
        return read_proportional((PROC / str(pid) / "smaps_rollup").read_text())
    except OSError:
        return 0


def read_proportional(text: str) -> int:
    """The bytes of the line ``Pss:   1234 kB``."""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
