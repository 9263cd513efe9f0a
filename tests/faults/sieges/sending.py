"""Strangers, in a process of their own: requests over many kept connections, from several addresses of the loopback.

``python -m tests.faults.sieges.sending`` takes a plan as JSON on its standard input, and prints what was heard.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle

from tests.server.process import PROJECT


@dataclass(frozen=True, slots=True)
class Plan:
    """``count`` requests, one after the other out of ``requests`` and over again; ``per_second`` of 0 is flat out."""

    port: int
    addresses: Sequence[str]
    lines_each: int
    requests: Sequence[str]
    count: int
    per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Heard:
    """By address how often each status was heard, and how long all of it took."""

    by_address: dict[str, Counter[int]]
    seconds: float

    @property
    def statuses(self) -> Counter[int]:
        """Of all addresses."""
        return sum(self.by_address.values(), Counter())


def send_all(plan: Plan) -> Heard:
    """In a process of its own, so that tills beside it are not slowed by ours."""
    command = [sys.executable, "-m", __name__]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        told = json.loads(process.communicate(json.dumps(asdict(plan)))[0])
    finally:
        process.kill()
        process.wait()
    heard = {address: {int(status): count for status, count in each.items()} for address, each in told["heard"].items()}
    return Heard({address: Counter(each) for address, each in heard.items()}, told["seconds"])


class Strangers:
    """All lines draw from the same requests."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._numbers, self._requests = iter(range(plan.count)), cycle(plan.requests)
        self._began = time.monotonic()
        self.heard: dict[str, Counter[int]] = {address: Counter() for address in plan.addresses}

    async def call(self, address: str) -> None:
        """One line, until there is nothing left to send."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._plan.port, local_addr=(address, 0))
        for number in self._numbers:
            if self._plan.per_second:
                await asyncio.sleep(self._began + number / self._plan.per_second - time.monotonic())
            writer.write(next(self._requests).encode())
            self.heard[address][await hear(reader)] += 1
        writer.close()


async def hear(reader: asyncio.StreamReader) -> int:
    """The status of the next whole answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return int(head.split(maxsplit=2)[1])


async def obey(plan: Plan) -> None:
    """Send all of it, and say what was heard."""
    strangers, began = Strangers(plan), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for address in [*plan.addresses] * plan.lines_each:
            group.create_task(strangers.call(address))
    json.dump({"heard": strangers.heard, "seconds": time.monotonic() - began}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(obey(Plan(**json.load(sys.stdin))))
