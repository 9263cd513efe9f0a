"""Sales by the clock: whoever is kept waiting, the next one is due all the same."""

from __future__ import annotations

import asyncio
import time

from tests.faults.model import Model
from tests.upgrading.pace import Pace
from tests.upgrading.waiting import Waits


class TestAPace:
    def test_counts_a_wait_from_when_a_sale_was_due(self) -> None:
        """A till that stands still for a while is late for all that fell due meanwhile."""

        async def sell() -> Pace:
            pace = Pace(Model(1), per_second=200.0, part="a lock")
            for _ in range(20):
                number = await pace.take()
                assert number is not None
                if number == 0:
                    time.sleep(0.1)  # noqa: ASYNC251 (everything stands still, the clock does not)
                pace.settle(number)
            return pace

        waits = asyncio.run(sell()).waits["a lock"]

        assert len(waits) == 20
        assert min(waits[1:11]) > 0.04

    def test_gives_out_nothing_once_it_is_over(self) -> None:
        pace = Pace(Model(1), is_over=True)

        assert asyncio.run(pace.take()) is None

    def test_has_not_caught_up_while_a_sale_is_overdue(self) -> None:
        pace = Pace(Model(1), per_second=0.001)
        asyncio.run(pace.take())
        pace._due[0] = (time.monotonic() + 60, "")
        assert pace.has_caught_up

        pace._due[0] = (time.monotonic() - 60, "")
        assert not pace.has_caught_up


class TestFigures:
    def test_waits_for_locks_are_kept_apart(self) -> None:
        waits = Waits(part="tables change")
        for is_owner, seconds in ((False, 0.2), (True, 1.0), (False, 0.1)):
            waits.note(is_owner=is_owner, seconds=seconds)

        assert waits.of_service == {"tables change": 0.2}
        assert waits.of_owner == {"tables change": 1.0}
