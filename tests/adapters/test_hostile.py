"""Strangers, floods, and payloads that lie: refused or parked, bounded, and in nobody's way."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import booking
from adapters.connections import entrust, secrets_of
from adapters.due import run_due
from adapters.keeping import keep_event
from adapters.lightspeed import mapping as lightspeed_mapping
from adapters.lightspeed import receiver
from adapters.models import Connection, ConnectionCall, Standing, VendorEvent
from adapters.neutral import Terms, Unmappable
from adapters.payloads import document_in, document_or_text, read_body, text_of
from adapters.pulling import pull_in_turn
from adapters.zettle import mapping as zettle_mapping
from adapters.zettle.receiver import SLASHED
from apikeys.verification import TooManyUnproven
from kasse.models import Transaction
from kasse.recording import record_transaction
from pos_bridge.strict_json import Malformed
from tenants.models import Tenant
from tests.adapters.test_zettle import ZettlesPusher, sample
from tests.adapters.vendors_tills import LightspeedTill, VendorTill, connection_of, fondue
from tests.factories import NOON


@pytest.fixture
def kiosk(seeblick: Tenant, waldrand: Tenant) -> Connection:
    connection = connection_of(seeblick, "zettle", name="Kiosk")
    entrust(connection, signing_key=ZettlesPusher.key, api_key="eyJ-key-of-the-merchant", client_id="7")
    connection.save()
    return connection


@pytest.fixture
def zettle(kiosk: Connection) -> ZettlesPusher:
    return ZettlesPusher(kiosk)


class TestAFlood:
    """Of whoever has an address, and nothing else."""

    def test_of_test_messages_is_a_line_a_minute_and_makes_nobody_look_alive(
        self, zettle: ZettlesPusher, kiosk: Connection
    ) -> None:
        for _ in range(5):
            assert zettle.call("POST", "", b'{"eventName": "TestMessage"}').status_code == 200

        assert [call.calls for call in ConnectionCall.objects.all()] in ([5], [4, 1], [1, 4], [3, 2], [2, 3])
        kiosk.refresh_from_db()
        assert kiosk.heard_at is None

    def test_of_hints_is_a_line_a_minute(self, seeblick: Tenant) -> None:
        boats = connection_of(seeblick, "sumup", name="Bootsverleih", scope="MSEEBLICK")

        for _ in range(6):
            assert VendorTill(boats).call("POST", "", b"{}").status_code == 200

        # The one that is heeded, and the others; a minute may end between them.
        assert ConnectionCall.objects.count() <= 3

    def test_of_calls_that_find_us_busy_is_a_line_a_minute(
        self, lightspeed: LightspeedTill, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(*_args: Any, **_named: Any) -> None:
            raise TooManyUnproven

        monkeypatch.setattr(receiver, "verify_token", busy)
        for _ in range(5):
            assert lightspeed.charge(fondue()).status_code == 503

        assert ConnectionCall.objects.count() <= 2


class TestAnEventThatPoisons:
    def test_keeps_no_other_from_being_taken(
        self, lightspeed: LightspeedTill, restaurant: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = record_transaction

        def fails_for_the_first(**named: Any) -> Any:
            if named["sale"].external_ref.endswith("A1"):
                raise ArithmeticError
            return record(**named)

        monkeypatch.setattr(booking, "record_transaction", fails_for_the_first)
        for number in (1, 2):
            text = text_of(fondue(fiscId=f"A{number}", uuid=...))
            at = NOON + timedelta(seconds=number)
            keep_event(restaurant, kind="charge", delivery=f"LS1_{number}", text=text, at=at)

        (done,) = run_due(at=NOON + timedelta(days=1))

        assert (done.taken, bool(done.trouble)) == (1, True)
        assert Transaction.objects.get().external_ref == "lightspeed:seeblick-restaurant:A2"
        assert VendorEvent.objects.filter(standing=Standing.RECEIVED).count() == 1

    @pytest.mark.parametrize(
        "account",
        [
            fondue(transactions=[{"description": "x", "unitAmount": "99999999", "quantity": "99999999"}], payments=...),
            fondue(payments=[{"methodCode": "CARD", "amount": 99_999_999}] * 400),
            fondue(payments=[{"methodCode": "CARD", "amount": 54, "gratuity": 99_999_999}] * 40),
            fondue(transactions=[{"description": "x", "amount": 99_999_999.99, "taxIncluded": False, "taxRate": 100}]),
            fondue(transactions=[{"description": "x", "amount": 99_999_999, "quantity": "0.001"}]),
        ],
        ids=["product", "payments", "tips", "taxes", "unit-price"],
    )
    def test_by_its_size_is_parked(self, lightspeed: LightspeedTill, account: dict[str, Any]) -> None:
        assert lightspeed.charge(account).status_code == 200

        event = VendorEvent.objects.get()
        assert event.standing == Standing.PARKED or (
            event.standing == Standing.RECORDED and abs(Transaction.objects.get().total_amount) < 10**8
        )


class TestASignedMessage:
    @pytest.mark.parametrize("name", [[], {}, 5, None, True])
    def test_of_any_name_is_no_fault_of_ours(self, zettle: ZettlesPusher, name: Any) -> None:
        assert zettle.send(sample("kiosk-cash"), eventName=name).status_code == 200

        assert not Transaction.objects.exists()

    def test_in_seconds_is_no_sale_of_1970(self, zettle: ZettlesPusher) -> None:
        message = sample("kiosk-cash")
        message["payload"]["timestamp"] = 1777470000

        assert zettle.send(message).status_code == 200

        assert VendorEvent.objects.get().reason == "not_an_instant"
        assert not Transaction.objects.exists()

    @given(st.data())
    def test_brings_no_second_sale_by_the_unslashed_reading(self, data: st.DataObject) -> None:
        message = document_in(text_of(sample("kiosk-cash")))
        text = json.dumps(sample("kiosk-cash")["payload"])
        places = data.draw(st.sets(st.integers(0, len(text) - 1), max_size=12))
        forged = "".join("\\" + sign if place in places else sign for place, sign in enumerate(text))
        assert SLASHED.sub(r"\1", forged) == text.replace("\\", "")

        (first,) = zettle_mapping.map_event(message, Terms(currency="CHF"))
        try:
            kept = document_in(text_of({**message, "payload": document_or_text(forged)}))
            sales = zettle_mapping.map_event(kept, Terms(currency="CHF"))
        except (Malformed, Unmappable):
            return
        assert {sale.names for sale in sales} <= {first.names}


class TestWhatIsKept:
    def test_of_a_body_with_a_field_twice_has_both_and_waits(self, lightspeed: LightspeedTill) -> None:
        body = json.dumps({**fondue(), "apiKey": lightspeed.token})[:-1] + ', "receiptId": "R2", "apiKey": "x"}'
        twice = body.replace('"apiKey": "x"', f'"apiKey": "{lightspeed.token}"')

        assert lightspeed.call("POST", "/charge", twice.encode()).status_code == 200

        event = VendorEvent.objects.get()
        assert (event.standing, event.reason) == (Standing.PARKED, "duplicate_key")
        assert "R60411.17" in event.payload
        assert "R2" in event.payload
        assert lightspeed.token not in event.payload

    def test_is_read_as_it_was_sent(self) -> None:
        assert text_of(read_body(b'{"a": 1.50, "b": {"c": [1e400, NaN]}}')) == '{"a": 1.50, "b": {"c": [1e400, NaN]}}'


class TestAmounts:
    @pytest.mark.parametrize(
        ("row", "gross"),
        [
            ({"taxIncluded": False, "taxLines": {"taxRate": 1.081, "taxIncluded": None}}, "10.81"),
            ({"taxIncluded": None, "taxLines": {"taxRate": 1.081}}, "10.00"),
            ({"taxIncluded": False, "taxLines": [{"taxRate": 1.1}, {"taxRate": 1.05}]}, "11.50"),
            ({"taxIncluded": True, "taxLines": [{"taxAmount": 1, "taxIncluded": False}, {"taxAmount": 2}]}, "11.00"),
        ],
    )
    def test_without_their_taxes_get_each_once(self, row: dict[str, Any], gross: str) -> None:
        account = fondue(transactions=[{"description": "Fondue", "amount": 10, **row}], payments=...)

        (sale,) = lightspeed_mapping.map_event(document_in(text_of(account)), Terms(currency="CHF"))

        assert (sale.lines[0].line_total, sale.total) == (Decimal(gross), Decimal(gross))

    @pytest.mark.parametrize("sign", [1, -1])
    def test_with_a_tip_that_goes_back_give_the_same_goods_whatever_its_sign(self, sign: int) -> None:
        message = sample("refund")
        (payment,) = message["payload"]["payments"]
        (plain,) = zettle_mapping.map_event(document_in(text_of(message)), Terms(currency="CHF"))
        payment["amount"] -= 200
        payment["gratuityAmount"] = 200 * sign

        (sale,) = zettle_mapping.map_event(document_in(text_of(message)), Terms(currency="CHF"))

        assert (sale.total, sale.tip, sale.lines) == (plain.total, Decimal(-2), plain.lines)


class TestSecrets:
    def test_entered_while_the_scheduler_is_at_work_are_not_undone(self, kiosk: Connection) -> None:
        """The scheduler's copy of the row is older than what staff have entered."""
        theirs = Connection.objects.get(pk=kiosk.pk)
        entrust(theirs, api_key="eyJ-the-new-one")
        theirs.save()

        def pull() -> str:
            entrust(kiosk, signing_key="fresh")
            kiosk.save(update_fields=["sealed_secrets"])
            return ""

        pull_in_turn(kiosk, at=NOON, every=timedelta(days=1), deed="watch", pull=pull)

        told = secrets_of(Connection.objects.get(pk=kiosk.pk))
        assert (told["api_key"], told["signing_key"]) == ("eyJ-the-new-one", "fresh")

    def test_of_a_connection_switched_off_meanwhile_are_not_used(self, kiosk: Connection) -> None:
        Connection.objects.filter(pk=kiosk.pk).update(enabled=False)
        asked: list[str] = []

        def pull() -> str:
            asked.append("x")
            return ""

        pull_in_turn(kiosk, at=NOON, every=timedelta(days=1), deed="watch", pull=pull)

        assert not asked
