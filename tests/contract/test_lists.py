from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apikeys.minting import Minted
from kasse.ids import make_id
from kasse.models import Source, Transaction
from kasse.recording import record_transaction
from tenants.models import Tenant
from tests.contract.sales import faults_of, gas_bottle, new_sale, on_one_campground
from tests.kasse.sales import breakfast
from tests.till import BASE, Body, Till, body_of

PUBLIC_URL = "https://api.campone.example"
EVENING = datetime(2026, 4, 30, 18, 0, tzinfo=UTC)

NO_FILTERS = {
    "business_date=": ("business_date", "invalid"),
    "business_date=29.04.2026": ("business_date", "invalid"),
    "business_date=2026-02-30": ("business_date", "invalid"),
    "business_date=2026-04-29T00:00:00Z": ("business_date", "invalid"),
    "business_date=2026-W18-3": ("business_date", "invalid"),
    "business_date=20260429": ("business_date", "invalid"),
    "business_date=%D9%A2026-04-29": ("business_date", "invalid"),
    "occurred_from=": ("occurred_from", "invalid"),
    "occurred_from=2026-04-29": ("occurred_from", "invalid"),
    "occurred_to=2026-04-29T10:00:00": ("occurred_to", "invalid"),
    "received_since=0": ("received_since", "invalid"),
    "received_since=1999-12-31T23:59:59Z": ("received_since", "before_2000"),
    "payment_method=": ("payment_method", "invalid_choice"),
    "payment_method=cash": ("payment_method", "invalid_choice"),
    "external_ref=": ("external_ref", "blank"),
    "external_ref=%20a": ("external_ref", "surrounding_blanks"),
    "external_ref=%00": ("external_ref", "unprintable"),
    "external_ref=" + "a" * 256: ("external_ref", "max_length"),
    "page=": ("page", "blank"),
    "page_size=": ("page_size", "invalid"),
    "page=1&page=1": ("page", "repeated"),
    "payment_method=CASH&payment_method=CASH": ("payment_method", "repeated"),
    "business_date=2026-04-29&page=1&business_date=2026-04-29": ("business_date", "repeated"),
    "day=2026-04-29": (None, "unknown_parameter"),
    "Business_Date=2026-04-29": (None, "unknown_parameter"),
    "business_date%20=2026-04-29": (None, "unknown_parameter"),
    "=": (None, "unknown_parameter"),
    "tenant=2": (None, "unknown_parameter"),
    "format=json": (None, "unknown_parameter"),
    "source=FRONT_DESK": (None, "unknown_parameter"),
    "business_date__gte=2026-04-01": (None, "unknown_parameter"),
}

PARAMETERS = [
    "business_date", "occurred_from", "occurred_to", "received_since", "payment_method", "external_ref", "page",
    "page_size",
    "include_inactive", "updated_since", "", "day",
]  # fmt: skip
PLAUSIBLE = [
    b"2026-04-29", b"0001-01-01", b"9999-12-31", b"2026-04-29T10:00:00Z", b"9999-12-31T23:59:59-23:59", b"CASH",
    b"1", b"0",
    b"-1", b"true", b"T-1", b"9" * 40, b"\x00", b"\xed\xa0\x80", b"%", b"+", b" ",
]  # fmt: skip


def references(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["external_ref"] for row in body_of(answer)["results"]]


def listed(till: Till, **filters: str) -> list[str]:
    """The references that a list with these filters gives."""
    return references(
        till.get("/transactions/?" + "&".join(f"{name}={quote(value)}" for name, value in filters.items()))
    )


def post_at(monkeypatch: pytest.MonkeyPatch, till: Till, instant: datetime, reference: str, **changes: Any) -> None:
    """Post a sale that arrives at an instant."""
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: instant)
        assert till.post(new_sale(external_ref=reference, **changes)).status_code == 201


def sell_at_the_front_desk(tenant: Tenant) -> None:
    sale = breakfast(external_ref=None)
    record_transaction(tenant=tenant, sale=sale, source=Source.FRONT_DESK, received_at=EVENING)


def arrived(tenant: Tenant, number: int) -> Transaction:
    """A sale as it lies in the ledger, one second after the one before."""
    return Transaction(
        id=make_id(EVENING),
        tenant=tenant,
        source=Source.EXTERNAL_POS,
        external_ref=f"T-{number}",
        fingerprint="v1:",
        payment_method="CASH",
        currency="CHF",
        total_amount=Decimal("12.50"),
        rounding_amount=Decimal(0),
        tip_amount=Decimal(0),
        occurred_at=EVENING,
        business_date=EVENING.date(),
        received_at=EVENING + timedelta(seconds=number),
    )


def links_of(answer: Any) -> dict[str, str]:
    """The relations of an RFC 8288 ``Link`` header."""
    return {rel: link for link, rel in re.findall(r'<([^<>]*)>; rel="([a-z]+)"', answer.headers.get("Link", ""))}


