"""Zettle asked over real HTTP: a subscription made, watched and made again, and purchases fetched page by page."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from adapters import booking, pulling
from adapters.connections import address_of, entrust, renew_address, secrets_of
from adapters.due import run_due
from adapters.models import Connection, ConnectionCall, VendorEvent
from adapters.pill import pill_of
from adapters.zettle import poller
from kasse.models import Transaction
from kasse.recording import record_transaction
from tenants.models import Tenant
from tests.adapters.fakes import HANGS, FakeZettle, running
from tests.adapters.test_secrets import everything_stored
from tests.adapters.test_zettle import ZettlesPusher, sample
from tests.adapters.vendors_tills import connection_of
from tests.factories import NOON

OPENED = NOON - timedelta(days=1)


@pytest.fixture
def zettle(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeZettle]:
    settings.ALLOW_LOOPBACK_CALLS = True
    fake = FakeZettle()
    with running(fake):
        monkeypatch.setattr(poller, "LIVE", poller.Hosts(fake.url, fake.url, fake.url))
        monkeypatch.setattr(poller, "PATIENCE_SECONDS", 1.0)
        yield fake


@pytest.fixture
def kiosk(seeblick: Tenant, waldrand: Tenant) -> Connection:
    connection = connection_of(seeblick, "zettle", name="Kiosk", at=OPENED)
    entrust(connection, api_key="eyJ-key-of-the-merchant", client_id="7", contact_email="info@seeblick.example")
    connection.save()
    return connection


def fetched(number: int, **changes: Any) -> dict[str, Any]:
    """A purchase as the API has it, a minute after the one before."""
    uuid = f"00000000-0000-1000-8000-{number:012}"
    day = (OPENED + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    whole = {**sample("fetched"), "purchaseUUID1": uuid, "timestamp": day, "created": day, **changes}
    del whole["purchaseUUID"]
    return whole


def turn(at: Any = NOON) -> Connection:
    """One round of the scheduler; the connection after it."""
    list(run_due(at=at))
    return Connection.objects.select_related("tenant").get()


class TestTheFirstTurn:
    def test_subscribes_this_address(self, zettle: FakeZettle, kiosk: Connection) -> None:
        after = turn()

        (made,) = zettle.subscriptions
        assert made["destination"] == address_of(kiosk)
        assert (made["eventNames"], made["transportName"]) == (["PurchaseCreated"], "WEBHOOK")
        assert made["contactEmail"] == "info@seeblick.example"
        assert made["uuid"][14] == "1"
        assert secrets_of(after)["signing_key"] == made["signingKey"]
        assert (after.scope, after.trouble) == (zettle.organization, "")
        assert pill_of(after, parked=0, at=NOON).colour == "green"

    def test_lets_messages_in(self, zettle: FakeZettle, kiosk: Connection) -> None:
        after = turn()
        pusher = ZettlesPusher(after)
        pusher.key = zettle.subscriptions[0]["signingKey"]

        assert pusher.send(sample("kiosk-cash")).status_code == 200
        assert Transaction.objects.count() == 1

    def test_tells_nobody_a_secret(
        self, zettle: FakeZettle, kiosk: Connection, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        zettle.purchases = [fetched(1)]
        turn()

        for secret in ("eyJ-key-of-the-merchant", zettle.subscriptions[0]["signingKey"], *zettle.tokens):
            assert secret not in everything_stored()
            assert secret not in caplog.text

    def test_is_the_only_one_for_a_day(self, zettle: FakeZettle, kiosk: Connection) -> None:
        turn()
        asked = len(zettle.asked)

        turn(NOON + timedelta(hours=23))
        assert len(zettle.asked) == asked
        turn(NOON + timedelta(hours=25))
        assert len(zettle.asked) > asked
        assert len(zettle.subscriptions) == 1


class TestWatching:
    def test_makes_a_subscription_again_that_is_gone(self, zettle: FakeZettle, kiosk: Connection) -> None:
        first = secrets_of(turn())["signing_key"]
        zettle.subscriptions.clear()
        zettle.purchases = [fetched(1)]

        told = secrets_of(turn(NOON + timedelta(days=2)))

        assert told["signing_key"] == zettle.subscriptions[0]["signingKey"]
        assert told["former_signing_key"] == first
        assert Transaction.objects.count() == 1

    def test_moves_it_to_another_address(self, zettle: FakeZettle, kiosk: Connection) -> None:
        connection = turn()
        renew_address(connection)

        turn(NOON + timedelta(days=2))

        assert [row["destination"] for row in zettle.subscriptions] == [address_of(connection)]

    def test_leaves_the_subscriptions_of_others_alone(self, zettle: FakeZettle, kiosk: Connection) -> None:
        others = {"uuid": "of-a-bookkeeper", "destination": "https://books.example", "status": "ACTIVE"}
        zettle.subscriptions.append(others)

        turn()
        turn(NOON + timedelta(days=2))

        assert others in zettle.subscriptions
        assert len(zettle.subscriptions) == 2

    def test_says_that_it_delivers_in_vain_and_fetches_meanwhile(self, zettle: FakeZettle, kiosk: Connection) -> None:
        turn()
        zettle.subscriptions[0]["status"] = "FAILING"
        zettle.purchases = [fetched(1)]

        after = turn(NOON + timedelta(days=2))

        assert after.trouble == "subscription_failing"
        assert pill_of(after, parked=0, at=NOON + timedelta(days=2)).colour == "yellow"
        assert Transaction.objects.count() == 1


class TestASubscriptionOfWhichWeKnowNothing:
    def test_that_calls_this_address_is_replaced(self, zettle: FakeZettle, kiosk: Connection) -> None:
        """Made for us, and its answer with the key lost on the way."""
        zettle.subscriptions.append({"uuid": "lost", "destination": address_of(kiosk), "status": "ACTIVE"})
        zettle.subscriptions.append({"uuid": "of-others", "destination": "https://others.example", "status": "ACTIVE"})

        after = turn()

        assert [row["uuid"] for row in zettle.subscriptions] == ["of-others", after.state["subscription"]]


class TestBackFill:
    def test_goes_past_a_purchase_that_fails_for_a_fault_of_ours(
        self, zettle: FakeZettle, kiosk: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = record_transaction

        def fails_for_the_first(**named: Any) -> Any:
            if named["sale"].external_ref.endswith("01"):
                raise ArithmeticError
            return record(**named)

        monkeypatch.setattr(booking, "record_transaction", fails_for_the_first)
        zettle.purchases = [fetched(number) for number in (1, 2, 3)]

        after = turn()

        assert (Transaction.objects.count(), after.trouble) == (2, "")
        assert VendorEvent.objects.filter(standing="received").count() == 1

    def test_fetches_every_page(self, zettle: FakeZettle, kiosk: Connection) -> None:
        zettle.purchases = [fetched(number) for number in range(1, 8)]

        turn()

        assert Transaction.objects.count() == 7
        assert len([path for path in zettle.paths() if path == "GET /purchases/v2"]) == 5
        assert ConnectionCall.objects.get().detail == "subscribed anew, 7 purchases"

    def test_ends_at_the_references_of_the_messages(self, zettle: FakeZettle, kiosk: Connection) -> None:
        after = turn()
        pusher = ZettlesPusher(after)
        pusher.key = zettle.subscriptions[0]["signingKey"]
        pusher.send(sample("kiosk-cash"))
        zettle.purchases = [sample("fetched")]

        turn(NOON + timedelta(days=2))

        assert Transaction.objects.count() == 1
        assert set(VendorEvent.objects.values_list("standing", flat=True)) == {"recorded"}

    def test_leaves_out_what_was_before_the_connection(self, zettle: FakeZettle, kiosk: Connection) -> None:
        zettle.purchases = [fetched(-5), fetched(5)]

        turn()

        assert Transaction.objects.count() == 1

    def test_looks_back_some_days(self, zettle: FakeZettle, kiosk: Connection) -> None:
        """A till that was offline brings purchases of days before."""
        turn()
        zettle.purchases = [fetched(5)]

        turn(NOON + timedelta(days=2))

        assert Transaction.objects.count() == 1

    def test_keeps_what_came_before_the_line_broke_and_goes_on(self, zettle: FakeZettle, kiosk: Connection) -> None:
        zettle.purchases = [fetched(number) for number in range(1, 5)]
        turn()
        zettle.purchases += [fetched(number) for number in range(5, 9)]
        original = zettle.answer
        pages: list[int] = []

        def break_off(asked: Any) -> Any:
            if asked.path == "/purchases/v2":
                pages.append(1)
                if len(pages) == 4:
                    return 502, b"<html>bad gateway</html>"
            return original(asked)

        zettle.answer = break_off  # type: ignore[method-assign]
        broken = turn(NOON + timedelta(days=2))
        assert (broken.trouble, Transaction.objects.count()) == ("unreachable", 6)

        after = turn(NOON + timedelta(days=2, minutes=2))

        assert (after.trouble, Transaction.objects.count()) == ("", 8)


class TestTrouble:
    @pytest.mark.parametrize("path", ["/token", "/users/self", "/organizations", "/purchases"])
    @pytest.mark.parametrize(
        ("status", "trouble"),
        [
            (500, "unreachable"),
            (429, "throttled"),
            (403, "right_missing"),
            (404, "not_understood"),
            (HANGS, "unreachable"),
        ],
    )
    def test_has_a_word_and_goes_away(
        self, zettle: FakeZettle, kiosk: Connection, path: str, status: int, trouble: str
    ) -> None:
        zettle.fail(path, status)

        assert turn().trouble == trouble
        assert turn(NOON + timedelta(minutes=2)).trouble == ""

    @pytest.mark.parametrize("answer", [b"", b"{", b"[]", b"null", b'"x"', b"[[[", b'{"purchases": 1}'])
    @pytest.mark.parametrize("path", ["/token", "/organizations", "/purchases"])
    def test_of_an_answer_nobody_understands_is_none_of_ours(
        self, zettle: FakeZettle, kiosk: Connection, path: str, answer: bytes
    ) -> None:
        original = zettle.answer
        zettle.answer = lambda asked: (200, answer) if asked.path.startswith(path) else original(asked)  # type: ignore[method-assign]

        assert turn().trouble == "not_understood" or (path, answer) == ("/organizations", b"[]")

    def test_of_a_token_that_has_expired_is_healed_at_once(self, zettle: FakeZettle, kiosk: Connection) -> None:
        original = zettle.answer

        def expire(asked: Any) -> Any:
            if asked.path == "/purchases/v2" and not zettle.expired:
                zettle.expired.add(asked.token)
            return original(asked)

        zettle.answer = expire  # type: ignore[method-assign]

        assert turn().trouble == ""
        assert len(zettle.tokens) == 2

    def test_of_a_key_that_is_taken_back_is_red_until_there_is_another(
        self, zettle: FakeZettle, kiosk: Connection
    ) -> None:
        zettle.assertion = "another"

        after = turn()

        assert after.trouble == "secret_refused"
        assert pill_of(after, parked=0, at=NOON).colour == "red"
        entrust(after, api_key="another")
        after.save()
        pulling.pull_soon(after)
        assert turn(NOON + timedelta(seconds=1)).trouble == ""

    def test_of_a_secret_that_cannot_be_read_asks_nobody(self, zettle: FakeZettle, kiosk: Connection) -> None:
        Connection.objects.update(sealed_secrets="broken")

        assert turn().trouble == "secret_lost"
        assert zettle.asked == []

    def test_lasts_as_long_as_the_vendor_asks(self, zettle: FakeZettle, kiosk: Connection) -> None:
        zettle.fail("/token", 429, Retry_After="3600")
        turn()
        asked = len(zettle.asked)

        turn(NOON + timedelta(minutes=59))
        assert len(zettle.asked) == asked
        turn(NOON + timedelta(minutes=61))
        assert len(zettle.asked) > asked

    def test_is_tried_less_and_less_often(self, zettle: FakeZettle, kiosk: Connection) -> None:
        zettle.assertion = "another"
        tries = []
        for minute in range(200):
            before = len(zettle.asked)
            turn(NOON + timedelta(minutes=minute))
            if len(zettle.asked) > before:
                tries.append(minute)

        assert tries == [0, 1, 3, 7, 15, 31, 63, 123, 183]

    def test_of_an_address_that_is_this_machine_is_not_reached(
        self, zettle: FakeZettle, kiosk: Connection, settings: Settings
    ) -> None:
        settings.ALLOW_LOOPBACK_CALLS = False

        assert turn().trouble == "unreachable"
        assert zettle.asked == []


class TestTwoMachines:
    def test_do_one_turn_between_them(self, zettle: FakeZettle, kiosk: Connection) -> None:
        """The second comes while the first is at work; after ten minutes it takes over from one that has died."""
        assert pulling._take_turn(kiosk, NOON)

        turn(NOON + timedelta(minutes=1))
        assert zettle.asked == []
        turn(NOON + timedelta(minutes=11))
        assert zettle.subscriptions

    def test_remember_what_each_has_written(self, kiosk: Connection) -> None:
        other = Connection.objects.get(pk=kiosk.pk)

        pulling.remember(kiosk, subscription="a")
        pulling.remember(other, filled_until="b")

        assert Connection.objects.get(pk=kiosk.pk).state == {"subscription": "a", "filled_until": "b"}


class TestASubscription:
    def test_without_a_key_is_none(self, zettle: FakeZettle, kiosk: Connection) -> None:
        original = zettle.answer
        zettle.answer = lambda asked: (  # type: ignore[method-assign]
            (200, {"uuid": json.loads(asked.body)["uuid"]})
            if asked.method == "POST" and asked.path.startswith("/organizations")
            else original(asked)
        )

        after = turn()

        assert after.trouble == "not_understood"
        assert "signing_key" not in secrets_of(after)
