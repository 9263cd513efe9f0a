"""The activity log: one row for every call, whatever answered it, and never a token or a body."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse

from apikeys.minting import Minted
from apikeys.models import Scope
from pos_bridge import intake
from pos_bridge.models import BridgeSettings, InboundCall, Outcome
from pos_bridge.wire import MOST_BYTES
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.pos_bridge.breaking import statements_failing
from tests.till import Till, croissants_and_coffee

Ask = Callable[["Asking"], HttpResponse]

GIVES = "guest-list-in-a-body"
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Asking:
    """Seeblick's till and what a test may break."""

    till: Till
    seeblick: Tenant
    monkeypatch: pytest.MonkeyPatch

    def with_key(self, **fields: Any) -> Till:
        """Another till of the same campground."""
        return Till(mint(self.seeblick, **fields).token)

    def post(self, **changes: Any) -> HttpResponse:
        return self.till.post(croissants_and_coffee(**changes))

    def again(self, **changes: Any) -> HttpResponse:
        """A second post; only its row is left to look at."""
        self.post()
        InboundCall.objects.all().delete()
        return self.post(**changes)

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> HttpResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.till.call(method, path, body=body, headers=named)

    def known_products(self) -> HttpResponse:
        etag = self.till.get("/products/")["ETag"]
        InboundCall.objects.all().delete()
        return self.till.get("/products/", if_none_match=etag)

    def throttled(self) -> HttpResponse:
        till = self.with_key(budget=1)
        till.get("/ping/")
        InboundCall.objects.all().delete()
        return till.get("/ping/")

    def broken(self, error: Exception) -> HttpResponse:
        def fail(*args: Any, **kwargs: Any) -> Any:
            raise error

        self.monkeypatch.setattr(intake, "record_transaction", fail)
        return self.post()

    def disabled(self) -> HttpResponse:
        BridgeSettings.objects.create(tenant=self.seeblick, enabled=False)
        return self.post()


KINDS_OF_ANSWERS: dict[str, tuple[Ask, int, Outcome, str]] = {
    "a new sale": (lambda ask: ask.post(), 201, Outcome.CREATED, ""),
    "a retry": (lambda ask: ask.again(), 200, Outcome.REPLAYED, ""),
    "other money": (lambda ask: ask.again(payment_method="CARD"), 409, Outcome.CONFLICT, "external_ref_conflict"),
    "a read": (lambda ask: ask.till.get("/transactions/"), 200, Outcome.READ, ""),
    "a HEAD": (lambda ask: ask.send("HEAD", "/ping/"), 200, Outcome.READ, ""),
    "known products": (Asking.known_products, 304, Outcome.READ, ""),
    "no JSON": (lambda ask: ask.send("POST", "/transactions/", b"{"), 400, Outcome.REFUSED, "not_json"),
    "a missing field": (lambda ask: ask.post(items=...), 400, Outcome.REFUSED, "validation_error"),
    "a wrong sum": (lambda ask: ask.post(total_amount="99.00"), 400, Outcome.REFUSED, "total_mismatch"),
    "no key": (lambda ask: Till(None).get("/ping/"), 401, Outcome.REFUSED, "invalid_key"),
    "an expired key": (
        lambda ask: ask.with_key(expires_at=NOON).get("/ping/"),
        401,
        Outcome.REFUSED,
        "key_inactive",
    ),
    "no scope": (
        lambda ask: ask.with_key(scopes=[Scope.POS_READ]).post(croissants_and_coffee()),
        403,
        Outcome.REFUSED,
        "insufficient_scope",
    ),
    "a bridge switched off": (Asking.disabled, 403, Outcome.REFUSED, "pos_bridge_disabled"),
    "an unknown reference": (lambda ask: ask.till.read_back("T-404"), 404, Outcome.REFUSED, "not_found"),
    "an unknown path": (lambda ask: ask.till.get("/receipts/"), 404, Outcome.REFUSED, "not_found"),
    "the base path": (lambda ask: ask.till.get(""), 404, Outcome.REFUSED, "not_found"),
    "another method": (lambda ask: ask.send("DELETE", "/transactions/"), 405, Outcome.REFUSED, "method_not_allowed"),
    "HTML asked for": (lambda ask: ask.till.get("/ping/", accept="text/html"), 406, Outcome.REFUSED, "not_acceptable"),
    "a huge body": (
        lambda ask: ask.send("POST", "/transactions/", b" " * (MOST_BYTES + 1)),
        413,
        Outcome.REFUSED,
        "payload_too_large",
    ),
    "XML sent": (
        lambda ask: ask.send("POST", "/transactions/", b"<sale/>", content_type="text/xml"),
        415,
        Outcome.REFUSED,
        "unsupported_media_type",
    ),
    "a budget used up": (Asking.throttled, 429, Outcome.THROTTLED, "throttled"),
    "a fault of ours": (lambda ask: ask.broken(RuntimeError()), 500, Outcome.FAILED, "server_error"),
    "a database away": (lambda ask: ask.broken(OperationalError()), 503, Outcome.FAILED, "unavailable"),
    "another's host": (
        lambda ask: ask.till.get("/ping/", host="evil.example"),
        400,
        Outcome.REFUSED,
        "bad_request",
    ),
}


@pytest.fixture
def ask(till: Till, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch) -> Asking:
    return Asking(till, seeblick, monkeypatch)


