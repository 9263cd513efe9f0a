"""The faults. Each strikes a stage and gives it back with everything up again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from tests.faults.stage import Stage
from tests.faults.tills import Shop

SECONDS_STOPPED = 2
SECONDS_TO_RELOAD = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind. ``gracefully`` if the server has promised to answer what it has taken."""

    name: str
    strike: Callable[[Stage, Shop, Random], None]
    gracefully: bool = False


def kill_a_worker(stage: Stage, shop: Shop, rng: Random) -> None:
    """``kill -9``; the master begets another."""
    _signal_a_worker(stage, rng, signal.SIGKILL)


def kill_the_server(stage: Stage, shop: Shop, rng: Random) -> None:
    """``kill -9`` to the whole group, and a new one."""
    stage.service.kill()
    stage.service.start()


def freeze_a_worker(stage: Stage, shop: Shop, rng: Random) -> None:
    """SIGSTOP, two seconds, SIGCONT."""
    frozen = _signal_a_worker(stage, rng, signal.SIGSTOP)
    time.sleep(SECONDS_STOPPED)
    with suppress(ProcessLookupError):
        os.kill(frozen, signal.SIGCONT)


def stop_the_server(stage: Stage, shop: Shop, rng: Random) -> None:
    """SIGTERM, and a new one."""
    stage.service.stop()
    stage.service.start()


def reload_the_server(stage: Stage, shop: Shop, rng: Random) -> None:
    """SIGHUP: every worker is followed by another."""
    before = set(stage.service.workers())
    stage.service.tell(signal.SIGHUP)
    deadline = time.monotonic() + SECONDS_TO_RELOAD
    while before & set(stage.service.workers()):
        assert time.monotonic() < deadline, "The workers have not been renewed."
        time.sleep(0.05)


def revoke_and_mint(stage: Stage, shop: Shop, rng: Random) -> None:
    """The second key ends, and Seeblick gets another."""
    if old := shop.keys.second:
        stage.service.manage("revoke_key", old)
        shop.keys.revoked.add(old)
        time.sleep(0.5)  # while whoever watches it asks on
    shop.keys.second = stage.mint()


def stop_postgres_at_once(stage: Stage, shop: Shop, rng: Random) -> None:
    """Immediate stop, and start."""
    database = stage.postgres
    database.stop_at_once()
    database.bring_back()


def kill_postgres(stage: Stage, shop: Shop, rng: Random) -> None:
    """``kill -9`` to all of it, and start."""
    database = stage.postgres
    database.kill()
    database.bring_back()


def terminate_connections(stage: Stage, shop: Shop, rng: Random) -> None:
    """Every connection, on the server's side."""
    stage.postgres.terminate_all()


def _signal_a_worker(stage: Stage, rng: Random, word: signal.Signals) -> int:
    worker = rng.choice(stage.service.workers())
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.kill(worker, word)
    return worker


ON_THE_SERVER = (
    Fault("worker killed", kill_a_worker),
    Fault("server killed", kill_the_server),
    Fault("worker frozen for 2 s", freeze_a_worker),
    Fault("server stopped", stop_the_server, gracefully=True),
    Fault("server reloaded", reload_the_server, gracefully=True),
    Fault("key revoked and minted anew", revoke_and_mint),
)
ON_POSTGRESQL = (
    Fault("PostgreSQL stopped at once", stop_postgres_at_once),
    Fault("PostgreSQL killed", kill_postgres),
    Fault("connections terminated", terminate_connections),
)


def faults_for(engine: str) -> Sequence[Fault]:
    """Those that there are, each with the same chance."""
    return [*ON_THE_SERVER, *(ON_POSTGRESQL if engine == "postgresql" else ())]
