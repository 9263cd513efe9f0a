"""Servers under way: started with their production server, watched, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.accounting import cpu_seconds, memory_mib
from bench.checking import Unlike, wait_until_ready

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 25
LINES = 15


@dataclass(frozen=True, slots=True)
class Server:
    """A server's root process, its port, and the file it writes its complaints into."""

    pid: int
    port: int
    log: Path

    def cpu_seconds(self) -> float:
        """What it and its workers have used so far."""
        return cpu_seconds(self.pid)

    def memory_mib(self) -> float:
        """What it and its workers hold."""
        return memory_mib(self.pid)

    def last_words(self) -> str:
        """The last lines it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LINES:])


@contextmanager
def running(
    command: Sequence[str], *, port: int, environment: Mapping[str, str], token: str, log: Path
) -> Iterator[Server]:
    """A server that answers; stopped on every way out.

    Raises:
        Unlike: it did not come up; the last lines it wrote are in the message.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 (one of our targets)
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        server = Server(process.pid, port, log)
        try:
            wait_until_ready(token, port=port)
        except Unlike as unlike:
            raise Unlike(f"{unlike}\n{server.last_words()}") from None
        yield server
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, then end whatever is left of its session."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
