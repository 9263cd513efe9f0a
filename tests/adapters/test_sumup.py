"""SumUp asked over real HTTP: what has changed, page by page; refunds that change old rows; hints; and its troubles."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from adapters.connections import entrust
from adapters.due import run_due
from adapters.models import Connection, ConnectionCall, Standing, VendorEvent
from adapters.neutral import Terms
from adapters.pill import pill_of
from adapters.pulling import instant_of, pull_in_turn, take_hint
from adapters.sumup import poller
from adapters.sumup.mapping import map_event
from kasse.models import Transaction
from tenants.models import Tenant
from tests.adapters.fakes import HANGS, FakeSumUp, running
from tests.adapters.samples import ADAPTERS
from tests.adapters.test_secrets import everything_stored
from tests.adapters.vendors_tills import VendorTill, connection_of
from tests.factories import NOON

OPENED = NOON - timedelta(days=1)
KEY = "sup_sk_of-the-merchant"
PATHS = ("transactions/history", "transactions$")


def sample(name: str) -> dict[str, Any]:
    return json.loads((ADAPTERS / "sumup" / "samples" / f"{name}.json").read_text())  # type: ignore[no-any-return]


@pytest.fixture
def sumup(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSumUp]:
    settings.ALLOW_LOOPBACK_CALLS = True
    fake = FakeSumUp()
    with running(fake):
        monkeypatch.setattr(poller, "LIVE", fake.url)
        monkeypatch.setattr(poller, "PATIENCE_SECONDS", 1.0)
        yield fake


@pytest.fixture
def boats(seeblick: Tenant, waldrand: Tenant) -> Connection:
    connection = connection_of(seeblick, "sumup", name="Bootsverleih", at=OPENED, scope="MSEEBLICK")
    entrust(connection, api_key=KEY)
    connection.save()
    return connection


def instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def paid(number: int, *, at: datetime = NOON, **changes: Any) -> dict[str, Any]:
    """A transaction of CHF 45.00."""
    return {**sample("kayaks"), "id": f"tx-{number}", "timestamp": instant(at), **changes}


def turn(at: datetime = NOON) -> Connection:
    """One round of the scheduler; the connection after it."""
    list(run_due(at=at))
    return Connection.objects.select_related("tenant").get()


class TestATurn:
    def test_books_what_was_sold(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.put(paid(1), changed=instant(NOON))

        after = turn()

        sale = Transaction.objects.get()
        assert (sale.external_ref, sale.total_amount, sale.payment_method) == ("sumup:tx-1", Decimal(45), "CARD")
        assert (sale.metadata["vendor"], sale.metadata["till"]) == ("sumup", "SumUp · Bootsverleih")
        assert (after.trouble, pill_of(after, parked=0, at=NOON).colour) == ("", "green")

    @pytest.mark.parametrize("links", ["query", "path", "elsewhere"])
    def test_reads_every_page_and_takes_its_key_nowhere_else(
        self, sumup: FakeSumUp, boats: Connection, links: str
    ) -> None:
        sumup.links = links
        for number in range(7):
            sumup.put(paid(number), changed=instant(NOON))

        turn()

        assert Transaction.objects.count() == 7
        assert len([path for path in sumup.paths() if path.endswith("/history")]) == 4

    def test_ends_where_the_pages_go_in_a_circle(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.links = "again"
        for number in range(3):
            sumup.put(paid(number), changed=instant(NOON))

        turn()

        assert len([path for path in sumup.paths() if path.endswith("/history")]) <= 3

    def test_comes_every_five_minutes_and_looks_back_a_little(self, sumup: FakeSumUp, boats: Connection) -> None:
        for minutes in range(11):
            turn(NOON + timedelta(minutes=minutes))

        since = [each.query["changes_since"] for each in sumup.asked]
        assert since == [
            instant(OPENED),
            instant(NOON - timedelta(minutes=15)),
            instant(NOON - timedelta(minutes=10)),
        ]

    def test_reads_again_without_booking_again(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.put(paid(1), changed=instant(NOON))
        for minutes in (0, 5, 10):
            turn(NOON + timedelta(minutes=minutes))

        assert Transaction.objects.count() == 1
        assert VendorEvent.objects.get().times_received == 3

    @pytest.mark.parametrize("status", ["PENDING", "FAILED", "CANCELLED"])
    def test_leaves_out_what_was_not_paid_until_it_is(self, sumup: FakeSumUp, boats: Connection, status: str) -> None:
        sumup.put(paid(1, status=status), changed=instant(NOON))
        turn()
        assert not Transaction.objects.exists()

        sumup.put(paid(1), changed=instant(NOON + timedelta(minutes=4)))
        turn(NOON + timedelta(minutes=5))
        assert Transaction.objects.count() == 1

    def test_parks_what_cannot_be_booked_and_goes_on(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.put(paid(1, currency="EUR"), changed=instant(NOON))
        sumup.put(paid(2), changed=instant(NOON))

        after = turn()

        assert Transaction.objects.get().external_ref == "sumup:tx-2"
        assert VendorEvent.objects.get(standing=Standing.PARKED).reason == "foreign_currency"
        assert pill_of(after, parked=1, at=NOON).colour == "yellow"

    def test_parks_what_has_no_details(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.put(paid(1), changed=instant(NOON))
        sumup.put(paid(2), changed=instant(NOON))
        original = sumup.answer
        sumup.answer = lambda asked: (404, {}) if asked.query.get("id") == "tx-1" else original(asked)  # type: ignore[method-assign]

        assert turn().trouble == ""
        assert VendorEvent.objects.get(standing=Standing.PARKED).reason == "details_missing"
        assert Transaction.objects.get().external_ref == "sumup:tx-2"


class TestTheCommand:
    def test_asks_at_once(
        self, sumup: FakeSumUp, boats: Connection, waldrand: Tenant, capsys: pytest.CaptureFixture[str]
    ) -> None:
        connection_of(waldrand, "sumup", at=OPENED, scope="MWALDRAND")
        for _ in range(2):
            call_command("pull_tills", "--tenant", "seeblick", "--vendor", "sumup")

        assert capsys.readouterr().out == "seeblick, sumup Bootsverleih: asked.\n" * 2
        assert len(sumup.asked) == 2

    def test_has_nothing_to_ask_of_a_vendor_that_calls_us(
        self, boats: Connection, seeblick: Tenant, capsys: pytest.CaptureFixture[str]
    ) -> None:
        connection_of(seeblick, "lightspeed")

        call_command("pull_tills", "--vendor", "lightspeed")

        assert capsys.readouterr().out == "seeblick, lightspeed Restaurant: nothing to do.\n"


class TestARefund:
    def test_is_an_event_of_an_old_transaction(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.put(paid(1), changed=instant(NOON))
        turn()
        later = NOON + timedelta(days=3)
        event = {"id": 77, "type": "REFUND", "status": "REFUNDED", "amount": 5, "timestamp": instant(later)}
        sumup.put(paid(1, events=[event]), changed=instant(later))

        turn(later)

        refund = Transaction.objects.get(total_amount__lt=0)
        assert (refund.external_ref, refund.refund_of) == ("sumup:tx-1:refund:77", "sumup:tx-1")
        assert (refund.total_amount, refund.occurred_at) == (Decimal(-5), later)
        assert Transaction.objects.count() == 2

    def test_in_two_parts_is_two(self, sumup: FakeSumUp, boats: Connection) -> None:
        events = []
        for number, minutes in ((1, 0), (2, 5)):
            at = NOON + timedelta(minutes=minutes)
            events.append({"id": number, "type": "REFUND", "status": "REFUNDED", "amount": 5, "timestamp": instant(at)})
            sumup.put(paid(1, events=list(events)), changed=instant(at))
            turn(at)

        assert sorted(Transaction.objects.values_list("total_amount", flat=True)) == [-5, -5, 45]

    def test_of_a_sale_before_the_connection_is_booked_alone(self, sumup: FakeSumUp, boats: Connection) -> None:
        event = {"id": 77, "type": "REFUND", "status": "REFUNDED", "amount": 5, "timestamp": instant(NOON)}
        old = paid(1, at=OPENED - timedelta(days=9), events=[event])
        sumup.put(old, changed=instant(NOON))

        turn()

        assert Transaction.objects.get().total_amount == -5

    def test_that_the_details_do_not_name_yet_waits(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.put(paid(1), changed=instant(NOON))
        turn()
        sumup.put(paid(1), changed=instant(NOON), kind="REFUND")

        turn(NOON + timedelta(minutes=5))

        assert Transaction.objects.count() == 1
        assert VendorEvent.objects.get(standing=Standing.PARKED).reason == "refund_unclear"

    def test_that_the_details_name_late_is_asked_for_until_they_do(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.put(paid(1), changed=instant(NOON))
        turn()
        sumup.put(paid(1), changed=instant(NOON), kind="REFUND")
        turn(NOON + timedelta(minutes=5))
        event = {"id": 77, "type": "REFUND", "status": "REFUNDED", "amount": 5, "timestamp": instant(NOON)}
        sumup.transactions["tx-1"] = paid(1, events=[event])

        turn(NOON + timedelta(hours=9))

        assert sorted(Transaction.objects.values_list("total_amount", flat=True)) == [-5, 45]
        assert not VendorEvent.objects.filter(standing=Standing.PARKED).exists()

    @pytest.mark.parametrize("status", [400, 404])
    def test_whose_details_are_refused_keeps_no_other_waiting(
        self, sumup: FakeSumUp, boats: Connection, status: int
    ) -> None:
        for number in (1, 2, 3):
            sumup.put(paid(number), changed=instant(NOON))
        sumup.fail("/v2.1/merchants/MSEEBLICK/transactions$", status)

        after = turn()

        assert (after.trouble, Transaction.objects.count()) == ("", 2)
        assert VendorEvent.objects.get(standing=Standing.PARKED).reason == "details_missing"
        turn(NOON + timedelta(hours=9))
        assert Transaction.objects.count() == 3
        assert not VendorEvent.objects.filter(standing=Standing.PARKED).exists()

    def test_without_an_identity_is_kept_and_nobody_is_asked_for_it(
        self, sumup: FakeSumUp, boats: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = {"amount": 5, "status": "SUCCESSFUL", "type": "PAYMENT"}
        monkeypatch.setattr(sumup, "_history", lambda _asked: {"items": [row], "links": []})

        turn()
        turn(NOON + timedelta(minutes=5))

        assert VendorEvent.objects.get().reason == "details_missing"
        assert {path.rpartition("/")[2] for path in sumup.paths()} == {"history"}

    def test_of_pages_without_end_is_told_and_forgets_nothing(
        self, sumup: FakeSumUp, boats: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(poller, "MOST_PAGES", 2)
        for number in range(7):
            sumup.put(paid(number), changed=instant(NOON))

        after = turn()

        assert (after.trouble, Transaction.objects.count()) == ("not_understood", 4)
        assert "changes_until" not in after.state

    @given(
        st.integers(1, 100_000),
        st.integers(0, 5_000),
        st.lists(st.tuples(st.integers(1, 500), st.integers(1, 9)), max_size=5, unique_by=lambda each: each[1]),
        st.randoms(use_true_random=False),
    )
    def test_is_the_same_in_any_order_and_never_more_than_was_given_back(
        self, rappen: int, tip: int, parts: list[tuple[int, int]], dice: Any
    ) -> None:
        events = [
            {
                "id": str(number),
                "type": "REFUND",
                "amount": f"{part / 100:.2f}",
                "timestamp": f"2026-05-0{number}T10:00:00Z",
            }
            for part, number in parts
        ]
        document = {
            "id": "tx",
            "status": "SUCCESSFUL",
            "payment_type": "POS",
            "amount": f"{(rappen + tip) / 100:.2f}",
            "tip_amount": f"{tip / 100:.2f}",
            "timestamp": "2026-04-29T10:00:00Z",
            "events": events,
        }
        mapped = map_event(document, Terms(currency="CHF"))
        dice.shuffle(events)

        assert map_event({**document, "events": events}, Terms(currency="CHF")) == mapped
        given_back = sum((sale.total + sale.tip for sale in mapped[1:]), Decimal(0))
        assert given_back == -Decimal(sum(part for part, _ in parts)) / 100
        for sale in mapped:
            assert sum(line.line_total for line in sale.lines) + sale.rounding == sale.total


class TestTrouble:
    @pytest.mark.parametrize(
        ("path", "status", "trouble"),
        [
            *((path, 500, "unreachable") for path in PATHS),
            *((path, 429, "throttled") for path in PATHS),
            *((path, 403, "right_missing") for path in PATHS),
            *((path, HANGS, "unreachable") for path in PATHS),
            ("transactions/history", 400, "not_understood"),
        ],
    )
    def test_has_a_word_and_goes_away(
        self, sumup: FakeSumUp, boats: Connection, path: str, status: int, trouble: str
    ) -> None:
        sumup.put(paid(1), changed=instant(NOON))
        sumup.fail(f"/v2.1/merchants/MSEEBLICK/{path}", status)

        assert turn().trouble == trouble
        assert ConnectionCall.objects.get().outcome == trouble
        assert turn(NOON + timedelta(minutes=2)).trouble == ""
        assert Transaction.objects.count() == 1

    def test_of_a_key_that_has_expired_turns_the_pill_red(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.key = "another"

        after = turn()

        pill = pill_of(after, parked=0, at=NOON)
        assert (after.trouble, pill.colour) == ("secret_refused", "red")
        assert len(pill.sentences[0]) > 20

    def test_waits_as_long_as_sumup_asks(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.fail("/", 429, Retry_After="1800")
        turn()
        for minutes in range(1, 30):
            turn(NOON + timedelta(minutes=minutes))
        assert len(sumup.asked) == 1

        turn(NOON + timedelta(minutes=30))
        assert len(sumup.asked) == 2

    def test_in_the_middle_loses_nothing(self, sumup: FakeSumUp, boats: Connection) -> None:
        for number in range(6):
            sumup.put(paid(number), changed=instant(NOON))
        original = sumup.answer
        sumup.answer = lambda asked: (503, {}) if asked.query.get("id") == "tx-4" else original(asked)  # type: ignore[method-assign]
        turn()
        assert Transaction.objects.count() == 4
        sumup.answer = original  # type: ignore[method-assign]

        turn(NOON + timedelta(minutes=1))

        assert Transaction.objects.count() == 6

    @pytest.mark.parametrize("answer", [b"", b"{", b"[]", b"null", b'{"items": 1}', b'{"items": [1, null]}'])
    def test_of_an_answer_nobody_understands_is_none_of_ours(
        self, sumup: FakeSumUp, boats: Connection, answer: bytes
    ) -> None:
        sumup.answer = lambda asked: (200, answer)  # type: ignore[method-assign]

        assert turn().trouble in {"not_understood", ""}

    def test_tells_nobody_the_key(self, sumup: FakeSumUp, boats: Connection, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        sumup.put(paid(1), changed=instant(NOON))
        turn()
        sumup.key = "another"
        turn(NOON + timedelta(minutes=5))

        assert KEY not in everything_stored()
        assert KEY not in caplog.text

    def test_of_one_campground_is_not_its_neighbours(
        self, sumup: FakeSumUp, boats: Connection, waldrand: Tenant
    ) -> None:
        neighbour = connection_of(waldrand, "sumup", name="Kiosk", at=OPENED, scope="MWALDRAND")
        entrust(neighbour, api_key="wrong")
        neighbour.save()
        sumup.put(paid(1), changed=instant(NOON))

        list(run_due(at=NOON))

        assert Transaction.objects.get().tenant == boats.tenant
        neighbour.refresh_from_db()
        assert neighbour.trouble == "secret_refused"


class TestAHint:
    @pytest.mark.parametrize(
        "body",
        [
            b'{"event_type": "CHECKOUT_STATUS_CHANGED", "id": "4e425463"}',
            b'{"id": "x", "event_type": "solo.transaction.updated", "payload": {"status": "successful"}}',
            b"",
            b"\xff{",
        ],
    )
    def test_makes_the_next_turn_come_soon_and_books_nothing_itself(
        self, sumup: FakeSumUp, boats: Connection, body: bytes
    ) -> None:
        turn()
        sumup.put(paid(1), changed=instant(NOON + timedelta(minutes=1)))

        assert VendorTill(boats).call("POST", "", body).status_code == 200
        assert not Transaction.objects.exists()
        hinted = datetime.fromisoformat(Connection.objects.get().state["hinted_at"])
        turn(hinted)

        assert len([path for path in sumup.paths() if path.endswith("/history")]) == 2

    def test_is_heeded_once_a_minute(self, sumup: FakeSumUp, boats: Connection) -> None:
        till = VendorTill(boats)
        for _ in range(20):
            assert till.call("POST", "", b"{}").status_code == 200

        outcomes = list(ConnectionCall.objects.values_list("outcome", flat=True))
        assert outcomes.count("hinted") <= 2  # the minute may turn in between
        assert sumup.asked == []

    def test_in_the_middle_of_a_turn_brings_the_next_one_soon(self, boats: Connection) -> None:
        def pull() -> str:
            assert take_hint(Connection.objects.get(), at=NOON + timedelta(seconds=2))
            return ""

        pull_in_turn(boats, at=NOON, every=timedelta(minutes=5), deed="poll", pull=pull)

        assert instant_of(Connection.objects.get().state["next_at"]) == NOON + timedelta(minutes=1)

    def test_does_not_shorten_what_sumup_has_asked_for(self, sumup: FakeSumUp, boats: Connection) -> None:
        sumup.fail("/", 429, Retry_After="3600")
        turn()
        VendorTill(boats).call("POST", "", b"{}")

        turn(NOON + timedelta(minutes=10))

        assert len(sumup.asked) == 1

    def test_at_a_connection_that_is_off_is_refused(self, sumup: FakeSumUp, boats: Connection) -> None:
        Connection.objects.update(enabled=False)

        assert VendorTill(boats).call("POST", "", b"{}").status_code == 403
