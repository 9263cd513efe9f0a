from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalogue.models import Product
from tenants.models import Tenant
from tests.contract.sales import faults_of
from tests.factories import ProductFactory
from tests.till import Till, body_of

MORNING = datetime(2026, 4, 29, 6, 0, tzinfo=UTC)

NO_FILTERS = {
    "include_inactive=": ("include_inactive", "invalid"),
    "include_inactive=1": ("include_inactive", "invalid"),
    "include_inactive=True": ("include_inactive", "invalid"),
    "include_inactive=yes": ("include_inactive", "invalid"),
    "include_inactive=true&include_inactive=true": ("include_inactive", "repeated"),
    "updated_since=": ("updated_since", "invalid"),
    "updated_since=2026-04-29": ("updated_since", "invalid"),
    "updated_since=2026-04-29T06:00:00": ("updated_since", "invalid"),
    "sku=CROI": (None, "unknown_parameter"),
    "active=true": (None, "unknown_parameter"),
    "business_date=2026-04-29": (None, "unknown_parameter"),
}


def product(tenant: Tenant, sku: str, *, changed: datetime = MORNING, **fields: Any) -> Product:
    """A product last changed at an instant."""
    made = ProductFactory.create(tenant=tenant, sku=sku, **fields)
    Product.objects.filter(pk=made.pk).update(updated_at=changed)
    return made


def skus(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["sku"] for row in body_of(answer)["results"]]


@pytest.fixture
def shop(seeblick: Tenant, waldrand: Tenant) -> None:
    """Two products, one switched off since; and the neighbour's."""
    product(seeblick, "CROI", name="Croissant", category="Backwaren")
    product(
        seeblick,
        "GAS-5",
        name="Gasflasche 5 kg",
        unit_price=Decimal(68),
        vat_rate=Decimal("8.1"),
        changed=MORNING + timedelta(hours=2),
    )
    product(seeblick, "ICE", name="Glacé", active=False, changed=MORNING + timedelta(hours=1))
    product(waldrand, "KEBAB", changed=MORNING + timedelta(hours=3))


class TestProducts:
    def test_are_what_a_till_can_sell(self, till: Till, shop: None) -> None:
        answer = till.get("/products/")

        croissant = Product.objects.get(sku="CROI")
        assert skus(answer) == skus(till.get("/products")) == ["CROI", "GAS-5"]
        assert body_of(answer)["results"][0] == {
            "id": croissant.pk,
            "sku": "CROI",
            "name": "Croissant",
            "category": "Backwaren",
            "unit_price": "3.50",
            "vat_rate": "2.60",
            "currency": "CHF",
            "active": True,
            "updated_at": "2026-04-29T06:00:00Z",
        }

    def test_that_are_switched_off_come_on_request(self, till: Till, shop: None) -> None:
        assert skus(till.get("/products/?include_inactive=true")) == ["CROI", "GAS-5", "ICE"]
        assert skus(till.get("/products/?include_inactive=false")) == ["CROI", "GAS-5"]

    @pytest.mark.parametrize(
        ("since", "changed"),
        [
            ("2026-04-29T06:00:00Z", ["CROI", "GAS-5", "ICE"]),
            ("2026-04-29T06:00:00.000001Z", ["GAS-5", "ICE"]),
            ("2026-04-29T09:00:00%2B02:00", ["GAS-5", "ICE"]),
            ("2026-04-29T09:00:00+02:00", ["GAS-5", "ICE"]),
            ("2026-04-29T07:00:01Z", ["GAS-5"]),
            ("2026-04-29T08:00:01Z", []),
        ],
    )
    @pytest.mark.parametrize("more", ["", "&include_inactive=true", "&include_inactive=false"])
    def test_that_have_changed_come_with_those_switched_off(
        self, till: Till, shop: None, since: str, changed: list[str], more: str
    ) -> None:
        answer = till.get(f"/products/?updated_since={since}{more}")

        assert skus(answer) == changed
        assert {row["sku"] for row in body_of(answer)["results"] if not row["active"]} <= {"ICE"}

    def test_of_the_neighbour_are_theirs(self, till: Till, neighbours_till: Till, shop: None) -> None:
        assert skus(neighbours_till.get("/products/?include_inactive=true")) == ["KEBAB"]
        assert "KEBAB" not in skus(till.get("/products/?include_inactive=true"))

    def test_come_in_pages_like_any_list(self, till: Till, seeblick: Tenant) -> None:
        for number in range(5):
            product(seeblick, f"S-{number}")

        answer = till.get("/products/?page_size=2&page=2")

        assert skus(answer) == ["S-2", "S-3"]
        assert (body_of(answer)["count"], till.get("/products/?page=9").status_code) == (5, 404)
        assert 'rel="next"' in answer["Link"]

    def test_asked_for_in_an_unknown_way_are_refused(self, till: Till) -> None:
        for query, fault in NO_FILTERS.items():
            assert faults_of(till.get(f"/products/?{query}")) == {fault}, query


class TestTheETag:
    def test_is_strong_and_stays_while_nothing_changes(self, till: Till, shop: None) -> None:
        tags = {till.get("/products/")["ETag"] for _ in range(3)}

        assert len(tags) == 1
        assert re.fullmatch(r'"[0-9a-f]{32}"', tags.pop())

    @pytest.mark.parametrize("wish", ["{}", "W/{}", "*", '"other", {}', '{},"other"', '"other",W/{} , "more"'])
    def test_that_is_known_spares_the_body(self, till: Till, shop: None, wish: str) -> None:
        etag = till.get("/products/")["ETag"]

        answer = till.get("/products/", if_none_match=wish.format(etag))

        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)

    @pytest.mark.parametrize("wish", ["", '"other"', 'W/"other"', "junk", '"', ",,,", "w/{}", "{0}{0}", "x" * 5000])
    def test_that_is_another_brings_the_body(self, till: Till, shop: None, wish: str) -> None:
        etag = till.get("/products/")["ETag"]

        answer = till.get("/products/", if_none_match=wish.format(etag))

        assert (answer.status_code, answer["ETag"]) == (200, etag)
        assert body_of(answer)["count"] == 2

    @pytest.mark.parametrize(
        "change",
        [{"name": "Gipfeli"}, {"unit_price": Decimal("3.60")}, {"active": False}, {"vat_rate": Decimal("8.1")}],
    )
    def test_changes_with_every_change_that_a_till_can_see(
        self, till: Till, shop: None, change: dict[str, Any]
    ) -> None:
        before = till.get("/products/")["ETag"]
        Product.objects.filter(sku="CROI").update(**change)

        answer = till.get("/products/", if_none_match=before)

        assert answer.status_code == 200
        assert answer["ETag"] != before

    def test_is_another_for_another_list(self, till: Till, neighbours_till: Till, shop: None) -> None:
        answers = [
            till.get("/products/"),
            till.get("/products/?page_size=1"),
            till.get("/products/?include_inactive=true"),
            neighbours_till.get("/products/"),
        ]

        assert len({answer["ETag"] for answer in answers}) == len(answers)
        assert len({answer.content for answer in answers}) == len(answers)

    def test_is_not_asked_for_by_a_stranger(self, till: Till, shop: None) -> None:
        answer = Till(None).get("/products/", if_none_match=till.get("/products/")["ETag"])

        assert answer.status_code == 401
