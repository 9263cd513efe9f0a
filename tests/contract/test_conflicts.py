from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apikeys.minting import Minted
from apikeys.tokens import make_token, prefix_of
from kasse.models import Transaction
from pos_bridge.models import InboundCall, Outcome, ParkedSale
from tests.till import Body, Till, body_of, croissants_and_coffee

REFERENCE = "seeblick-2026-04-29-T-1"
CROISSANT, COFFEE = croissants_and_coffee()["items"]

OTHER_MONEY: list[tuple[Body, dict[str, tuple[Any, Any]]]] = [
    (
        {"total_amount": "13.50", "rounding_amount": "1.00"},
        {"total_amount": ("12.50", "13.50"), "rounding_amount": ("0.00", "1.00"), "payments": (..., ...)},
    ),
    ({"payment_method": "CARD"}, {"payment_method": ("CASH", "CARD"), "payments": (..., ...)}),
    ({"tip_amount": "1.00"}, {"tip_amount": ("0.00", "1.00"), "payments": (..., ...)}),
    ({"items": [{**CROISSANT, "quantity": 1}, COFFEE]}, {"items": (..., ...)}),
    ({"items": [{**CROISSANT, "line_total": "7.50"}, {**COFFEE, "line_total": "5.00"}]}, {"items": (..., ...)}),
    ({"items": [{**CROISSANT, "line_total": "12.50"}]}, {"items": (..., ...)}),
    (
        {"total_amount": "-12.50", "items": [{**CROISSANT, "quantity": -2, "line_total": "-12.50"}]},
        {"total_amount": ("12.50", "-12.50"), "items": (..., ...), "payments": (..., ...)},
    ),
    (
        {"payment_method": "MIXED", "payments": [{"method": "CASH", "amount": "12.50"}]},
        {"payment_method": ("CASH", "MIXED")},
    ),
    (
        {"payments": [{"method": "CASH", "amount": "10.00"}, {"method": "CASH", "amount": "2.50"}]},
        {"payments": (..., ...)},
    ),
    ({"occurred_at": "2026-04-28T08:14:32Z"}, {"business_date": ("2026-04-29", "2026-04-28")}),
    ({"occurred_at": "2026-04-29T22:00:00Z"}, {"business_date": ("2026-04-29", "2026-04-30")}),
]


class TestOtherMoneyUnderATakenReference:
    @pytest.mark.parametrize(("changes", "differing"), OTHER_MONEY)
    def test_is_refused_naming_each_differing_field(self, till: Till, changes: Body, differing: dict[str, Any]) -> None:
        stored = body_of(till.post(croissants_and_coffee()))

        answer = till.post(croissants_and_coffee(**changes))

        body = body_of(answer)
        told = {fault["field"]: (fault["stored"], fault["sent"]) for fault in body["errors"]}
        assert (answer.status_code, body["code"], body["detail"]) == (
            409,
            "external_ref_conflict",
            "external_ref_conflict",
        )
        assert told.keys() == differing.keys()
        assert all(told[field] == both for field, both in differing.items() if both != (..., ...))
        assert all(before != now for before, now in told.values())
        assert body["id"] == stored["id"]
        assert body_of(till.read_back(REFERENCE)) == stored

    def test_is_not_to_be_repeated(self, till: Till) -> None:
        till.post(croissants_and_coffee())

        answer = till.post(croissants_and_coffee(tip_amount="1.00"))

        assert body_of(answer)["retryable"] is False
        assert "Retry-After" not in answer
        assert "Idempotent-Replayed" not in answer

    def test_is_told_although_a_text_differs_too(self, till: Till) -> None:
        till.post(croissants_and_coffee())

        answer = till.post(croissants_and_coffee(tip_amount="1.00", metadata={"a": 1}))

        assert answer.status_code == 409

    def test_that_breaks_the_contract_is_a_400_and_not_parked(self, till: Till) -> None:
        till.post(croissants_and_coffee())

        assert till.post(croissants_and_coffee(total_amount="99.00")).status_code == 400
        assert not ParkedSale.objects.exists()


