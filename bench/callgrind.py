"""Counting what a program does, by valgrind: instructions in user space, the same number on a busy machine.

The program starts uncounted, so that starting it takes seconds and not a minute. When it says ``warm``, counting
is switched on; each call of ``getsid()`` then ends one part and begins the next (``bench/counted_sales.py``).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

TOOL = "valgrind --tool=callgrind"
MARK = "getsid"


class ValgrindMissing(Exception):
    """No valgrind on this machine."""


class CountingFailed(Exception):
    """The program ended early, or could not be counted; the message carries its last words."""


def require_valgrind() -> None:
    """Better said before a database is made for it.

    Raises:
        ValgrindMissing: see there.
    """
    if not all(map(shutil.which, ("valgrind", "vgdb"))):
        raise ValgrindMissing("valgrind is not on PATH: install it (Debian: apt install valgrind).")


def count_parts(command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> list[int]:
    """Instructions of each part of a program that marks its parts; ``folder`` takes what valgrind writes.

    What lies before the first mark and behind the last one is left out.

    Raises:
        CountingFailed: see there.
    """
    output, said, gate = folder / "callgrind", folder / "said", folder / "vgdb"
    options = ["--tool=callgrind", "--instr-atstart=no", f"--dump-before={MARK}", f"--callgrind-out-file={output}"]
    with (
        said.open("wb") as errors,
        subprocess.Popen(  # noqa: S603 (a command of our own)
            ["valgrind", *options, f"--vgdb-prefix={gate}", *command],  # noqa: S607 (PATH is how it was found)
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as program,
    ):
        try:
            heard = program.stdout.readline() if program.stdout else ""
            counted = heard == "warm\n" and switch_counting_on(program.pid, gate)
            if counted:
                program.communicate("go\n")
        finally:
            program.kill()
    if not counted or program.returncode != 0:
        raise CountingFailed("\n".join(said.read_text(errors="replace").splitlines()[-15:]))
    return [read_total(dump.read_text()) for dump in list_dumps(output)[1:]]


def switch_counting_on(process: int, gate: Path) -> bool:
    """Order valgrind to count from here on, without halting the program as a debugger would; whether it obeyed."""
    order = ["vgdb", f"--pid={process}", f"--vgdb-prefix={gate}", "--max-invoke-ms=0", "instrumentation", "on"]
    return subprocess.run(order, capture_output=True, check=False).returncode == 0  # noqa: S603 (a command of our own)


def list_dumps(output: Path) -> list[Path]:
    """The dumps that marks have ended, in their order: ``callgrind.1``, ``callgrind.2`` …"""
    return sorted(output.parent.glob(f"{output.name}.*"), key=lambda path: int(path.suffix[1:]))


def read_total(dump: str) -> int:
    """The instructions of one dump.

    Raises:
        CountingFailed: there is no total in it.
    """
    found = re.search(r"^totals: (\d+)$", dump, re.MULTILINE)
    if found is None:
        raise CountingFailed("A dump of callgrind has no total.")
    return int(found[1])
