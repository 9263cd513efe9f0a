"""Lightspeed Restaurant on the wire: who is let in, what is answered, and what the ledger holds afterwards."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db.models import Sum

from adapters.connections import renew_address
from adapters.models import Connection, ConnectionCall, Standing, VendorEvent
from apikeys.minting import Minted
from apikeys.models import Scope
from apikeys.tokens import make_token
from apikeys.verification import TooManyUnproven
from kasse.models import Payment, PaymentMethod, Source, Transaction
from pos_bridge.models import BridgeSettings
from pos_bridge.wire import MOST_BYTES
from tenants.models import Tenant
from tests.adapters.vendors_tills import LightspeedTill, connection_of, fondue
from tests.factories import NOON, mint
from tests.kasse.stored import as_stored

REFERENCE = "lightspeed:seeblick-restaurant:A60411.17"


def body_of(answer: Any) -> dict[str, Any]:
    return json.loads(answer.content)  # type: ignore[no-any-return]


class TestACharge:
    def test_is_a_sale_from_outside_with_the_vendors_name(self, lightspeed: LightspeedTill) -> None:
        answer = lightspeed.charge(fondue())

        assert answer.status_code == 200
        sale = Transaction.objects.get()
        assert sale.external_ref == REFERENCE
        assert sale.source == Source.EXTERNAL_POS
        assert sale.api_key is not None
        assert sale.api_key.name == "Lightspeed Restaurant · Restaurant"
        assert sale.metadata["vendor"] == "lightspeed"
        assert sale.metadata["till"] == "Lightspeed Restaurant · Restaurant"

    def test_is_booked_line_by_line(self, lightspeed: LightspeedTill) -> None:
        lightspeed.charge(fondue())

        sale = as_stored(Transaction.objects.get()).sale
        assert (sale.total_amount, sale.tip_amount) == (Decimal("54.00"), Decimal("3.00"))
        (line,) = sale.items
        assert (line.description, line.quantity, line.line_total) == ("Fondue", Decimal(2), Decimal("54.00"))
        assert line.vat_rate == Decimal("8.1")
        assert [payment.method for payment in sale.payments] == [PaymentMethod.CARD]

    def test_is_kept_before_anything_is_made_of_it(self, lightspeed: LightspeedTill) -> None:
        lightspeed.charge(fondue(), delivery="LS1_4f1d")

        event = VendorEvent.objects.get()
        assert (event.kind, event.delivery, event.standing) == ("charge", "LS1_4f1d", Standing.RECORDED)
        assert event.references == [REFERENCE]
        assert json.loads(event.payload)["apiKey"] == "(cut out)"
        assert '"taxRate": 1.081' in event.payload

    def test_needs_no_final_slash_and_minds_none(self, lightspeed: LightspeedTill) -> None:
        body = json.dumps({**fondue(), "apiKey": lightspeed.token}).encode()

        assert lightspeed.call("POST", "/charge/", body).status_code == 200

    def test_of_a_connection_that_has_its_own_words_for_payments(
        self, lightspeed: LightspeedTill, restaurant: Connection
    ) -> None:
        restaurant.methods = {"kaffeekasse": "VOUCHER"}
        restaurant.save()

        lightspeed.charge(fondue(payments=[{"methodCode": "K7", "methodName": "Kaffeekasse", "amount": 54}]))

        sale = Transaction.objects.get()
        assert (sale.payment_method, sale.remarks) == (PaymentMethod.VOUCHER, "")

    def test_with_a_vat_rate_of_nobody_is_booked_and_marked(self, lightspeed: LightspeedTill) -> None:
        lightspeed.charge(fondue(transactions=[{"description": "Fondue", "amount": 54, "taxRate": 1.19}]))

        assert Transaction.objects.get().remarks == "unknown_vat_rate"

    def test_without_a_vat_rate_gets_the_usual_one(self, lightspeed: LightspeedTill, restaurant: Connection) -> None:
        restaurant.default_vat_rate = Decimal("2.6")
        restaurant.save()

        lightspeed.charge(fondue(transactions=[{"description": "Fondue", "amount": 54}]))

        assert as_stored(Transaction.objects.get()).sale.items[0].vat_rate == Decimal("2.6")

    def test_that_does_not_reconcile_is_booked_and_marked(self, lightspeed: LightspeedTill) -> None:
        lightspeed.charge(fondue(payments=[{"methodCode": "CARD", "amount": 66}]))

        sale = Transaction.objects.get()
        assert (sale.total_amount, sale.remarks) == (Decimal(66), "does_not_reconcile")

    def test_that_takes_a_tip_back_takes_it_out_of_the_tips(self, lightspeed: LightspeedTill) -> None:
        """A tip that was typed in wrong: the bill, its void, and the bill again."""
        lines = [{"description": "Fondue", "quantity": -2, "amount": -54, "taxRate": 1.081}]
        lightspeed.charge(fondue(fiscId="A1.1", uuid=None))
        taken_back = [{"methodCode": "CARD", "amount": -54, "gratuity": -3}]
        lightspeed.charge(fondue(fiscId="A1.2", uuid=None, transactions=lines, payments=taken_back))
        again = [{"methodCode": "CARD", "amount": 54, "gratuity": 5}]
        lightspeed.charge(fondue(fiscId="A1.3", uuid=None, payments=again))

        sums = Transaction.objects.aggregate(total=Sum("total_amount"), tip=Sum("tip_amount"))
        paid = Payment.objects.aggregate(total=Sum("amount"), tip=Sum("tip_amount"))
        assert sums == paid == {"total": Decimal(54), "tip": Decimal(5)}
        assert not Transaction.objects.exclude(remarks="").exists()

    def test_with_a_negative_tip_on_a_sale_is_booked_without_it_and_marked(self, lightspeed: LightspeedTill) -> None:
        lightspeed.charge(fondue(payments=[{"methodCode": "CARD", "amount": 54, "gratuity": -3}]))

        sale = Transaction.objects.get()
        assert (sale.tip_amount, sale.remarks) == (Decimal(0), "negative_tip")


class TestOneAccount:
    def test_delivered_twice_is_one_sale(self, lightspeed: LightspeedTill) -> None:
        lightspeed.charge(fondue(), delivery="LS1_1")
        again = lightspeed.charge(fondue(), delivery="LS1_1")

        assert again.status_code == 200
        assert Transaction.objects.count() == 1
        assert VendorEvent.objects.get().times_received == 2

    def test_in_two_deliveries_is_one_sale(self, lightspeed: LightspeedTill) -> None:
        for delivery in ("LS1_1", "LS1_2", ""):
            assert lightspeed.charge(fondue(), delivery=delivery).status_code == 200

        assert Transaction.objects.count() == 1
        assert VendorEvent.objects.filter(standing=Standing.RECORDED).count() == 3

    @pytest.mark.parametrize("order", [1, -1])
    def test_that_gains_a_fiscal_number_is_one_sale(self, lightspeed: LightspeedTill, order: int) -> None:
        for account in [fondue(fiscId=None), fondue()][::order]:
            lightspeed.charge(account)

        assert Transaction.objects.count() == 1

    def test_keeps_apart_from_one_of_another_number_with_the_same_id(self, lightspeed: LightspeedTill) -> None:
        lightspeed.charge(fondue(fiscId=None))
        lightspeed.charge(fondue(fiscId="A60411.17"))
        lightspeed.charge(fondue(fiscId="A60411.18"))

        assert Transaction.objects.count() == 2

    def test_of_the_neighbour_is_the_neighbours(
        self, lightspeed: LightspeedTill, seeblick: Tenant, waldrand: Tenant
    ) -> None:
        neighbour = connection_of(waldrand, "lightspeed", scope="seeblick-restaurant")
        lightspeed.charge(fondue())
        LightspeedTill(neighbour, mint(waldrand).token).charge(fondue())

        assert {sale.tenant for sale in Transaction.objects.all()} == {seeblick, waldrand}

    def test_with_other_money_under_its_number_is_parked(self, lightspeed: LightspeedTill) -> None:
        lightspeed.charge(fondue())
        answer = lightspeed.charge(fondue(payments=[{"methodCode": "CARD", "amount": 54, "gratuity": 4}]))

        assert answer.status_code == 200
        assert Transaction.objects.get().tip_amount == Decimal(3)
        parked = VendorEvent.objects.get(standing=Standing.PARKED)
        assert (parked.reason, parked.references) == ("conflict", [REFERENCE])
        assert "tip_amount" in parked.detail


class TestWhatIsRefused:
    """In the shape whose text the till prints, of at most 50 characters."""

    @pytest.mark.parametrize("language", ["de", "fr", "it", "en"])
    def test_speaks_the_tills_language(self, lightspeed: LightspeedTill, restaurant: Connection, language: str) -> None:
        restaurant.language = language
        restaurant.save()
        lightspeed.token = make_token()

        answer = body_of(lightspeed.charge(fondue()))

        texts = {
            "de": "Kasse nicht angemeldet: Schlüssel prüfen",
            "fr": "Caisse non reconnue: vérifier la clé",
            "it": "Cassa non riconosciuta: verificare la chiave",
            "en": "Till not recognised: check its key",
        }
        assert answer == {"customerErrorMessage": texts[language]}

    def test_is_a_call_with_a_wrong_key(self, lightspeed: LightspeedTill) -> None:
        lightspeed.token = make_token()

        self.refused(lightspeed.charge(fondue()), 401, "invalid_key")

    @pytest.mark.parametrize("token", [None, 17, "", "ck_x", ["ck"], {"a": 1}])
    def test_is_a_call_without_a_key(self, lightspeed: LightspeedTill, token: Any) -> None:
        lightspeed.token = token

        self.refused(lightspeed.charge(fondue()), 401, "invalid_key")

    def test_is_a_call_with_a_revoked_key(self, lightspeed: LightspeedTill, key: Minted) -> None:
        key.key.revoke(at=NOON)

        self.refused(lightspeed.charge(fondue()), 401, "key_inactive")

    def test_is_a_call_with_the_neighbours_key(self, lightspeed: LightspeedTill, waldrand: Tenant) -> None:
        lightspeed.token = mint(waldrand).token

        self.refused(lightspeed.charge(fondue()), 401, "invalid_key")

    def test_is_a_call_with_a_key_that_only_reads(self, lightspeed: LightspeedTill, seeblick: Tenant) -> None:
        lightspeed.token = mint(seeblick, scopes=[Scope.POS_READ]).token

        self.refused(lightspeed.charge(fondue()), 403, "insufficient_scope")

    def test_is_a_call_from_where_the_key_may_not_be_used(self, lightspeed: LightspeedTill, seeblick: Tenant) -> None:
        lightspeed.token = mint(seeblick, networks=["192.0.2.0/24"]).token

        self.refused(lightspeed.charge(fondue()), 403, "address_not_allowed")

    def test_is_a_call_in_clear(self, lightspeed: LightspeedTill, settings: Any) -> None:
        settings.PROXY_COUNT = 1
        lightspeed.client.defaults["HTTP_X_FORWARDED_PROTO"] = "http"

        self.refused(lightspeed.charge(fondue()), 403, "https_required")

    def test_is_a_call_at_a_connection_that_is_switched_off(
        self, lightspeed: LightspeedTill, restaurant: Connection
    ) -> None:
        restaurant.enabled = False
        restaurant.save()

        self.refused(lightspeed.charge(fondue()), 403, "pos_bridge_disabled")

    def test_is_a_call_while_the_whole_bridge_is_off(self, lightspeed: LightspeedTill, seeblick: Tenant) -> None:
        BridgeSettings.objects.create(tenant=seeblick, enabled=False)

        self.refused(lightspeed.charge(fondue()), 403, "pos_bridge_disabled")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"text"', b"[" * 100_000])
    def test_is_a_body_that_is_no_object(self, lightspeed: LightspeedTill, body: bytes) -> None:
        self.refused(lightspeed.call("POST", "/charge", body), 400, "parse_error")

    def test_is_a_body_without_end(self, lightspeed: LightspeedTill) -> None:
        self.refused(lightspeed.call("POST", "/charge", b" " * (MOST_BYTES + 1)), 413, "payload_too_large")

    def test_is_another_method(self, lightspeed: LightspeedTill) -> None:
        answer = lightspeed.call("GET", "/charge")

        self.refused(answer, 405, "method_not_allowed")
        assert answer["Allow"] == "POST"

    def test_is_told_of_a_fault_of_ours_in_the_same_shape(
        self, lightspeed: LightspeedTill, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def stumble(*args: Any) -> None:
            raise RuntimeError

        monkeypatch.setattr("adapters.lightspeed.receiver.read_body", stumble)

        self.refused(lightspeed.charge(fondue()), 500, "server_error")
        assert "RuntimeError" in caplog.text

    def test_is_told_that_too_many_unproven_keys_are_waiting(
        self, lightspeed: LightspeedTill, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def full(*args: Any, **options: Any) -> None:
            raise TooManyUnproven

        monkeypatch.setattr("adapters.lightspeed.receiver.verify_token", full)

        self.refused(lightspeed.charge(fondue()), 503, "busy")

    def refused(self, answer: Any, status: int, code: str) -> None:
        assert answer.status_code == status
        assert set(body_of(answer)) == {"customerErrorMessage"}
        assert 0 < len(body_of(answer)["customerErrorMessage"]) <= 50
        call = ConnectionCall.objects.get()
        assert (call.status, call.outcome) == (status, code)
        assert not VendorEvent.objects.exists()
        assert not Transaction.objects.exists()


class TestNobodysAddress:
    @pytest.mark.parametrize(
        "path", ["/", "/lightspeed", "/lightspeed/x/charge", "/lightspeed/{}/pay", "/zzz/{}/charge", "/%00/{}"]
    )
    def test_is_answered_404_and_leaves_no_trace(self, lightspeed: LightspeedTill, path: str) -> None:
        lightspeed.path = "/api/v1/adapters" + path.format("A" * 32)

        answer = lightspeed.call("POST", "", b"{}")

        assert answer.status_code == 404
        assert set(body_of(answer)) <= {"customerErrorMessage", "detail"}
        assert not ConnectionCall.objects.exists()

    def test_is_what_was_the_address_before(self, lightspeed: LightspeedTill, restaurant: Connection) -> None:
        renew_address(restaurant)

        assert lightspeed.charge(fondue()).status_code == 404
        assert LightspeedTill(restaurant, lightspeed.token).charge(fondue()).status_code == 200

    def test_is_an_address_on_the_neighbours_host(self, restaurant: Connection, key: Minted) -> None:
        till = LightspeedTill(restaurant, key.token, host=f"waldrand.{settings.TENANT_DOMAIN}")

        assert till.charge(fondue()).status_code == 404

    def test_is_one_of_a_campground_that_is_closed(self, lightspeed: LightspeedTill, seeblick: Tenant) -> None:
        Tenant.objects.filter(pk=seeblick.pk).update(is_active=False)

        assert lightspeed.charge(fondue()).status_code == 404

    def test_on_a_host_that_is_not_ours_is_a_bad_request(self, restaurant: Connection, key: Minted) -> None:
        answer = LightspeedTill(restaurant, key.token, host="evil.example.org").charge(fondue())

        assert answer.status_code == 400
        assert set(body_of(answer)) == {"customerErrorMessage"}


class TestASearch:
    def test_finds_no_guests(self, lightspeed: LightspeedTill) -> None:
        answer = lightspeed.search("Dupont")

        assert answer.status_code == 200
        assert body_of(answer) == {"success": True, "errorMessage": None, "reservations": []}

    def test_with_a_wrong_key_finds_nothing_out(self, lightspeed: LightspeedTill) -> None:
        lightspeed.token = make_token()

        answer = lightspeed.search("Dupont")

        assert answer.status_code == 401
        assert set(body_of(answer)) == {"customerErrorMessage"}


class TestTheLogOfAConnection:
    def test_says_who_called_and_what_became_of_it(self, lightspeed: LightspeedTill, key: Minted) -> None:
        lightspeed.charge(fondue())

        call = ConnectionCall.objects.get()
        assert (call.deed, call.status, call.outcome, call.detail) == ("charge", 200, "recorded", REFERENCE)
        assert call.key_prefix == key.key.prefix
        assert call.remote_address == "127.0.0.1"

    def test_counts_refusals_of_one_kind(self, lightspeed: LightspeedTill) -> None:
        lightspeed.token = make_token()
        for _ in range(3):
            lightspeed.charge(fondue())

        assert sum(call.calls for call in ConnectionCall.objects.all()) == 3
        assert ConnectionCall.objects.count() <= 2  # the minute may turn in between

    def test_that_fails_spoils_no_answer(
        self, lightspeed: LightspeedTill, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError

        monkeypatch.setattr("adapters.doorway.write_call", fail)

        assert lightspeed.charge(fondue()).status_code == 200
        assert Transaction.objects.count() == 1
        assert "log of connection" in caplog.text
