"""A key is revoked at a random moment while many sell with it flat out: whatever is sent after that opens nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.faults.books import Condition
from tests.faults.model import Model
from tests.faults.sales import CAMPGROUNDS, Sale
from tests.faults.sieges.besieging import FIRST_OF_A_SIEGE, Order, give_verdict, happened, none_of, open_shop
from tests.faults.sieges.keyring import Keyring, keyring
from tests.faults.stage import Scene, set_stage
from tests.faults.tills import Shop, Supply, sell
from tests.faults.wire import Dropped, Line, Refused, request

ROUNDS = 200
WORKERS = 4
CLIENTS = 32
KNOWN_AFTER = 2 * CLIENTS
LONGEST = 0.6
SECONDS_AFTERWARDS = 0.25
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """When it was sent, by the clock that also says when the command had returned; and what was heard."""

    sent: float
    status: int


@dataclass(frozen=True, slots=True)
class Round:
    """All calls with one key, and when its revocation had returned."""

    revoked: float
    calls: Sequence[Call]


def besiege_a_revocation(order: Order) -> bool:
    """Round after round, each with a key of its own."""
    with set_stage(Scene("postgresql", order.seed, workers=WORKERS), order.folder) as stage:
        shop, rng = open_shop(stage, order.seed), Random(order.seed)
        with keyring(stage.service) as ring:
            rounds = asyncio.run(sell_and_revoke(shop, ring, rng, rounds=order.part_of(ROUNDS)))
        asyncio.run(sell(shop, Rest(shop.model), tills=CLIENTS))
        return give_verdict(stage, shop, judge(rounds, expected=order.part_of(ROUNDS)))


async def sell_and_revoke(shop: Shop, ring: Keyring, rng: Random, *, rounds: int) -> list[Round]:
    """On lines that stay open all through."""
    clients = [Client(shop) for _ in range(CLIENTS)]
    return [await play(clients, ring, rng) for _ in range(rounds)]


async def play(clients: Sequence[Client], ring: Keyring, rng: Random) -> Round:
    """Sell until the key is well known everywhere, revoke it, and go on for a moment."""
    token = await asyncio.to_thread(ring.mint)
    calls: list[Call] = []
    over = asyncio.Event()
    selling = [asyncio.create_task(each.sell(token, calls, over)) for each in clients]
    while sum(call.status == 201 for call in calls) < KNOWN_AFTER:  # noqa: ASYNC110 (the tills are what is waited for)
        await asyncio.sleep(0.01)
    await asyncio.sleep(rng.uniform(0, LONGEST))
    await asyncio.to_thread(ring.revoke, token)
    revoked = time.monotonic()
    await asyncio.sleep(SECONDS_AFTERWARDS)
    over.set()
    await asyncio.gather(*selling)
    return Round(revoked, calls)


class Client:
    """Sells with whatever key it is given; a sale that was refused for the key is left for whoever settles it."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._line = shop, Line(shop.port)

    async def sell(self, token: str, calls: list[Call], over: asyncio.Event) -> None:
        """As fast as answers come; what Waldrand sells goes by a key that lasts."""
        while not over.is_set():
            sale = self._shop.model.sale(self._shop.model.sell(1).start)
            if sale.campground == CAMPGROUNDS[0]:
                calls.append(await self._send(sale, token))
            else:
                await self._send(sale, self._shop.keys.lasting[sale.campground][0])

    async def _send(self, sale: Sale, token: str) -> Call:
        model = self._shop.model
        number = model.call()
        sent = request("POST", "transactions/", token=token, request_id=self._shop.request_id(number), body=sale.body)
        began = time.monotonic()
        try:
            answer = await self._line.call(sent, patience=PATIENCE)
        except (TimeoutError, Refused, Dropped):
            return Call(began, 0)
        if answer.status == 401 and sale.campground == CAMPGROUNDS[0]:
            model.hear(number, answer)
        else:
            model.hear_of_sale(number, sale, answer)
        return Call(began, answer.status)


class Rest(Supply):
    """What is not acknowledged yet."""

    def __init__(self, model: Model) -> None:
        super().__init__(range(0))
        self._left = (number for number in range(model.sold) if not model.is_acknowledged[number])

    async def take(self) -> int | None:
        return next(self._left, None)


def judge(rounds: Sequence[Round], *, expected: int) -> list[Condition]:
    """Nothing that was sent after the command had returned was let in, and there was enough of it."""
    number = FIRST_OF_A_SIEGE
    after = [call for each in rounds for call in each.calls if call.sent > each.revoked]
    statuses = Counter(call.status for call in after)
    let_in = sum(count for status, count in statuses.items() if 200 <= status < 300)
    untried = sum(not any(call.sent > each.revoked for call in each.calls) for each in rounds)
    before = sum(len(each.calls) for each in rounds) - len(after)
    return [
        happened(number, "rounds were played", len(rounds), at_least=expected),
        happened(number + 1, "calls were made with keys not yet revoked", before),
        none_of(
            number + 2, "a call that was sent after the revocation had returned was let in", let_in, among=len(after)
        ),
        none_of(number + 3, "a round had no such call", untried, among=len(rounds)),
    ]
