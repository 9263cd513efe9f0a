"""A spoiled network: a TCP proxy before the bridge that refuses, cuts, delays, doubles and swallows.

Each call has its own fate, drawn from a seeded chance when its first bytes arrive; a kept-alive connection is no
shelter. The share of spoiled calls is set by ``share``.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from random import Random

SILENCE_SECONDS = 60
PIECE = 65536


class Fate(StrEnum):
    """What happens to a call."""

    PASSED = "passed"
    REFUSED = "refused"
    CUT_ON_THE_WAY = "cut on the way"
    CUT_ON_THE_WAY_BACK = "cut on the way back"
    DELAYED = "delayed"
    DOUBLED = "doubled"
    SWALLOWED = "swallowed"
    TRICKLED = "trickled"
    SILENT = "silent"


EVERY_HARM = [fate for fate in Fate if fate is not Fate.PASSED]
BRIEF_HARMS = [fate for fate in EVERY_HARM if fate not in {Fate.TRICKLED, Fate.SILENT}]
"""Without those that take seconds."""
SECONDS_OF_SILENCE = 6


class SpoiledNetwork:
    """Listens on ``port`` and passes on to ``upstream``, or not."""

    def __init__(self, upstream: int, *, share: float, seed: int, harms: Sequence[Fate] = BRIEF_HARMS) -> None:
        self.upstream = upstream
        self.share = share
        self.harms = harms
        self.fates: Counter[Fate] = Counter()
        self._rng = Random(seed)
        self._turn = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                till, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(till,), daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _draw(self) -> tuple[Fate, float]:
        with self._turn:
            fate = self._rng.choice(self.harms) if self._rng.random() < self.share else Fate.PASSED
            self.fates[fate] += 1
            return fate, self._rng.random()

    def _carry(self, till: socket.socket) -> None:
        """One connection of a till, call after call."""
        with till:
            till.settimeout(SILENCE_SECONDS)
            try:
                bridge = socket.create_connection(("127.0.0.1", self.upstream), timeout=SILENCE_SECONDS)
            except OSError:
                return
            with bridge:
                try:
                    while (request := read_message(till)) and self._call(request, till, bridge):
                        pass
                except OSError:
                    pass

    def _call(self, request: bytes, till: socket.socket, bridge: socket.socket) -> bool:
        """Let one call meet its fate; whether the connection goes on."""
        fate, chance = self._draw()
        if fate is Fate.REFUSED:
            return False
        if fate is Fate.CUT_ON_THE_WAY:
            bridge.sendall(request[: int(len(request) * chance)])
            return False
        self._send(request, bridge, fate, chance)
        answer = read_message(bridge)
        if fate is Fate.SILENT:
            time.sleep(SECONDS_OF_SILENCE)
        if fate in {Fate.SWALLOWED, Fate.SILENT} or not answer:
            return False
        if fate is Fate.CUT_ON_THE_WAY_BACK:
            till.sendall(answer[: int(len(answer) * chance)])
            return False
        till.sendall(answer)
        return True

    def _send(self, request: bytes, bridge: socket.socket, fate: Fate, chance: float) -> None:
        """All of it, sooner or later."""
        if fate is Fate.DELAYED:
            time.sleep(chance * 0.3)
        if fate is Fate.DOUBLED:
            self._send_beside(request)
        if fate is Fate.TRICKLED:
            trickle(request, bridge)
        else:
            bridge.sendall(request)

    def _send_beside(self, request: bytes) -> None:
        """The same call at the same time on another connection, as a network that repeats would."""
        with closing(socket.create_connection(("127.0.0.1", self.upstream), timeout=SILENCE_SECONDS)) as beside:
            beside.sendall(request)
            if chance_to_hear(beside):
                read_message(beside)


def trickle(message: bytes, connection: socket.socket) -> None:
    """Forty bytes at a time, with a pause after each."""
    for start in range(0, len(message), 40):
        connection.sendall(message[start : start + 40])
        time.sleep(0.02)


def chance_to_hear(connection: socket.socket) -> bool:
    """Wait a moment for an answer; half of the doubles overlap with the original."""
    readable, _, _ = select.select([connection], [], [], 0.01)
    return bool(readable)


def read_message(connection: socket.socket) -> bytes:
    """One whole HTTP message with ``Content-Length``; empty when the other side has hung up."""
    message = b""
    while b"\r\n\r\n" not in message:
        piece = connection.recv(PIECE)
        if not piece:
            return b""
        message += piece
    head, _, body = message.partition(b"\r\n\r\n")
    missing = length_in(head) - len(body)
    pieces = [message]
    while missing > 0:
        piece = connection.recv(PIECE)
        if not piece:
            return b""
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def length_in(head: bytes) -> int:
    """What ``Content-Length`` says; 0 without it."""
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


@contextmanager
def spoiled_network(
    upstream: int, *, share: float, seed: int, harms: Sequence[Fate] = BRIEF_HARMS
) -> Iterator[SpoiledNetwork]:
    """A proxy that runs; ended on every way out."""
    network = SpoiledNetwork(upstream, share=share, seed=seed, harms=harms)
    thread = threading.Thread(target=network.serve)
    thread.start()
    try:
        yield network
    finally:
        network.close()
        thread.join()
