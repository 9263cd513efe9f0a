"""Zettle's messages: signed or refused, once or again, and the same sale as the one that is fetched."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

import pytest

from adapters.connections import entrust
from adapters.models import Connection, ConnectionCall, Standing, VendorEvent
from adapters.zettle.receiver import signatures
from kasse.models import Transaction
from tenants.models import Tenant
from tests.adapters.samples import ADAPTERS
from tests.adapters.vendors_tills import VendorTill, connection_of

KEY = "zLzClQLQN8yfH8aEjONeXzgJRAHR0zpD"
ORGANIZATION = "5e3b0f64-1f3a-4c0a-9f0e-0d2a8b7c6d51"


def sample(name: str) -> dict[str, Any]:
    return json.loads((ADAPTERS / "zettle" / "samples" / f"{name}.json").read_text())  # type: ignore[no-any-return]


class ZettlesPusher(VendorTill):
    """Sends messages as Zettle does: the payload a text, signed with the time."""

    key = KEY

    def send(self, message: dict[str, Any], *, signature: str | None = None, **changes: Any) -> Any:
        payload = message["payload"]
        text = payload if isinstance(payload, str) else json.dumps(payload)
        signed_text = f"{message['timestamp']}.{text}".encode("utf-8", "surrogatepass")
        signed = hmac.new(self.key.encode(), signed_text, hashlib.sha256).hexdigest()
        body = json.dumps({**message, "payload": text, **changes}).encode()
        return self.call("POST", "", body, x_izettle_signature=signed if signature is None else signature)


@pytest.fixture
def kiosk(seeblick: Tenant, waldrand: Tenant) -> Connection:
    connection = connection_of(seeblick, "zettle", name="Kiosk", scope=ORGANIZATION)
    entrust(connection, signing_key=KEY, api_key="eyJ-key-of-the-merchant", client_id="7")
    connection.save()
    return connection


@pytest.fixture
def zettle(kiosk: Connection) -> ZettlesPusher:
    return ZettlesPusher(kiosk)


class TestAMessage:
    def test_about_a_purchase_is_a_sale_with_the_vendors_name(self, zettle: ZettlesPusher) -> None:
        assert zettle.send(sample("kiosk-cash")).status_code == 200

        sale = Transaction.objects.get()
        assert sale.external_ref == "zettle:2c4c7c26-85a3-1ea0-81df-ec7e1caf1899"
        assert (sale.total_amount, sale.payment_method) == (Decimal("12.50"), "CASH")
        assert sale.api_key is not None
        assert sale.api_key.name == "Zettle · Kiosk"
        assert (sale.metadata["vendor"], sale.metadata["till"]) == ("zettle", "Zettle · Kiosk")

    def test_twice_is_one_sale(self, zettle: ZettlesPusher) -> None:
        for _ in range(2):
            zettle.send(sample("kiosk-cash"))

        assert Transaction.objects.count() == 1
        assert VendorEvent.objects.get().times_received == 2

    def test_and_its_refund_stand_side_by_side_in_any_order(self, zettle: ZettlesPusher) -> None:
        for name in ("refund", "kiosk-cash"):
            zettle.send(sample(name))

        refund = Transaction.objects.get(total_amount__lt=0)
        assert refund.refund_of == Transaction.objects.get(total_amount__gt=0).external_ref

    def test_about_something_else_does_nothing(self, zettle: ZettlesPusher) -> None:
        assert zettle.send(sample("another-event")).status_code == 200

        assert not VendorEvent.objects.exists()

    @pytest.mark.parametrize("name", ["ApplicationConnectionRemoved", "PersonalAssertionDeleted"])
    def test_that_access_has_ended_is_noted(self, zettle: ZettlesPusher, kiosk: Connection, name: str) -> None:
        assert zettle.send({**sample("another-event"), "eventName": name}).status_code == 200

        kiosk.refresh_from_db()
        assert kiosk.trouble == "access_ended"

    @pytest.mark.parametrize("payload", ["[" * 900 + "]" * 900, "[" * 90_000, "1e999", '{"a": NaN}', "\ud800", ""])
    def test_with_any_payload_is_kept_and_parked(self, zettle: ZettlesPusher, payload: str) -> None:
        message = {**sample("kiosk-cash"), "payload": payload}
        (signature, _unslashed) = signatures([KEY], message["timestamp"], payload)

        assert zettle.send(message, signature=signature).status_code == 200
        assert VendorEvent.objects.get().standing == Standing.PARKED

    @pytest.mark.parametrize("name", ["payload-is-no-json", "price-is-no-number", "without-identity", "in-euro"])
    def test_that_cannot_be_booked_is_answered_200_kept_and_parked(self, zettle: ZettlesPusher, name: str) -> None:
        assert zettle.send(sample(name)).status_code == 200

        assert VendorEvent.objects.get().standing == Standing.PARKED
        assert not Transaction.objects.exists()


class TestASignature:
    @pytest.mark.parametrize("name", ['T-Shirt 5" print', "Älplermagronen", "C:\\Kasse", "🎪"])
    def test_is_over_the_text_of_the_payload(self, zettle: ZettlesPusher, name: str) -> None:
        message = sample("kiosk-cash")
        message["payload"]["products"][0]["name"] = name

        assert zettle.send(message).status_code == 200
        assert Transaction.objects.count() == 1

    def test_may_be_over_the_unslashed_text(self, zettle: ZettlesPusher) -> None:
        """The vendor's PHP sample takes backslashes out first; it differs only where there are some."""
        message = sample("kiosk-cash")
        message["payload"]["products"][0]["name"] = 'T-Shirt 5" print'
        payload = json.dumps(message["payload"])
        plain, unslashed = signatures([KEY], message["timestamp"], payload)
        assert plain != unslashed

        assert zettle.send({**message, "payload": payload}, signature=unslashed).status_code == 200

    def test_of_a_message_with_the_former_key_is_good(self, zettle: ZettlesPusher, kiosk: Connection) -> None:
        entrust(kiosk, signing_key="another-one", former_signing_key=KEY)
        kiosk.save()

        assert zettle.send(sample("kiosk-cash")).status_code == 200

    @pytest.mark.parametrize("signature", ["", "0" * 64, "ä", "7b3e271d", "x" * 10_000])
    def test_that_is_wrong_is_refused(self, zettle: ZettlesPusher, signature: str) -> None:
        self.refused(zettle.send(sample("kiosk-cash"), signature=signature.encode().decode("latin-1")))

    @pytest.mark.parametrize(
        "changes",
        [
            {"payload": json.dumps(sample("refund")["payload"])},
            {"payload": None},
            {"payload": {"purchaseUuid": "x"}},
            {"timestamp": "2026-04-29T08:14:33Z"},
            {"timestamp": None},
            {"organizationUuid": "another"},
            {"eventName": "PurchaseCreated", "organizationUuid": None},
        ],
    )
    def test_of_something_else_is_refused(self, zettle: ZettlesPusher, changes: dict[str, Any]) -> None:
        self.refused(zettle.send(sample("kiosk-cash"), **changes))

    def test_with_another_key_is_refused(self, zettle: ZettlesPusher) -> None:
        zettle.key = "another"

        self.refused(zettle.send(sample("kiosk-cash")))

    def test_with_no_key_where_none_is_known_is_refused(self, zettle: ZettlesPusher, kiosk: Connection) -> None:
        entrust(kiosk, signing_key="")
        kiosk.save()
        zettle.key = ""

        self.refused(zettle.send(sample("kiosk-cash")))

    def test_where_the_servers_secret_has_changed_is_refused(self, zettle: ZettlesPusher, kiosk: Connection) -> None:
        Connection.objects.update(sealed_secrets="broken")

        self.refused(zettle.send(sample("kiosk-cash")))

    def refused(self, answer: Any) -> None:
        assert answer.status_code == 401
        assert json.loads(answer.content)["detail"] == "invalid_key"
        assert ConnectionCall.objects.get().outcome == "invalid_key"
        assert not VendorEvent.objects.exists()
        assert not Transaction.objects.exists()


class TestATestMessage:
    @pytest.mark.parametrize("payload", [{"data": "payload"}, '{"data":"payload"}', sample("kiosk-cash")["payload"]])
    def test_is_answered_unsigned_and_does_nothing(self, zettle: ZettlesPusher, payload: Any) -> None:
        body = json.dumps({"eventName": "TestMessage", "organizationUuid": "x", "payload": payload}).encode()

        assert zettle.call("POST", "", body).status_code == 200
        assert not VendorEvent.objects.exists()
        assert not Transaction.objects.exists()


class TestAConnectionThatIsOff:
    def test_takes_no_message(self, zettle: ZettlesPusher, kiosk: Connection) -> None:
        Connection.objects.update(enabled=False)

        assert zettle.send(sample("kiosk-cash")).status_code == 403
        assert not VendorEvent.objects.exists()
