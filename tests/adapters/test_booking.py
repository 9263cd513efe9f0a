"""What becomes of kept events: recorded once, or parked with the reason, and mapped again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from adapters.booking import take_event
from adapters.due import take_waiting
from adapters.keeping import keep_event
from adapters.models import Connection, Standing, VendorEvent
from adapters.payloads import text_of
from adapters.vendors import VENDORS
from catalogue.models import VatRate
from kasse.models import Transaction
from pos_bridge import parking
from tenants.models import Tenant
from tests.adapters.vendors_tills import LightspeedTill, fondue
from tests.factories import NOON
from tests.pos_bridge.breaking import AWAY, statements_failing

LIGHTSPEED = VENDORS["lightspeed"]


def parked() -> VendorEvent:
    return VendorEvent.objects.select_related("connection__tenant").get(standing=Standing.PARKED)


class TestAnEventThatCannotBeMapped:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"fiscId": None, "uuid": None}, "no_identity"),
            ({"businessExternalReference": "waldrand-restaurant"}, "other_business"),
            ({"transactions": [{"amount": "viel"}]}, "not_a_number"),
            ({"transactions": [{"amount": True}]}, "not_a_number"),
            ({"transactions": [{"amount": 1e12}]}, "too_large"),
            ({"transactions": "Fondue"}, "not_a_list"),
            ({"transactions": [{"amount": 1, "taxRate": 300}]}, "not_a_rate"),
            ({"closeDate": "gestern"}, "not_an_instant"),
            ({"closeDate": "1999-12-31T23:59:59Z"}, "not_an_instant"),
            ({"closeDate": "2066-01-01T00:00:00Z"}, "in_future"),
            ({"name": "Tisch\x0012"}, "forbidden_character"),
            ({"transactions": [{"amount": float("nan")}]}, "not_finite"),
            ({"transactions": [{"amount": 1}] * 501}, "too_many_lines"),
        ],
    )
    def test_is_answered_200_kept_and_parked(
        self, lightspeed: LightspeedTill, changes: dict[str, Any], reason: str
    ) -> None:
        answer = lightspeed.charge(fondue(**changes))

        assert answer.status_code == 200
        event = parked()
        assert event.reason == reason
        assert lightspeed.token not in event.payload
        assert not Transaction.objects.exists()

    def test_counts_in_another_currency(self, lightspeed: LightspeedTill, restaurant: Connection) -> None:
        restaurant.currency = "EUR"
        restaurant.save()

        lightspeed.charge(fondue())

        assert parked().reason == "foreign_currency"

    def test_meets_a_mistake_of_ours(
        self, lightspeed: LightspeedTill, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def stumble(*args: Any) -> None:
            raise KeyError("apiKey")

        monkeypatch.setattr("adapters.booking.document_in", stumble)

        assert lightspeed.charge(fondue()).status_code == 200
        assert (parked().reason, parked().detail) == ("mapping_failed", "KeyError")
        assert "cannot be mapped" in caplog.text

    def test_is_parked_once_however_often_it_comes(self, lightspeed: LightspeedTill) -> None:
        for _ in range(3):
            lightspeed.charge(fondue(fiscId=None, uuid=None))

        assert parked().times_received == 3


class TestMappingAgain:
    def test_takes_what_a_changed_setting_allows(self, lightspeed: LightspeedTill, restaurant: Connection) -> None:
        lightspeed.charge(fondue(businessExternalReference="seeblick-terrasse"))
        restaurant.scope = "seeblick-terrasse"
        restaurant.save()

        event = take_event(parked(), LIGHTSPEED, at=NOON + timedelta(days=200))

        assert event.standing == Standing.RECORDED
        assert Transaction.objects.get().external_ref == "lightspeed:seeblick-terrasse:A60411.17"

    def test_as_often_as_one_likes_is_one_sale(self, lightspeed: LightspeedTill) -> None:
        lightspeed.charge(fondue())
        event = VendorEvent.objects.select_related("connection__tenant").get()

        for hours in range(3):
            take_event(event, LIGHTSPEED, at=NOON + timedelta(days=400, hours=hours))

        assert Transaction.objects.count() == 1
        assert event.standing == Standing.RECORDED

    def test_with_another_setting_never_changes_what_is_booked(
        self, lightspeed: LightspeedTill, restaurant: Connection
    ) -> None:
        lightspeed.charge(fondue())
        restaurant.methods = {"card": "TWINT"}
        restaurant.save()

        event = take_event(VendorEvent.objects.select_related("connection__tenant").get(), LIGHTSPEED, at=NOON)

        assert (event.standing, event.reason) == (Standing.PARKED, "in_future")
        assert Transaction.objects.get().payment_method == "CARD"

    def test_keeps_a_rate_that_is_known_by_now(self, lightspeed: LightspeedTill, seeblick: Tenant) -> None:
        VatRate.objects.of(seeblick).delete()

        lightspeed.charge(fondue())

        assert Transaction.objects.get().remarks == "unknown_vat_rate"


class TestWhatWasInterrupted:
    def test_waits_and_is_taken_by_the_scheduler(
        self, lightspeed: LightspeedTill, restaurant: Connection, caplog: pytest.LogCaptureFixture
    ) -> None:
        with statements_failing(AWAY[0], touching="INSERT INTO kasse_transaction "):
            answer = lightspeed.charge(fondue())

        assert answer.status_code == 200
        event = VendorEvent.objects.get()
        assert event.standing == Standing.RECEIVED
        assert take_waiting(restaurant, at=event.received_at + timedelta(seconds=30)) == (0, 0)
        assert take_waiting(restaurant, at=event.received_at + timedelta(seconds=61)) == (1, 0)
        assert Transaction.objects.count() == 1

    def test_before_it_was_kept_is_told_to_the_till(
        self, lightspeed: LightspeedTill, caplog: pytest.LogCaptureFixture
    ) -> None:
        with statements_failing(AWAY[0], touching="adapters_vendorevent"):
            answer = lightspeed.charge(fondue())

        assert answer.status_code == 503
        assert json.loads(answer.content) == {"customerErrorMessage": "Störung: später nochmals"}
        assert answer["Retry-After"]

    def test_by_a_clock_that_is_ahead_is_taken_when_its_time_has_come(
        self, lightspeed: LightspeedTill, restaurant: Connection
    ) -> None:
        lightspeed.charge(fondue(closeDate="2066-01-01T00:00:00Z"))
        event = parked()

        assert take_waiting(restaurant, at=event.received_at) == (1, 0)
        assert not Transaction.objects.exists()
        assert take_waiting(restaurant, at=event.received_at + timedelta(days=365 * 60)) == (1, 0)
        assert Transaction.objects.count() == 1


class TestWhatIsKept:
    def test_has_no_credential_in_it_wherever_it_stood(self, restaurant: Connection) -> None:
        secrets = {"apiKey": "geheim", "nested": [{"accessToken": "geheim", "text": "ck_" + "a" * 32}]}

        event = keep_event(restaurant, kind="charge", delivery="", text=text_of(secrets), at=NOON)

        assert "geheim" not in event.payload
        assert "a" * 32 not in event.payload
        assert parking.CUT in event.payload

    def test_is_one_event_for_each_delivery_and_content(self, restaurant: Connection) -> None:
        for delivery, text in [("1", "{}"), ("1", "{}"), ("1", '{"a": 1}'), ("2", "{}")]:
            keep_event(restaurant, kind="charge", delivery=delivery, text=text, at=NOON)

        assert VendorEvent.objects.count() == 3
