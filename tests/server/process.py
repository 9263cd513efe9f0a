"""The service as operators run it: ``manage.py serve`` in processes of its own, on the test database.

Whatever a test has committed the server sees, and the other way round; such tests ask for the fixture
``server``, which brings pytest-django's ``transactional_db`` with it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from django.db import connection

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 40
WORKERS = 2


class ServerFailed(Exception):
    """The server did not come up, or did not stop."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers on ``port``; ``log`` is what it has said so far."""

    port: int
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def ask_to_stop(self) -> None:
        """SIGTERM, as a container or an init system sends it."""
        self.process.send_signal(signal.SIGTERM)

    def wait_until_stopped(self) -> int:
        """The exit status.

        Raises:
            ServerFailed: it did not end; it has been killed.
        """
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise ServerFailed(f"The server did not stop:\n{self.log}") from None


@contextmanager
def running_server(folder: Path, *, workers: int = WORKERS, **environment: str) -> Iterator[Server]:
    """A server on a free port of the loopback; stopped on every way out. Its log lies in ``folder``."""
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)]
    log_file = folder / f"server-{port}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            cwd=PROJECT,
            env={**plain_environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        server = Server(port, process, log_file)
        try:
            wait_until_ready(server)
            yield server
        finally:
            if process.poll() is None:
                server.ask_to_stop()
            server.wait_until_stopped()


def plain_environment() -> dict[str, str]:
    """The production settings on the test database; ``tests.settings`` has filled in what has no default."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "campone.settings", "DATABASE_URL": database_url()}
    # The tests themselves share no connections (tests.settings); a server does.
    del environment["DATABASE_POOL_SIZE"]
    return environment


def database_url() -> str:
    """The address of the database that pytest-django has made for this run."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path="/" + quote(database["NAME"])))


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(server: Server) -> None:
    """Until it answers; asked for a path outside the API, so that the activity log stays empty."""
    deadline = time.monotonic() + START_SECONDS
    while not answers(server.port):
        if server.process.poll() is not None:
            raise ServerFailed(f"The server ended while starting:\n{server.log}")
        if time.monotonic() > deadline:
            raise ServerFailed(f"The server was not ready after {START_SECONDS} s:\n{server.log}")
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether an answer comes back that is no failure; versions before the probes know no such path."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connected:
            connected.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connected.recv(12)[:10] in (b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4")
    except OSError:
        return False
