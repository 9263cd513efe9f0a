"""A line over TCP to PostgreSQL that falls silent: no answer, no end, not even a sign that anything has arrived.

So it is when a switch dies, a firewall forgets, a machine loses its power. A proxy that merely stops reading would be
another thing, since its kernel goes on confirming what comes. Here a filter on each socket has the kernel throw away
what arrives before it is confirmed: what the app sends stays unconfirmed, as over a wire that is cut.
"""

from __future__ import annotations

import ctypes
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cluster import NAME
from tests.faults.databases import Postgres

PIECE = 65536
TICK = 0.05
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
RETURN_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)
"""One instruction of a classic packet filter: keep 0 bytes."""
ESTABLISHED = "01"


def deafen(ear: socket.socket) -> None:
    """Nothing that is sent to this socket arrives any more, and nobody is told."""
    program = ctypes.create_string_buffer(RETURN_NOTHING, len(RETURN_NOTHING))
    ear.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))


def hear_again(ear: socket.socket) -> None:
    """What is sent arrives."""
    ear.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


class SilentLine:
    """Passes everything on between a port of the loopback and ``upstream``, a Unix socket, until it falls silent."""

    def __init__(self, upstream: Path) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._ears: set[socket.socket] = set()
        self._silent = threading.Event()
        self._ended = threading.Event()

    def url_for(self, role: str) -> str:
        """The database behind the line, as DATABASE_URL."""
        return f"postgres://{role}@127.0.0.1:{self.port}/{NAME}"

    def fall_silent(self) -> None:
        """From now on neither side hears of the other; new connections are not even refused."""
        self._silent.set()
        for ear in (self._listener, *self._ears):
            deafen(ear)

    def speak_again(self) -> None:
        """The line is whole again; connections that nobody has given up go on."""
        for ear in (self._listener, *self._ears):
            hear_again(ear)
        self._silent.clear()

    def callers(self) -> set[int]:
        """The ports of those who believe to be connected."""
        return established_to(self.port, Path("/proc/net/tcp").read_text())

    def serve(self) -> None:
        """Take connections until it is ended."""
        with self._listener:
            while not self._ended.is_set():
                if select.select([self._listener], [], [], TICK)[0]:
                    app, _ = self._listener.accept()
                    threading.Thread(target=self._carry, args=(app,), daemon=True).start()

    def end(self) -> None:
        """Take no more, and hang up on everybody."""
        self._ended.set()

    def _carry(self, app: socket.socket) -> None:
        with app, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            app.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.connect(str(self._upstream))
            self._ears.add(app)
            try:
                while not self._ended.is_set() and self._pass_on(app, server):
                    pass
            finally:
                self._ears.discard(app)

    def _pass_on(self, app: socket.socket, server: socket.socket) -> bool:
        """Whatever comes next; whether the connection goes on."""
        if self._silent.is_set():
            time.sleep(TICK)
            return True
        readable, _, _ = select.select([app, server], [], [], TICK)
        for source, sink in ((app, server), (server, app)):
            if source in readable:
                piece = source.recv(PIECE)
                if not piece:
                    return False
                sink.sendall(piece)
        return True


def established_to(port: int, table: str) -> set[int]:
    """The local ports of connections to a port, out of ``/proc/net/tcp``."""
    rows = (line.split() for line in table.splitlines()[1:])
    return {int(row[1][-4:], 16) for row in rows if row[3] == ESTABLISHED and int(row[2][-4:], 16) == port}


@contextmanager
def silent_line(database: Postgres) -> Iterator[SilentLine]:
    """A line to a PostgreSQL, not silent yet; ended on every way out."""
    line = SilentLine(database.cluster.socket)
    thread = threading.Thread(target=line.serve)
    thread.start()
    try:
        yield line
    finally:
        line.end()
        thread.join()
