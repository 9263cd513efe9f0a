"""The bridge itself, on one port for a whole run, however often it is stopped, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.accounting import processes, tree_of
from tests.server.process import PROJECT, START_SECONDS, STOP_SECONDS, ServerFailed, answers, free_port


class Service:
    """``manage.py serve`` in processes of its own, by way of another program if one stands in ``under``."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        log: Path,
        workers: int = 2,
        code: Path = PROJECT,
        port: int = 0,
        under: Sequence[str] = (),
    ) -> None:
        self.port = port or free_port()
        self.code = code
        self.environment = dict(environment)
        self.serving: dict[str, str] = {}
        """What the server alone is told, and no command."""
        self.tries = 1
        """How often it is started until it serves, as an init system would where its database is hard to reach."""
        self.log = log
        self._workers = workers
        self._under = under
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers.

        Raises:
            ServerFailed: it does not, or has ended.
        """
        for left in reversed(range(self.tries)):
            try:
                self._start()
            except ServerFailed:
                if not left:
                    raise
            else:
                return

    def _start(self) -> None:
        command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._under, *command, "--workers", str(self._workers)],
                cwd=self.code,
                env={**self.environment, **self.serving},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def workers(self) -> list[int]:
        """The processes that answer, by their ids."""
        if self._process is None:
            return []
        return [each.pid for each in tree_of(self._process.pid, processes())[1:] if is_alive(each.pid)]

    def tell(self, word: signal.Signals) -> None:
        """A signal to the master alone, as an init system or an operator sends it."""
        if self._process is not None:
            self._process.send_signal(word)

    def stop(self) -> None:
        """SIGTERM, and wait until all that was begun is answered.

        Raises:
            ServerFailed: it did not end; it has been killed.
        """
        self.tell(signal.SIGTERM)
        try:
            if self._process is not None:
                self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise ServerFailed(self.log.read_text(errors="replace")[-2000:]) from None
        finally:
            self.kill()

    def kill(self) -> None:
        """``kill -9`` to the whole group: the master and every worker, in the middle of whatever they do."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def manage(self, *arguments: str) -> str:
        """One of Django's commands; what it printed."""
        return self.run("manage.py", *arguments)

    def run(self, *arguments: str, typed: str = "") -> str:
        """A program of ours in the same environment, ``typed`` for it to read; what it printed."""
        run = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.code,
            env=self.environment,
            input=typed,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return run.stdout.strip()

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of Django's commands that may fail; how it ended, and all that it said."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=self.code, env=self.environment, capture_output=True, text=True, check=False)


def is_alive(pid: int) -> bool:
    """Whether a process does anything any more; one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


@contextmanager
def running(service: Service) -> Iterator[Service]:
    """Started, and ended on every way out."""
    service.start()
    try:
        yield service
    finally:
        service.kill()
