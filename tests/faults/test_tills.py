"""The tills of the kill test, before a bridge that misbehaves in known ways."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from tests.faults.model import Model
from tests.faults.sales import CAMPGROUNDS
from tests.faults.tills import Keys, Shop, Supply, sell
from tests.faults.watching import watch_second_key

Behaviour: TypeAlias = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]
TILLS = 3


class Bridge:
    """Stores what it hears, and answers it; what it does beforehand a test says."""

    def __init__(self, misbehave: Behaviour | None = None) -> None:
        self.stored: dict[tuple[str, str], int] = {}
        self.calls = 0
        self.active = {"ck_second"}
        self._misbehave = misbehave

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self.answer_next(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer_next(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        self.calls += 1
        answer = self.answer(head.split(b"Bearer ")[1].split(b"\r\n")[0].decode(), body)
        if self._misbehave:
            await self._misbehave(writer, answer)
        writer.write(answer)

    def answer(self, token: str, body: bytes) -> bytes:
        if token.startswith("ck_second") and token not in self.active:
            return respond(401, {})
        if not body:
            return respond(200, {})
        sale = json.loads(body)
        place = (token, sale["external_ref"])
        status = 200 if place in self.stored else 201
        number = self.stored.setdefault(place, len(self.stored))
        identity = f"00000000-0000-0000-0000-{number:012}"
        return respond(status, {**sale, "id": identity})


def respond(status: int, body: object) -> bytes:
    content = json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def sell_to(bridge: Bridge, sales: int) -> Shop:
    async def run() -> Shop:
        async with await asyncio.start_server(bridge.serve, "127.0.0.1", 0) as server:
            keys = Keys({slug: [f"ck_{slug}"] for slug in CAMPGROUNDS})
            shop = Shop(Model(7), keys, server.sockets[0].getsockname()[1], patiences=(0.2,))
            await sell(shop, Supply(shop.model.sell(sales)), tills=TILLS)
            return shop

    return asyncio.run(run())


class TestTills:
    def test_send_until_everything_is_acknowledged(self) -> None:
        bridge = Bridge()

        shop = sell_to(bridge, 40)

        assert shop.model.acknowledged == len(bridge.stored) == 40
        assert not shop.model.findings.counts

    def test_send_some_sales_twice_at_once(self) -> None:
        assert sell_to(Bridge(), 40).fates == {"answered 201": 40, "answered 200": 4}

    def test_send_again_what_was_cut_off_or_kept_waiting(self) -> None:
        turn = iter(range(10**6))

        async def misbehave(writer: asyncio.StreamWriter, answer: bytes) -> None:
            number = next(turn)
            if number % 7 == 3:
                writer.write(answer[:-10])
                writer.transport.abort()
            if number % 7 == 5:
                await asyncio.sleep(0.4)

        bridge = Bridge(misbehave)
        shop = sell_to(bridge, 40)

        assert shop.model.acknowledged == len(bridge.stored) == 40
        assert shop.fates["waited in vain"] > 0
        assert sum(count for fate, count in shop.fates.items() if fate.startswith("hung up on")) > 0
        assert not shop.model.findings.counts

    def test_wait_where_the_supply_ends_for_now(self) -> None:
        async def run() -> list[int | None]:
            supply = Supply(range(5, 8))
            supply.end = 6
            first = await supply.take()
            second = asyncio.create_task(supply.take())
            await asyncio.sleep(0.05)
            assert not second.done()
            supply.end = 8
            return [first, await second, await supply.take(), await supply.take()]

        assert asyncio.run(run()) == [5, 6, 7, None]


class TestWhoeverWatchesTheSecondKey:
    def watch(self, bridge: Bridge, *, revoke: bool) -> Shop:
        async def run() -> Shop:
            async with await asyncio.start_server(bridge.serve, "127.0.0.1", 0) as server:
                keys = Keys({}, second="ck_second")
                shop = Shop(Model(7), keys, server.sockets[0].getsockname()[1])
                watching = asyncio.create_task(watch_second_key(shop))
                await asyncio.sleep(0.3)
                if revoke:
                    bridge.active.clear()
                shop.keys.revoked.add("ck_second")
                await asyncio.sleep(0.6)
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                return shop

        return asyncio.run(run())

    def test_notices_a_key_that_lives_on(self) -> None:
        assert "a revoked key was let in" in self.watch(Bridge(), revoke=False).model.findings.counts

    def test_has_nothing_to_say_of_one_that_is_dead_and_asks_seldom(self) -> None:
        shop = self.watch(Bridge(), revoke=True)

        assert not shop.model.findings.counts
        assert 0 < sum(status == 401 for status in shop.model.statuses) <= 14
