"""The inbound activity log on the campground's pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone as clock

from apikeys.minting import Minted
from apikeys.models import ApiKey
from kasse.models import Transaction
from pos_bridge.explaining import NONE_TAKEN
from pos_bridge.models import InboundCall, Outcome, ParkedSale
from pos_bridge.pages import log
from tenants.models import Role, Tenant
from tests.factories import NOON, mint
from tests.pos_bridge.browsing import LIVE, LOG, MOST_QUERIES, at_work, shown, values
from tests.till import BASE, Till, croissants_and_coffee


@pytest.fixture
def staff(seeblick: Tenant, waldrand: Tenant) -> Client:
    return at_work(seeblick, Role.STAFF)


def call(key: ApiKey, *, at: datetime = NOON, **fields: Any) -> InboundCall:
    """A row of the log, as the log would have written it."""
    row = {
        "tenant": key.tenant,
        "api_key": key,
        "key_prefix": key.prefix,
        "method": "POST",
        "path": f"{BASE}/transactions/",
        "status": 201,
        "latency_ms": 4,
        "request_id": "r",
        "outcome": Outcome.CREATED,
        "request_bytes": 200,
    }
    return InboundCall.objects.create(at=at, **{**row, **fields})


def listed(browser: Client, **wanted: Any) -> list[str]:
    """The outcomes of what a page lists."""
    return values(shown(browser.get(LOG, wanted)), "outcome")


def pages(browser: Client, **wanted: Any) -> Iterator[list[int]]:
    """The calls of every page, following the link to the older ones."""
    before = ""
    while True:
        context = browser.get(LOG, {**wanted, "before": before}).context
        yield [row.call.pk for row in context["rows"]]
        before = context["older"]
        if not before:
            return


class TestTheLog:
    def test_shows_the_newest_first(self, staff: Client, till: Till) -> None:
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee(total_amount="1.00"))
        till.get("/ping/")

        assert listed(staff) == ["read", "refused", "replayed", "created"]

    def test_says_what_to_do_where_nothing_has_come(self, staff: Client) -> None:
        assert 'id="no-calls"' in shown(staff.get(LOG))

    def test_leads_to_the_sale_and_to_the_parked_one(self, staff: Client, till: Till) -> None:
        till.post(croissants_and_coffee())
        other = [{"description": "Glacé", "quantity": 1, "unit_price": "4.00", "line_total": "4.00"}]
        till.post(croissants_and_coffee(total_amount="4.00", items=other))

        conflict, created = staff.get(LOG).context["rows"]

        assert created.sale == Transaction.objects.get().pk
        assert conflict.is_parked
        assert f"/einstellungen/integrationen/geparkt/{ParkedSale.objects.get().pk}" in shown(staff.get(LOG))

    def test_leads_to_all_that_are_parked_where_there_are_several(self, staff: Client, till: Till) -> None:
        till.post(croissants_and_coffee())
        for price in ("4.00", "5.00"):
            other = [{"description": "Glacé", "quantity": 1, "unit_price": price, "line_total": price}]
            till.post(croissants_and_coffee(total_amount=price, items=other))

        conflict = staff.get(LOG).context["rows"][0]

        assert (conflict.is_parked, conflict.parked) == (True, None)
        assert 'href="/einstellungen/integrationen/geparkt"' in shown(staff.get(LOG))

    def test_explains_a_refusal_with_the_field_at_fault(self, staff: Client, till: Till) -> None:
        sale = croissants_and_coffee()
        sale["items"][1]["quantity"] = 0
        till.post(sale)

        (row,) = staff.get(LOG, headers={"accept-language": "de"}).context["rows"]

        assert (row.call.error_code, row.explanation.field) == ("validation_error", "items[1].quantity")
        assert row.explanation.label.startswith("Menge")
        assert str(row.explanation.rule) in unescape(shown(staff.get(LOG, headers={"accept-language": "de"})))

    def test_shows_texts_of_tills_as_they_are(self, staff: Client, till: Till) -> None:
        till.read_back("<script>alert(1)</script>")

        page = shown(staff.get(LOG))

        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page

    def test_holds_no_token_that_was_put_into_an_address(self, staff: Client, till: Till, key: Minted) -> None:
        till.read_back(f"order-{key.token}")

        (row,) = staff.get(LOG).context["rows"]
        page = shown(staff.get(LOG)) + shown(staff.get(f"{LOG}/{row.call.pk}"))

        assert key.token[11:] not in page

    def test_renews_its_first_page_alone(self, staff: Client, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(log, "PAGE", 1)
        till.get("/ping/")
        till.get("/ping/")
        first = staff.get(LOG, {"outcome": "read"})

        assert f'hx-get="{LOG}?outcome=read" hx-trigger="every 20s"' in shown(first)
        assert f'hx-get="{LOG}" hx-trigger="every 5s"' in shown(staff.get(LOG))
        assert "hx-get" not in shown(staff.get(LOG, {"before": first.context["older"]}))
        assert "<html" not in shown(staff.get(LOG, headers=LIVE))

    def test_asks_the_database_as_often_whatever_there_is(
        self, staff: Client, till: Till, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(30):
            till.post(croissants_and_coffee(external_ref=f"shop-{number}"))

        with django_assert_max_num_queries(MOST_QUERIES):
            staff.get(LOG)


class TestTheFilter:
    @pytest.fixture(autouse=True)
    def calls(self, seeblick: Tenant) -> dict[str, ApiKey]:
        shop, bistro = mint(seeblick, name="Shop").key, mint(seeblick, name="Bistro").key
        call(shop, external_ref="shop-1")
        call(shop, at=NOON + timedelta(hours=1), status=200, outcome=Outcome.REPLAYED, external_ref="shop-1")
        refused = {"status": 400, "outcome": Outcome.REFUSED, "error_code": "total_mismatch"}
        call(bistro, at=NOON + timedelta(hours=2), external_ref="bistro-1", **refused)
        call(bistro, at=NOON + timedelta(hours=3), status=500, outcome=Outcome.FAILED, error_code="server_error")
        return {"shop": shop, "bistro": bistro}

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"status": "2xx"}, ["replayed", "created"]),
            ({"status": "4xx"}, ["refused"]),
            ({"status": "5xx"}, ["failed"]),
            ({"status": "201"}, ["created"]),
            ({"outcome": "replayed"}, ["replayed"]),
            ({"ref": "shop-1"}, ["replayed", "created"]),
            ({"ref": "shop"}, []),
            ({"since": "2026-04-29T15:00"}, ["failed", "refused", "replayed"]),
            ({"since": "2026-04-29T15:00", "until": "2026-04-29T16:00"}, ["refused", "replayed"]),
            ({"status": "2xx", "ref": "shop-1", "until": "2026-04-29T14:30"}, ["created"]),
            ({"key": ""}, ["failed", "refused", "replayed", "created"]),
        ],
    )
    def test_narrows_on_the_campgrounds_clock(self, wanted: dict[str, str], found: list[str], staff: Client) -> None:
        assert listed(staff, **wanted) == found

    def test_narrows_to_batches_of_which_not_all_was_taken(self, staff: Client, till: Till) -> None:
        right, wrong = croissants_and_coffee(), croissants_and_coffee(external_ref="T-2", total_amount="1.00")
        for sales in ([right], [right, wrong], [wrong]):
            body = json.dumps({"transactions": sales}).encode()
            assert till.call("POST", "/transactions/batch/", body=body).status_code == 200

        assert listed(staff, status="partly") == ["refused", "replayed"]

    def test_narrows_to_one_till(self, staff: Client, calls: dict[str, ApiKey]) -> None:
        assert listed(staff, key=calls["shop"].pk) == ["replayed", "created"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("key", "0"),
            ("key", "nonsense"),
            ("key", "9" * 40),
            ("status", "6xx"),
            ("status", "²"),
            ("outcome", "gone"),
            ("outcome", "flood"),
            ("ref", "x" * 256),
            ("ref", "\x00"),
            ("since", "yesterday"),
            ("since", "0001-01-01T00:00"),
            ("until", "9999-12-31T23:59"),
            ("until", "2026-13-45T99:99"),
        ],
    )
    def test_says_what_it_does_not_understand(self, name: str, value: str, staff: Client) -> None:
        response = staff.get(LOG, {name: value})

        assert values(shown(response), "outcome") == []
        assert set(response.context["filter"].errors) == {name}

    def test_does_not_know_a_neighbours_key(self, staff: Client, waldrand: Tenant) -> None:
        theirs = mint(waldrand).key
        call(theirs)

        response = staff.get(LOG, {"key": theirs.pk})

        assert set(response.context["filter"].errors) == {"key"}
        assert theirs.name not in shown(staff.get(LOG))


class TestPaging:
    def test_shows_every_call_once_however_many_share_a_moment(
        self, staff: Client, key: Minted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log, "PAGE", 4)
        made = [call(key.key, at=NOON + timedelta(microseconds=number // 3)).pk for number in range(15)]

        found = list(pages(staff))

        assert [pk for page in found for pk in page] == sorted(made, reverse=True)
        assert [len(page) for page in found] == [4, 4, 4, 3]

    def test_is_not_moved_by_calls_that_come_meanwhile(
        self, staff: Client, key: Minted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log, "PAGE", 2)
        old = [call(key.key, at=NOON + timedelta(seconds=number)).pk for number in range(4)]
        steps = pages(staff)
        first = next(steps)
        call(key.key, at=NOON + timedelta(days=1))

        assert [*first, *next(steps)] == old[::-1]

    def test_keeps_the_filter(self, staff: Client, key: Minted, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(log, "PAGE", 1)
        for number in range(3):
            call(key.key, at=NOON + timedelta(seconds=number))
            call(key.key, at=NOON + timedelta(seconds=number), status=200, outcome=Outcome.READ)

        assert [len(page) for page in pages(staff, outcome="read")] == [1, 1, 1]
        assert f"{LOG}?outcome=read&amp;before=" in shown(staff.get(LOG, {"outcome": "read"}))

    @pytest.mark.parametrize("before", ["nonsense", "1", "-", "1-", "9" * 17 + "-1", "1-" + "9" * 19, "²-1", "0-0\n"])
    def test_ends_where_there_is_no_such_place(self, before: str, staff: Client) -> None:
        assert staff.get(LOG, {"before": before}).status_code == 404

    def test_before_the_first_call_is_empty(self, staff: Client, key: Minted) -> None:
        call(key.key)

        assert listed(staff, before="0-0") == []

    def test_on_a_place_of_the_far_future_is_the_newest(self, staff: Client, key: Minted) -> None:
        call(key.key)

        assert listed(staff, before=f"{'9' * 16}-{'9' * 18}") == ["created"]


class TestOneCall:
    def test_tells_all_that_is_known_of_it(self, staff: Client, till: Till) -> None:
        till.post(croissants_and_coffee(total_amount="1.00"), x_request_id="kasse-7")

        page = shown(staff.get(f"{LOG}/{InboundCall.objects.get().pk}"))

        for text in ("total_mismatch", "kasse-7", f"POST {BASE}/transactions/", "127.0.0.1"):
            assert text in page

    def test_of_a_batch_says_how_many_of_each_and_why_none_was_taken(self, staff: Client, till: Till) -> None:
        body = json.dumps({"transactions": [croissants_and_coffee(total_amount="1.00")]}).encode()
        assert till.call("POST", "/transactions/batch/", body=body).status_code == 200

        response = staff.get(f"{LOG}/{InboundCall.objects.get().pk}")

        assert response.context["batch"].invalid == 1
        assert response.context["row"].explanation.todo == NONE_TAKEN[1]

    def test_asks_the_database_little(self, staff: Client, till: Till, django_assert_max_num_queries: Any) -> None:
        till.post(croissants_and_coffee())

        with django_assert_max_num_queries(MOST_QUERIES):
            staff.get(f"{LOG}/{InboundCall.objects.get().pk}")

    @pytest.mark.parametrize("pk", ["0", "9" * 18, "9" * 19, "x"])
    def test_that_is_none_is_not_found(self, pk: str, staff: Client) -> None:
        assert staff.get(f"{LOG}/{pk}").status_code == 404


class TestTheFence:
    def test_keeps_the_neighbours_calls_out(self, staff: Client, till: Till, neighbours_till: Till) -> None:
        neighbours_till.post(croissants_and_coffee())
        theirs = InboundCall.objects.get()
        till.get("/ping/")

        assert listed(staff) == ["read"]
        assert listed(staff, ref="seeblick-2026-04-29-T-1") == []
        assert staff.get(f"{LOG}/{theirs.pk}").status_code == 404

    def test_keeps_calls_of_nobody_out(self, staff: Client, key: Minted) -> None:
        Till(None).get("/ping/")
        Till(key.token[:-1] + ("a" if key.token[-1] != "a" else "b")).get("/ping/")

        assert InboundCall.objects.filter(tenant=None).count() == 2
        assert listed(staff) == []
        assert staff.get(f"{LOG}/{InboundCall.objects.filter(tenant=None)[0].pk}").status_code == 404

    def test_shows_whose_key_is_revoked(self, staff: Client, till: Till, key: Minted) -> None:
        key.key.revoke(at=clock.now())
        till.get("/ping/")

        (row,) = staff.get(LOG).context["rows"]

        assert (row.call.error_code, row.key) == ("key_inactive", key.key)

    def test_links_to_no_sale_of_a_neighbour(self, staff: Client, till: Till, neighbours_till: Till) -> None:
        neighbours_till.post(croissants_and_coffee(external_ref="T-1"))
        till.read_back("T-1")

        (row,) = staff.get(LOG).context["rows"]

        assert (row.call.status, row.sale) == (404, None)


@pytest.mark.parametrize("zone", ["Europe/Zurich", "America/Santiago"])
def test_times_are_written_on_the_campgrounds_clock(zone: str, seeblick: Tenant) -> None:
    seeblick.zone = zone
    seeblick.save()
    call(mint(seeblick).key, at=datetime(2026, 4, 29, 23, 30, tzinfo=timezone.utc))

    page = shown(at_work(seeblick).get(LOG))

    assert {"Europe/Zurich": "30.04.2026 01:30:00", "America/Santiago": "29.04.2026 19:30:00"}[zone] in page
