"""Whether the time of a refusal tells which prefixes exist: pairs of wrong tokens, compared by rank."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Sequence
from random import Random
from statistics import median

from bench.shop import PREFIX_LENGTH
from tests.faults.books import Condition
from tests.faults.report import tell_conditions
from tests.faults.sales import CAMPGROUNDS
from tests.faults.sieges.besieging import FIRST_OF_A_SIEGE, Order, happened
from tests.faults.sieges.forging import forge
from tests.faults.sieges.probing import Probe
from tests.faults.sieges.strangers import request_of
from tests.faults.stage import Scene, set_stage

PAIRS = 2000
PAIRS_AN_ADDRESS = 40
"""Few: from the hundred-and-first refusal of a minute on, an address waits."""
LEAST_P = 0.01
WARMING_UP = 20
PATIENCE = 30


def besiege_by_timing(order: Order) -> bool:
    """One call after the other, nothing beside them."""
    with set_stage(Scene("postgresql", order.seed, workers=1), order.folder) as stage:
        token = stage.keys.lasting[CAMPGROUNDS[0]][0]
        pairs = forge(stage.service, WARMING_UP + order.part_of(PAIRS), prefix=token[:PREFIX_LENGTH])
        honest = Probe(stage.port, token)
        unknown, known, statuses = measure(stage.port, pairs, Random(order.seed), use=honest.ping)
        conditions = judge(unknown[WARMING_UP:], known[WARMING_UP:], statuses, expected=order.part_of(PAIRS))
        return tell_conditions(conditions, [])


def measure(
    port: int, pairs: Sequence[tuple[str, str]], rng: Random, *, use: Callable[[], object]
) -> tuple[list[float], list[float], set[bytes]]:
    """Seconds of both kinds, in an order drawn for each pair; and the first lines of all answers. The key whose prefix
    it is, is in use meanwhile, so that the service remembers it well.
    """
    seconds: tuple[list[float], list[float]] = [], []
    statuses = set[bytes]()
    line: socket.socket | None = None
    for number, pair in enumerate(pairs):
        if line is None or number % PAIRS_AN_ADDRESS == 0:
            line = connect(port, number // PAIRS_AN_ADDRESS, line)
            use()
        for place in rng.sample((0, 1), 2):
            took, answer = ask(line, pair[place])
            seconds[place].append(took)
            statuses.add(answer.partition(b"\r\n")[0])
    if line:
        line.close()
    return *seconds, statuses


def connect(port: int, number: int, before: socket.socket | None) -> socket.socket:
    """From the next address."""
    if before:
        before.close()
    here = (f"127.0.2.{number % 250 + 1}", 0)
    line = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=here)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def ask(line: socket.socket, token: str) -> tuple[float, bytes]:
    """Seconds to the first byte of the answer, and all of it; it is small, and comes in one piece."""
    sent = request_of(f"Authorization: Bearer {token}").encode()
    began = time.perf_counter()
    line.sendall(sent)
    heard = line.recv(65536)
    took = time.perf_counter() - began
    while not heard.endswith(b"}"):
        heard += line.recv(65536)
    return took, heard


def mann_whitney(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The probability of ranks at least so uneven, if there is no difference; by the normal distribution, two-sided.

    For samples of dozens and more, with hardly any value twice.
    """
    ranked = sorted([(value, True) for value in ours] + [(value, False) for value in theirs])
    ranks = sum(place for place, (_, is_ours) in enumerate(ranked, start=1) if is_ours)
    n, m = len(ours), len(theirs)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


def judge(unknown: Sequence[float], known: Sequence[float], statuses: set[bytes], *, expected: int) -> list[Condition]:
    """No difference that many pairs would show."""
    number = FIRST_OF_A_SIEGE
    p = mann_whitney(unknown, known) if unknown and known else 0.0
    figures = f"p {p:.3f}; medians {1000 * median(unknown):.3f} and {1000 * median(known):.3f} ms"
    alike = len(statuses) == 1
    return [
        happened(number, "pairs were sent", min(len(unknown), len(known)), at_least=expected),
        Condition(number + 1, "both are answered alike", alike, ", ".join(each.decode() for each in statuses)),
        Condition(number + 2, "an unknown prefix takes as long as a wrong secret", p > LEAST_P, figures),
    ]