class TestTheParkingLot:
    def test_keeps_what_was_sent_once_however_often(self, till: Till, key: Minted) -> None:
        till.post(croissants_and_coffee())
        sent = croissants_and_coffee(tip_amount="1.00", cashier="Anna")

        for _ in range(3):
            till.post(sent)

        parked = ParkedSale.objects.get()
        assert parked.times_received == 3
        assert parked.first_received_at < parked.last_received_at
        assert (parked.tenant, parked.api_key, parked.external_ref) == (key.key.tenant, key.key, REFERENCE)
        assert parked.stored == Transaction.objects.get()
        assert json.loads(parked.payload) == {
            **sent,
            "items": [{**CROISSANT, "quantity": "2"}, {**COFFEE, "quantity": "1"}],
        }
        assert [name for name, _stored, _sent in parked.differences] == ["tip_amount", "payments"]

    def test_keeps_each_other_sale_by_itself(self, till: Till) -> None:
        till.post(croissants_and_coffee())

        for tip in ("1.00", "2.00", "1.0", "1.00"):
            till.post(croissants_and_coffee(tip_amount=tip))

        assert sorted(ParkedSale.objects.values_list("times_received", flat=True)) == [1, 3]

    def test_is_each_campgrounds_own(self, till: Till, neighbours_till: Till) -> None:
        for each in (till, neighbours_till):
            each.post(croissants_and_coffee())
            each.post(croissants_and_coffee(tip_amount="1.00"))

        assert ParkedSale.objects.values("tenant").distinct().count() == 2

    def test_holds_no_credentials(self, till: Till, key: Minted) -> None:
        till.post(croissants_and_coffee())
        someones = make_token()
        secrets = {
            "apiKey": "hush-1",
            "api_key": "hush-2",
            "Authorization": "Bearer hush-3",
            "password": {"is": "hush-4"},
            "Passwort": "hush-5",
            "client_secret": ["hush-6"],
            "accessToken": 1234567,
            "credentials": {"user": "anna", "pin": "hush-7"},
            "vendor": [{"x-api-key": "hush-8"}],
            "note": f"our key is {someones}, said Anna",
            someones: "a key as a name",
        }
        line = {**CROISSANT, "description": f"Croissant {key.token}"}

        till.post(
            croissants_and_coffee(tip_amount="1.00", metadata={"password": "hush-9"}, items=[line, COFFEE], **secrets)
        )

        parked = ParkedSale.objects.get()
        kept = json.loads(parked.payload)
        for secret in ("hush", "1234567", key.token, someones):
            assert secret not in parked.payload
        assert kept["note"] == f"our key is {prefix_of(someones)}(cut out), said Anna"
        assert kept["items"][0]["description"] == f"Croissant {prefix_of(key.token)}(cut out)"
        assert kept["total_amount"] == "12.50"

    def test_is_seen_in_the_activity_log(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee(tip_amount="1.00"))

        row = InboundCall.objects.latest("id")
        assert (row.outcome, row.status, row.external_ref) == (Outcome.CONFLICT, 409, REFERENCE)
        assert row.error_code == "external_ref_conflict"


class TestThePolicyReplay:
    def test_answers_with_the_stored_record_and_parks_just_the_same(self, till: Till, settings: Settings) -> None:
        settings.POS_CONFLICT_POLICY = "replay"
        stored = body_of(till.post(croissants_and_coffee()))

        answers = [till.post(croissants_and_coffee(tip_amount="1.00", metadata={"a": 1})) for _ in range(2)]

        for answer in answers:
            body = body_of(answer)
            warnings = {warning["field"]: (warning["stored"], warning["sent"]) for warning in body.pop("warnings")}
            assert (answer.status_code, answer["Idempotent-Replayed"]) == (200, "true")
            assert body == stored
            assert warnings["tip_amount"] == ("0.00", "1.00")
        assert ParkedSale.objects.get().times_received == 2
        assert InboundCall.objects.latest("id").outcome == Outcome.CONFLICT
