"""Two callers who ask with the second key all the time: once its revocation has returned, nothing may let them in."""

from __future__ import annotations

import asyncio

from tests.faults.tills import Shop
from tests.faults.wire import Dropped, Line, Refused, request

PAUSE = 0.05
PATIENCE = 5.0
ASKED_AFTERWARDS = 6
"""Few: refusals of one address have rows of their own up to a hundred in a minute."""


async def watch_second_key(shop: Shop) -> None:
    """One on a connection that stays open, one on a new connection each time."""
    async with asyncio.TaskGroup() as group:
        for keeps in (True, False):
            group.create_task(_watch(shop, keeps=keeps))


async def _watch(shop: Shop, *, keeps: bool) -> None:
    line = Line(shop.port)
    token, refused = shop.keys.second, 0
    try:
        while True:
            await asyncio.sleep(PAUSE)
            if token is None or refused >= ASKED_AFTERWARDS:
                token, refused = (shop.keys.second, 0) if shop.keys.second != token else (token, refused)
                continue
            was_revoked = token in shop.keys.revoked
            status = await _ask(shop, line, token)
            if was_revoked and 200 <= status < 300:
                shop.model.findings.add("a revoked key was let in", token[:11])
            refused += status == 401
            if not keeps:
                line.hang_up()
    finally:
        line.hang_up()


async def _ask(shop: Shop, line: Line, token: str) -> int:
    """The status of a ping; 0 if nothing was heard."""
    call = shop.model.call()
    sent = request("GET", "ping/", token=token, request_id=shop.request_id(call))
    try:
        answer = await line.call(sent, patience=PATIENCE)
    except (TimeoutError, Refused, Dropped):
        return 0
    shop.model.hear(call, answer)
    return answer.status
