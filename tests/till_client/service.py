"""The bridge itself, on one port for a whole run, however often it is killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.server.process import PROJECT, START_SECONDS, ServerFailed, answers, free_port


class Service:
    """``manage.py serve`` in processes of its own."""

    def __init__(self, environment: Mapping[str, str], *, log: Path, workers: int = 2) -> None:
        self.port = free_port()
        self.environment = dict(environment)
        self._log = log
        self._workers = workers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--workers", str(self._workers)],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(self._log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """``kill -9`` to the whole group: the master and every worker, in the middle of whatever they do."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def manage(self, *arguments: str) -> str:
        """One of Django's commands; what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        run = subprocess.run(command, cwd=PROJECT, env=self.environment, stdout=subprocess.PIPE, text=True, check=True)
        return run.stdout.strip()


@contextmanager
def running(service: Service) -> Iterator[Service]:
    """Started, and ended on every way out."""
    service.start()
    try:
        yield service
    finally:
        service.kill()