def pages(till: Till, path: str) -> Iterator[Body]:
    """All pages from a path on, by following ``next``."""
    while path:
        page = body_of(till.get(path))
        yield page
        path = (page["next"] or "").removeprefix(PUBLIC_URL + BASE)


class TestTheEnvelope:
    def test_of_nothing_is_an_empty_list(self, till: Till) -> None:
        answer = till.get("/transactions/")

        assert body_of(answer) == {"count": 0, "next": None, "previous": None, "results": []}
        assert "Link" not in answer

    def test_holds_the_same_bodies_as_were_answered(self, till: Till) -> None:
        sold = [body_of(till.post(new_sale(metadata={"a": [1]}))) for _ in range(3)]

        assert body_of(till.get("/transactions"))["results"] == sold

    def test_asks_the_database_no_more_for_many_rows_than_for_few(
        self, till: Till, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(30):
            till.post(new_sale())

        with django_assert_max_num_queries(8):
            assert len(references(till.get("/transactions/"))) == 30


class TestPages:
    @pytest.fixture
    def many(self, seeblick: Tenant) -> int:
        """So many sales that pages are needed."""
        Transaction.objects.bulk_create(arrived(seeblick, number) for number in range(203))
        return 203

    def test_are_of_50_and_at_most_200(self, till: Till, many: int) -> None:
        sizes = {
            size: len(references(till.get(f"/transactions/?{size}")))
            for size in (
                "page=1",
                "page_size=1",
                "page_size=50",
                "page_size=200",
                "page_size=201",
                f"page_size={'9' * 300}",
            )
        }

        assert list(sizes.values()) == [50, 1, 50, 200, 200, 200]

    @pytest.mark.parametrize("size", [50, 101, 200])
    def test_hold_every_sale_once_in_order_of_arrival(self, till: Till, many: int, size: int) -> None:
        every = list(pages(till, f"/transactions/?page_size={size}"))

        assert {page["count"] for page in every} == {many}
        assert [row["external_ref"] for page in every for row in page["results"]] == [
            f"T-{number}" for number in range(many)
        ]

    def test_are_linked_in_body_and_header_alike(self, till: Till, many: int) -> None:
        answers = [till.get(f"/transactions/?payment_method=CASH&page_size=100&page={page}") for page in (1, 2, 3)]

        for answer, (previous, following) in zip(answers, [(None, 2), (1, 3), (2, None)], strict=True):
            body, links = body_of(answer), links_of(answer)
            assert (body["previous"], body["next"]) == (links.get("prev"), links.get("next"))
            for link, page in ((body["previous"], previous), (body["next"], following)):
                assert (link is None) == (page is None)
                if link is not None:
                    assert link.startswith(f"{PUBLIC_URL}{BASE}/transactions/?")
                    assert {"payment_method=CASH", "page_size=100"} <= set(urlsplit(link).query.split("&"))
                    assert body_of(till.get(link.removeprefix(PUBLIC_URL + BASE)))["results"] != body["results"]

    def test_are_linked_at_our_own_address_whatever_the_caller_calls_us(
        self, key: Minted, till: Till, many: int
    ) -> None:
        through_the_campground = Till(key.token, host="seeblick.campone.example")

        assert body_of(through_the_campground.get("/transactions/"))["next"].startswith(PUBLIC_URL)

    def test_past_the_end_are_not_found(self, till: Till) -> None:
        till.post(new_sale())

        for page in ("2", "0", "-1", "1.0", "1e0", "abc", "last", "+1", "１", "%201", "1_0", "%00", "9" * 5000):
            answer = till.get(f"/transactions/?page={page}")
            assert (answer.status_code, body_of(answer)["code"]) == (404, "not_found"), page

    def test_of_no_size_are_refused(self, till: Till) -> None:
        for size in ("0", "-1", "abc", "1.5", "１", "+5", "%205", "1_0"):
            assert faults_of(till.get(f"/transactions/?page_size={size}")) == {("page_size", "invalid")}, size


class TestTheOrder:
    def test_is_that_of_arrival_and_then_of_the_id(
        self, till: Till, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post_at(monkeypatch, till, EVENING + timedelta(seconds=2), "late", occurred_at="2026-04-29T06:00:00Z")
        post_at(monkeypatch, till, EVENING, "early", occurred_at="2026-04-29T17:00:00Z")
        for reference in ("twin-a", "twin-b", "twin-c"):
            post_at(monkeypatch, till, EVENING + timedelta(seconds=1), reference)
        twins = Transaction.objects.of(seeblick).filter(external_ref__startswith="twin").order_by("id")

        assert listed(till) == ["early", *twins.values_list("external_ref", flat=True), "late"]


class TestAFilter:
    @pytest.fixture(autouse=True)
    def sales(self, till: Till, neighbours_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        post_at(monkeypatch, till, EVENING, "noon", occurred_at="2026-04-29T10:00:00Z")
        post_at(
            monkeypatch,
            till,
            EVENING + timedelta(hours=1),
            "card",
            occurred_at="2026-04-29T21:59:59.5Z",
            payment_method="CARD",
        )
        post_at(monkeypatch, till, EVENING + timedelta(hours=4), "night", occurred_at="2026-04-29T22:00:00Z")
        post_at(monkeypatch, neighbours_till, EVENING, "theirs", occurred_at="2026-04-29T10:00:00Z")

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({}, ["noon", "card", "night"]),
            ({"business_date": "2026-04-29"}, ["noon", "card"]),
            ({"business_date": "2026-04-30"}, ["night"]),
            ({"business_date": "2026-04-28"}, []),
            ({"payment_method": "CARD"}, ["card"]),
            ({"payment_method": "MIXED"}, []),
            ({"external_ref": "noon"}, ["noon"]),
            ({"external_ref": "Noon"}, []),
            ({"external_ref": "theirs"}, []),
            ({"occurred_from": "2026-04-29T10:00:00Z"}, ["noon", "card", "night"]),
            ({"occurred_from": "2026-04-29T12:00:00+02:00"}, ["noon", "card", "night"]),
            ({"occurred_from": "2026-04-29T10:00:00.000001Z"}, ["card", "night"]),
            ({"occurred_to": "2026-04-29T22:00:00Z"}, ["noon", "card", "night"]),
            ({"occurred_to": "2026-04-29T21:59:59.5Z"}, ["noon", "card"]),
            ({"occurred_from": "2026-04-29T21:00:00Z", "occurred_to": "2026-04-29T21:59:59.499999Z"}, []),
            ({"occurred_from": "2026-04-30T00:00:00Z", "occurred_to": "2026-04-29T00:00:00Z"}, []),
            ({"received_since": "2026-04-30T18:00:00Z"}, ["noon", "card", "night"]),
            ({"received_since": "2026-04-30T18:00:00.000001Z"}, ["card", "night"]),
            ({"received_since": "2026-04-30T22:00:00Z"}, ["night"]),
            ({"business_date": "2026-04-29", "payment_method": "CASH"}, ["noon"]),
        ],
    )
    def test_gives_what_it_names(self, till: Till, filters: dict[str, str], found: list[str]) -> None:
        assert listed(till, **filters) == found

    def test_takes_the_plus_of_an_offset_unescaped(self, till: Till) -> None:
        assert references(till.get("/transactions/?occurred_from=2026-04-29T23:59:59+02:00")) == ["card", "night"]

    def test_that_is_none_is_refused(self, till: Till) -> None:
        for query, fault in NO_FILTERS.items():
            answer = till.get(f"/transactions/?{query}")

            assert faults_of(answer) == {fault}, query
            assert body_of(answer)["code"] == ("unknown_parameter" if fault[0] is None else "validation_error")

    def test_is_told_with_all_the_others(self, till: Till) -> None:
        answer = till.get("/transactions/?day=1&business_date=x&payment_method=CASH&payment_method=CARD&page_size=0")

        assert faults_of(answer) == {
            (None, "unknown_parameter"),
            ("business_date", "invalid"),
            ("payment_method", "repeated"),
            ("page_size", "invalid"),
        }


class TestAnyQuery:
    @given(
        path=st.sampled_from(["/transactions/", "/products/"]),
        parameters=st.lists(
            st.tuples(st.sampled_from(PARAMETERS), st.one_of(st.binary(max_size=20), st.sampled_from(PLAUSIBLE))),
            max_size=3,
        ),
    )
    @on_one_campground
    def test_is_answered_with_a_list_or_with_its_faults(
        self, till: Till, path: str, parameters: list[tuple[str, bytes]]
    ) -> None:
        answer = till.get(f"{path}?" + "&".join(f"{name}={quote(value)}" for name, value in parameters))

        assert answer.status_code in {200, 400, 404}
        assert body_of(answer).keys() >= ({"results"} if answer.status_code == 200 else {"code", "errors"})

    @given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
    @on_one_campground
    def test_of_any_characters_is_answered(self, till: Till, query: str) -> None:
        assert till.get(f"/transactions/?{query}").status_code in {200, 400, 404}


class TestWhatIsNotListed:
    def test_is_a_sale_of_the_front_desk(self, till: Till, seeblick: Tenant) -> None:
        sell_at_the_front_desk(seeblick)

        assert listed(till) == []
        assert till.read_back("None").status_code == 404

    def test_is_a_sale_of_the_neighbour(self, till: Till, neighbours_till: Till) -> None:
        till.post(new_sale(external_ref="ours"))
        neighbours_till.post(new_sale(external_ref="theirs", items=[gas_bottle(line_total="12.50")]))

        assert listed(till) == ["ours"]
        assert listed(neighbours_till) == ["theirs"]
