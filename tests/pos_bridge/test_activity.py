"""The activity log: one row for every call, whatever answered it, and never a token or a body."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import Sum
from django.http import HttpResponse

from apikeys.minting import Minted
from apikeys.models import ApiKey, Scope
from pos_bridge import activity, api, intake
from pos_bridge.activity import ROWS_PER_ADDRESS_AND_MINUTE
from pos_bridge.models import BridgeSettings, InboundCall, Outcome, ParkedSale
from pos_bridge.wire import MOST_BYTES
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.till import Till, body_of, croissants_and_coffee

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


class TestAPrefix:
    @pytest.mark.parametrize(
        "header",
        [
            "Bearer ck_short",
            "Bearer password-of-a-person",
            "ck_" + "a" * 33,
            "Basic YWRtaW46YWRtaW4=",
            "Bearer ck_" + "é" * 32,
        ],
    )
    def test_is_kept_only_of_what_has_a_tokens_shape(self, db: None, header: str) -> None:
        Till(None).get("/ping/", authorization=header.encode().decode("latin-1"))

        assert InboundCall.objects.get().key_prefix == ""

    def test_is_kept_of_a_token_that_nobody_holds(self, db: None) -> None:
        Till("ck_" + "a" * 32).get("/ping/")

        assert InboundCall.objects.get().key_prefix == "ck_aaaaaaaa"


class TestAPath:
    def test_is_escaped(self, till: Till) -> None:
        till.get("/transactions/a%0d%0aForged%1b[31m%E2%80%AE%00/")

        path = InboundCall.objects.get().path
        assert path == r"/api/v1/public/pos/transactions/a\r\nForged\x1b[31m\u202e\x00/"

    def test_is_cut(self, till: Till) -> None:
        till.get("/" + "a" * 5000)
        till.get("/" + "%00" * 5000)

        for path in InboundCall.objects.values_list("path", flat=True):
            assert len(path) == 500
            assert path.startswith("/api/v1/public/pos/")

    @pytest.mark.parametrize("path", ["/{}/", "/transactions/{}/", "/transactions/x{}x", "/{}{}"])
    def test_hides_a_token(self, till: Till, key: Minted, path: str) -> None:
        till.get(path.format(key.token, key.token))

        row = InboundCall.objects.get()
        assert key.token not in row.path + row.external_ref
        assert f"{key.key.prefix}…" in row.path

    def test_leaves_the_query_out(self, till: Till) -> None:
        till.get("/transactions/?access_token=abc")

        assert InboundCall.objects.get().path == "/api/v1/public/pos/transactions/"

    def test_is_kept_with_the_method_escaped_and_cut(self, till: Till) -> None:
        till.call("M" * 40, "/ping/")

        assert InboundCall.objects.get().method == "M" * 16


class TestARequestId:
    @pytest.mark.parametrize("sent", ["till-7", "a" * 64, "9f.8:7_6-5"])
    def test_of_the_till_is_taken_over(self, till: Till, sent: str) -> None:
        answer = till.get("/ping/", x_request_id=sent)

        assert answer["X-Request-Id"] == InboundCall.objects.get().request_id == sent

    @pytest.mark.parametrize("sent", ["", "a" * 65, "-a", "a b", "a\x1bb", "ü", "<b>", "a,b"])
    def test_that_is_not_well_formed_is_replaced(self, till: Till, sent: str) -> None:
        answer = till.get("/ping/", x_request_id=sent)

        assert answer["X-Request-Id"] == InboundCall.objects.get().request_id != sent

    def test_stands_in_the_body_of_a_refusal(self, till: Till) -> None:
        answer = till.get("/nothing/", x_request_id="till-7")

        assert body_of(answer)["request_id"] == "till-7"


class TestAnAddress:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "address"),
        [
            (0, "", "127.0.0.1"),
            (0, "203.0.113.9", "127.0.0.1"),
            (1, "", "127.0.0.1"),
            (1, "203.0.113.9", "203.0.113.9"),
            (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
            (1, "198.51.100.1,203.0.113.9,", "203.0.113.9"),
            (2, "198.51.100.1, 203.0.113.9, 192.0.2.1", "203.0.113.9"),
            (2, "192.0.2.1", "127.0.0.1"),
        ],
    )
    def test_is_the_one_that_the_outermost_trusted_proxy_saw(
        self, till: Till, settings: Any, proxies: int, forwarded: str, address: str
    ) -> None:
        settings.PROXY_COUNT = proxies

        till.get("/ping/", **({"x_forwarded_for": forwarded} if forwarded else {}))

        assert InboundCall.objects.get().remote_address == address

    def test_that_is_none_is_cut_and_escaped(self, till: Till, settings: Any) -> None:
        settings.PROXY_COUNT = 1

        till.get("/ping/", x_forwarded_for="\x1b" + "a" * 200)

        assert InboundCall.objects.get().remote_address == (r"\x1b" + "a" * 200)[:64]


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
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def fail(*args: Any) -> Any:
            raise error

        monkeypatch.setattr(api, "external_sales", fail)
        monkeypatch.setattr(activity, "_write_row", fail)

        answer = till.get(f"/transactions/{key.token}/")

        assert answer.status_code in {500, 503}
        assert key.token not in caplog.text


class TestAFloodOfRefusals:
    MINUTE = NOON.replace(second=5)

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: self.now)
        self.now: datetime = self.MINUTE

    def refuse(self, times: int, **headers: str) -> None:
        for _ in range(times):
            assert Till(None).get("/ping/", **headers).status_code == 401

    def test_leaves_a_row_each_for_the_first_and_one_that_counts_the_rest(self, db: None) -> None:
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 30)

        assert InboundCall.objects.filter(outcome=Outcome.REFUSED).count() == ROWS_PER_ADDRESS_AND_MINUTE
        flood = InboundCall.objects.get(outcome=Outcome.FLOOD)
        assert (flood.calls, flood.status, flood.at) == (30, 401, self.MINUTE.replace(second=0))

    def test_begins_anew_with_each_minute(self, db: None) -> None:
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 5)
        self.now += timedelta(minutes=1)
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 7)

        floods = InboundCall.objects.filter(outcome=Outcome.FLOOD).order_by("at")
        assert list(floods.values_list("calls", flat=True)) == [5, 7]

    def test_of_one_address_is_not_that_of_another(self, db: None, settings: Any) -> None:
        settings.PROXY_COUNT = 1
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 5, x_forwarded_for="203.0.113.9")
        self.refuse(3, x_forwarded_for="198.51.100.1")

        assert InboundCall.objects.filter(remote_address="198.51.100.1", outcome=Outcome.REFUSED).count() == 3
        assert InboundCall.objects.get(outcome=Outcome.FLOOD).remote_address == "203.0.113.9"

    def test_belongs_to_no_campground(self, seeblick: Tenant) -> None:
        minted = mint(seeblick)
        minted.key.revoke(at=NOON)
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE)

        for _ in range(3):
            Till(minted.token).get("/ping/")
        self.refuse(2)

        flood = InboundCall.objects.get(outcome=Outcome.FLOOD)
        assert (flood.calls, flood.tenant, flood.api_key, flood.key_prefix) == (5, None, None, "")

    def test_for_a_host_that_is_not_ours_is_bounded_too(self, db: None) -> None:
        for _ in range(ROWS_PER_ADDRESS_AND_MINUTE + 20):
            assert Till(None, host="evil.example").get("/ping/").status_code == 400
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 20)

        assert InboundCall.objects.count() == 2 * ROWS_PER_ADDRESS_AND_MINUTE + 1
        assert InboundCall.objects.aggregate(Sum("calls"))["calls__sum"] == 2 * ROWS_PER_ADDRESS_AND_MINUTE + 40

    def test_leaves_the_rows_of_a_till_at_the_same_address_alone(self, till: Till) -> None:
        self.refuse(ROWS_PER_ADDRESS_AND_MINUTE + 5)

        till.get("/ping/")
        till.get("/nothing/")

        assert list(InboundCall.objects.filter(tenant__isnull=False).values_list("status", flat=True)) == [200, 404]


class TestParkedSales:
    def test_hold_what_the_log_does_not_and_no_credentials(self, till: Till, key: Minted) -> None:
        till.post(croissants_and_coffee())
        till.post(
            croissants_and_coffee(payment_method="CARD", metadata={"api_key": key.token, "note": f"by {key.token}"})
        )

        assert key.token[11:] not in ParkedSale.objects.get().payload


def test_latency_is_kept_in_milliseconds_with_two_places(till: Till) -> None:
    till.get("/ping/")

    latency = InboundCall.objects.get().latency_ms
    assert latency == latency.quantize(Decimal("0.01"))
    assert 0 < latency < 60_000
    assert ApiKey.objects.get().last_used_at is not None
