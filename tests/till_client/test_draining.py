"""Sending what waits: what is known is settled, what is not is sent again, and nobody holds up the others."""

from __future__ import annotations

import pytest

from tests.till_client.conftest import Clock, run_down
from tests.till_client.fake import FakeBridge, Fault
from tests.till_client.sales import croissants, refused
from till_client import Drain, Outbox


class TestADrain:
    def test_sends_a_hundred_sales_in_one_call(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        outbox.put_all(croissants(number) for number in range(250))

        run_down(drain, clock)

        assert bridge.calls == ["POST transactions/batch/"] * 3
        assert outbox.counts()["acknowledged"] == len(bridge.stored) == 250
        assert drain.tally.created == 250

    def test_cuts_a_batch_at_two_mebibytes(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        outbox.put_all(croissants(number, metadata={"note": "x" * 200_000}) for number in range(25))

        run_down(drain, clock)

        assert bridge.posts() == 3
        assert len(bridge.stored) == 25

    def test_posts_one_by_one_where_batches_are_not_offered(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        bridge.offers_batch = False
        outbox.put_all(croissants(number) for number in range(12))

        run_down(drain, clock)

        assert bridge.calls.count("POST transactions/batch/") == 1
        assert len(bridge.stored) == 12

    def test_says_once_that_the_key_ends(self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock) -> None:
        said: list[str] = []
        drain.say = said.append
        outbox.put_all(croissants(number) for number in range(250))
        drain.step()
        assert (said, drain.client.key_expires) == ([], "")
        bridge.key_expires = "2026-12-31T23:00:00Z"

        run_down(drain, clock)

        assert drain.client.key_expires == "2026-12-31T23:00:00Z"
        [line] = said
        assert "2026-12-31T23:00:00Z" in line

    def test_puts_the_week_offline_into_one_hours_budget(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        outbox.put_all(croissants(number) for number in range(5000))

        waited = run_down(drain, clock)

        assert len(bridge.stored) == 5000
        assert drain.tally.calls == len(bridge.calls) == 50
        assert waited < 3600


class TestAnUnknownAnswer:
    @pytest.mark.parametrize("fault", ["cut", "drop", "swallow", "portal", "proxy", "empty", 500, 502, 503, 408, 404])
    @pytest.mark.parametrize("sales", [1, 3])
    def test_is_followed_by_the_same_bytes_again(
        self, drain: Drain, bridge: FakeBridge, clock: Clock, fault: Fault, sales: int
    ) -> None:
        outbox = drain.outbox
        outbox.put_all(croissants(number) for number in range(sales))
        bridge.faults = [fault] * 3

        run_down(drain, clock)

        assert outbox.counts() == {"waiting": 0, "sending": 0, "acknowledged": sales, "poison": 0}
        assert [len(bodies) for bodies in bridge.sent.values()] == [1] * sales

    def test_of_one_sale_does_not_hold_up_the_others(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        outbox.put_all(croissants(number) for number in range(20))
        bridge.crashing = {"kiosk-0", "kiosk-7"}

        for _ in range(40):
            clock.now += drain.step() or 1

        assert set(bridge.stored) == {f"kiosk-{number}" for number in range(20)} - bridge.crashing
        assert {each.external_ref for each in outbox.struggling()} == bridge.crashing

        bridge.crashing = set()
        run_down(drain, clock)
        assert len(bridge.stored) == 20

    def test_of_many_sales_in_a_row_holds_up_nobody_for_good(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        bridge.offers_batch = False
        outbox.put_all(croissants(number) for number in range(20))
        bridge.crashing = {f"kiosk-{number}" for number in range(8)}

        for _ in range(40):
            clock.now += drain.step() or 1

        assert len(bridge.stored) == 12

    def test_of_a_batch_that_breaks_the_bridge_is_found_out_one_by_one(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        outbox.put_all(croissants(number) for number in range(4))
        bridge.faults = [500]

        drain.step()

        assert bridge.calls == ["POST transactions/batch/", *["POST transactions/"] * 4]
        assert len(bridge.stored) == 4


class TestASaleThatIsRefused:
    @pytest.mark.parametrize("offers_batch", [True, False])
    def test_is_set_aside_with_its_reason_and_blocks_nobody(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock, offers_batch: bool
    ) -> None:
        bridge.offers_batch = offers_batch
        outbox.put_all([croissants(1), refused(2), croissants(3)])

        run_down(drain, clock)

        (poison,) = outbox.poison()
        assert (poison.external_ref, poison.state) == ("bad-2", "poison")
        assert poison.reason == "400 total_mismatch total_amount Does not fit."
        assert set(bridge.stored) == {"kiosk-1", "kiosk-3"}

    def test_is_sent_once_corrected(self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock) -> None:
        outbox.put(refused(2))
        run_down(drain, clock)

        outbox.correct(croissants(2, external_ref="bad-2"))
        run_down(drain, clock)

        assert set(bridge.stored) == {"bad-2"}
        assert outbox.poison() == []

    @pytest.mark.parametrize("offers_batch", [True, False])
    def test_for_a_taken_reference_is_set_aside_and_not_repeated(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock, offers_batch: bool
    ) -> None:
        bridge.offers_batch = offers_batch
        bridge.stored["kiosk-1"] = {"total_amount": "99.00"}
        outbox.put_all([croissants(1), croissants(2)])

        run_down(drain, clock)
        posts = bridge.posts()
        run_down(drain, clock)

        assert [each.reason[:25] for each in outbox.poison()] == ["409 external_ref_conflict"]
        assert bridge.posts() == posts
        assert "kiosk-2" in bridge.stored


class TestAPause:
    def test_is_as_long_as_the_bridge_asks_for(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        outbox.put(croissants(1))
        bridge.faults = [(429, "1800")]

        waited = run_down(drain, clock)

        assert 1800 <= waited <= 1811
        assert bridge.posts() == 2

    def test_holds_for_every_sender_on_the_outbox(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        outbox.put(croissants(1))
        bridge.faults = [(503, "30")]
        drain.step()

        with Outbox(outbox.path, clock=clock) as same:
            beside = Drain(same, drain.client)
            wait = beside.step()

        assert wait is not None
        assert 30 <= wait <= 33
        assert bridge.posts() == 1

    @pytest.mark.parametrize("status", [401, 403])
    def test_follows_a_refused_key_and_sets_nothing_aside(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock, status: int
    ) -> None:
        outbox.put_all(croissants(number) for number in range(150))
        bridge.faults = [status] * 4

        waited = run_down(drain, clock)

        assert waited > 15 + 30 + 60 + 120
        assert bridge.posts() == 4 + 2
        assert len(bridge.stored) == 150

    def test_grows_while_nothing_comes_through_and_stays_bearable(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        outbox.put_all(croissants(number) for number in range(30))
        bridge.faults = ["drop"] * 80

        waits = []
        while bridge.faults:
            waits.append(drain.step() or 0)
            clock.now += waits[-1]

        assert max(waits[:6]) <= 16
        assert 30 < max(waits) <= 60
        run_down(drain, clock)
        assert len(bridge.stored) == 30

    def test_ends_with_the_first_answer(self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock) -> None:
        outbox.put_all(croissants(number) for number in range(3))
        bridge.faults = ["drop"] * 9
        run_down(drain, clock)

        assert outbox.pause().failures == 0
        assert outbox.pause_left() <= 0

    def test_does_not_outlast_a_clock_that_is_set_back(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        outbox.put_all(croissants(number) for number in range(3))
        bridge.faults = ["drop"] * 6
        for _ in range(20):
            clock.now += drain.step() or 0
        outbox.claim(1)

        clock.now -= 365 * 86_400.0

        assert run_down(drain, clock) < 120
        assert len(bridge.stored) == 3


class TestASwitchOfSize:
    def test_gets_a_batch_through_that_is_always_cut(
        self, outbox: Outbox, drain: Drain, bridge: FakeBridge, clock: Clock
    ) -> None:
        """One sale that no proxy on the way lets pass delays itself alone."""
        outbox.put_all(croissants(number) for number in range(30))
        take = bridge.take

        def cut_at_five(sale: dict[str, object]) -> tuple[int, dict[str, object]]:
            if sale["external_ref"] == "kiosk-5" and bridge.offers_batch:
                raise ConnectionResetError
            return take(sale)

        bridge.take = cut_at_five  # type: ignore[method-assign]  # a proxy that chokes on one sale
        for _ in range(120):
            clock.now += drain.step() or 1

        assert set(bridge.stored) == {f"kiosk-{number}" for number in range(30)} - {"kiosk-5"}
        assert outbox.counts()["waiting"] == 1