class TestEveryCall:
    @pytest.mark.parametrize("kind", KINDS_OF_ANSWERS)
    def test_leaves_exactly_one_row(self, ask: Asking, kind: str) -> None:
        deed, status, outcome, code = KINDS_OF_ANSWERS[kind]

        answer = deed(ask)

        row = InboundCall.objects.get()
        assert answer.status_code == status
        assert (row.status, row.outcome, row.error_code) == (status, outcome, code)
        assert row.request_id == answer["X-Request-Id"]
        assert row.calls == 1
        assert row.latency_ms > 0

    def test_tells_method_path_key_and_campground(self, till: Till, key: Minted, seeblick: Tenant) -> None:
        before = datetime.now(timezone.utc)  # noqa: TID251 (the real clock is what is compared with)

        till.get("/transactions/?page=1")

        row = InboundCall.objects.get()
        assert (row.method, row.path) == ("GET", "/api/v1/public/pos/transactions/")
        assert (row.tenant, row.api_key, row.key_prefix) == (seeblick, key.key, key.key.prefix)
        assert before <= row.at <= datetime.now(timezone.utc)  # noqa: TID251 (as above)
        assert row.remote_address == "127.0.0.1"

    def test_tells_how_long_it_took_in_milliseconds(self, till: Till) -> None:
        till.get("/ping/")

        latency = InboundCall.objects.get().latency_ms
        assert latency == latency.quantize(Decimal("0.01"))
        assert 0 < latency < 60_000

    def test_tells_the_reference_that_is_asked_for(self, till: Till) -> None:
        till.post(croissants_and_coffee(external_ref="T-1"))
        till.read_back("T-2")
        till.get("/transactions/?external_ref=T-3")
        till.post(croissants_and_coffee(external_ref="T-1", payment_method="CARD"))

        assert list(InboundCall.objects.order_by("id").values_list("external_ref", flat=True)) == [
            "T-1",
            "T-2",
            "T-3",
            "T-1",
        ]

    def test_tells_which_field_was_at_fault(self, till: Till) -> None:
        item = {"description": "Gas bottle", "quantity": 0, "unit_price": "1", "line_total": "0"}
        till.post(croissants_and_coffee(items=[item]))

        assert InboundCall.objects.get().error_field == "items[0].quantity"

    def test_tells_how_large_the_body_was_said_to_be(self, till: Till) -> None:
        till.call("POST", "/transactions/", body=b"x" * 300_000)
        till.get("/ping/")

        assert list(InboundCall.objects.order_by("id").values_list("request_bytes", flat=True)) == [300_000, 0]

    @pytest.mark.parametrize("length", ["-1", "+5", "5 5", "٣", "9" * 5000, "99999999999", "twelve"])
    def test_takes_no_length_that_is_none(self, till: Till, length: str) -> None:
        answer = till.client.get("/api/v1/public/pos/ping/", headers=till.headers, CONTENT_LENGTH=length)

        assert answer["Content-Type"] == "application/json"
        assert InboundCall.objects.get().request_bytes == 0

    def test_of_the_neighbour_is_the_neighbours(
        self, till: Till, neighbours_till: Till, seeblick: Tenant, waldrand: Tenant
    ) -> None:
        neighbours_till.get("/ping/")
        till.get("/ping/")

        assert list(InboundCall.objects.order_by("id").values_list("tenant", flat=True)) == [waldrand.pk, seeblick.pk]

    def test_with_an_inactive_key_is_its_campgrounds(self, seeblick: Tenant, waldrand: Tenant) -> None:
        minted = mint(seeblick)
        minted.key.revoke(at=NOON)

        Till(minted.token).get("/ping/")

        row = InboundCall.objects.get()
        assert (row.status, row.tenant, row.key_prefix) == (401, seeblick, minted.key.prefix)

    def test_with_a_key_unproven_is_nobodys(self, key: Minted) -> None:
        Till(key.token[:-1] + "?").get("/ping/")
        Till(key.token, host="waldrand.campone.example").get("/ping/")

        assert not InboundCall.objects.filter(tenant__isnull=False).exists()
        prefixes = InboundCall.objects.order_by("id").values_list("key_prefix", flat=True)
        assert list(prefixes) == ["", key.key.prefix]


class TestSecrets:
    def test_stand_in_no_row_and_in_no_line_of_the_log(
        self, ask: Asking, key: Minted, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Every kind of answer, with the token wherever a till might put it and a word in every body."""
        secret = key.token[11:]
        for deed, *_ in KINDS_OF_ANSWERS.values():
            with ask.monkeypatch.context() as patch:
                deed(Asking(ask.till, ask.seeblick, patch))
                BridgeSettings.objects.all().delete()
        ask.till.post(croissants_and_coffee(external_ref=f"with {key.token}", metadata={"note": GIVES}))
        ask.till.post({GIVES: key.token})
        ask.till.get(f"/{key.token}?key={key.token}", cookie=f"key={key.token}", x_api_key=key.token)
        Till(None).get("/ping/", authorization=f"Token {key.token}")

        kept = [json.dumps(list(InboundCall.objects.values()), default=str), caplog.text]
        for text in kept:
            assert secret not in text
            assert GIVES not in text

    @pytest.mark.parametrize("error", [RuntimeError(), OperationalError()], ids=lambda error: type(error).__name__)
    def test_in_a_path_stand_in_no_line_of_the_log_even_when_we_fail(
        self,
        till: Till,
        key: Minted,
        error: Exception,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with statements_failing(error, touching="FROM kasse_transaction |INTO pos_bridge_inboundcall "):
            answer = till.get(f"/transactions/{key.token}/")

        assert answer.status_code in {500, 503}
        assert key.token not in caplog.text
