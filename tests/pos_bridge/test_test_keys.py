"""A test key does all that a real one does, and nothing of it counts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apikeys.minting import Minted
from apikeys.models import ApiKey, Scope
from apikeys.tokens import make_token
from catalogue.models import VatRate
from kasse.models import Transaction
from pos_bridge.models import BridgeSettings, InboundCall, ParkedSale, Reconciliation
from tenants.models import Tenant
from tenants.rehearsals import open_rehearsal, rehearsal_of
from tests.factories import ProductFactory, mint
from tests.till import Body, Till, body_of, croissants_and_coffee

REFERENCE = "seeblick-2026-04-29-T-1"


def a_day_of(till: Till) -> list[tuple[int, Any]]:
    """Everything that a till may ask, one after the other: status and body of each answer."""
    sale = croissants_and_coffee()
    batch = {"transactions": [sale, croissants_and_coffee(external_ref="B-2"), {"external_ref": "B-3"}]}
    told = {"business_date": "2026-04-29", "transactions": [{"external_ref": REFERENCE, "total_amount": "12.50"}]}
    answers = [
        till.get("/ping/"),
        till.call("POST", "/transactions/?dry_run=1", body=json.dumps(sale).encode()),
        till.post(sale),
        till.post(sale),
        till.post(croissants_and_coffee(total_amount="12.60", rounding_amount="0.10")),
        till.post({"external_ref": "broken"}),
        till.call("POST", "/transactions/batch/", body=json.dumps(batch).encode()),
        till.read_back(REFERENCE),
        till.read_back("nobody's"),
        till.get("/transactions/?business_date=2026-04-29"),
        till.get("/transactions/summary/?business_date=2026-04-29"),
        till.call("POST", "/reconciliations/", body=json.dumps(told).encode()),
        till.get("/products/"),
        till.get("/nothing-here/"),
    ]
    return [(answer.status_code, without_chance(body_of(answer))) for answer in answers]


CHANCE = {"id", "received_at", "request_id", "server_time", "key_prefix", "test", "at", "stored_id"}


def without_chance(value: Any) -> Any:
    """A body without what differs from one run to the next."""
    if isinstance(value, dict):
        return {name: without_chance(each) for name, each in value.items() if name not in CHANCE}
    return [without_chance(each) for each in value] if isinstance(value, list) else value


class TestATestKey:
    def test_is_answered_like_a_real_one(self, seeblick: Tenant, till: Till, trying: Till) -> None:
        ProductFactory.create(tenant=seeblick)

        rehearsed, real = a_day_of(trying), a_day_of(till)

        assert rehearsed == real
        assert {status for status, _body in real} == {200, 201, 400, 404, 409}

    def test_says_so_in_every_answer(self, trying: Till, till: Till) -> None:
        for path in ("/ping/", "/transactions/", "/products/", "/nothing-here/", "/transactions/?colour=red"):
            assert trying.get(path)["X-Test-Key"] == "true"
            assert "X-Test-Key" not in till.get(path)

        assert body_of(trying.get("/ping/"))["test"] is True
        assert body_of(till.get("/ping/"))["test"] is False

    def test_meets_no_sale_of_a_real_one(self, till: Till, trying: Till) -> None:
        till.post(croissants_and_coffee())

        assert trying.read_back(REFERENCE).status_code == 404
        assert trying.post(croissants_and_coffee(total_amount="0.00", items=free())).status_code == 201
        assert body_of(till.read_back(REFERENCE))["total_amount"] == "12.50"

    def test_shares_its_sales_with_the_campgrounds_other_test_keys(self, stage: Tenant, trying: Till) -> None:
        trying.post(croissants_and_coffee())

        assert Till(mint(stage).token).post(croissants_and_coffee()).status_code == 200

    def test_of_the_neighbour_sees_nothing_of_it(self, waldrand: Tenant, trying: Till) -> None:
        trying.post(croissants_and_coffee())

        assert Till(mint(open_rehearsal(waldrand)).token).read_back(REFERENCE).status_code == 404

    def test_writes_nothing_into_the_campground(
        self, seeblick: Tenant, stage: Tenant, trying: Till, trial: Minted
    ) -> None:
        a_day_of(trying)

        for model in (Transaction, ParkedSale, Reconciliation):
            assert model.objects.of(seeblick).count() == 0
            assert model.objects.of(stage).exists()
        assert not InboundCall.objects.filter(tenant=seeblick).exists()
        assert InboundCall.objects.filter(tenant=stage, api_key=trial.key).count() == 14

    def test_is_counted_against_its_own_budget(self, stage: Tenant, till: Till) -> None:
        trying = Till(mint(stage, budget=2).token)

        assert [trying.get("/ping/").status_code for _ in range(3)] == [200, 200, 429]
        assert till.get("/ping/").status_code == 200

    def test_is_held_to_its_scopes(self, stage: Tenant) -> None:
        reader = Till(mint(stage, scopes=[Scope.POS_READ]).token)

        assert reader.post(croissants_and_coffee()).status_code == 403

    def test_is_refused_once_it_is_revoked(self, trying: Till, trial: Minted) -> None:
        assert trying.get("/ping/").status_code == 200

        trial.key.revoke(at=timezone.now())

        assert body_of(trying.get("/ping/"))["detail"] == "key_inactive"

    def test_opens_its_own_campgrounds_host_alone(self, trial: Minted, waldrand: Tenant) -> None:
        def asked(slug: str) -> int:
            return Till(trial.token, host=f"{slug}.campone.example").get("/ping/").status_code

        assert asked("seeblick") == 200
        assert asked("waldrand") == 401


def free() -> list[Body]:
    return [{"description": "Probe", "quantity": 1, "unit_price": "0.00", "line_total": "0.00"}]


class TestWhatARehearsalBorrows:
    def test_is_what_the_campground_has_now(self, seeblick: Tenant, trying: Till) -> None:
        assert trying.get("/ping/").status_code == 200
        seeblick.name, seeblick.zone, seeblick.currency, seeblick.cutoff_hour = "Seeblick 2", "Asia/Tokyo", "EUR", 6
        seeblick.save()

        told = body_of(trying.get("/ping/"))
        sale = body_of(trying.post(croissants_and_coffee(occurred_at="2026-04-29T20:30:00Z")))

        assert told["tenant"] == {"slug": "seeblick", "name": "Seeblick 2", "zone": "Asia/Tokyo"}
        assert (told["currency"], sale["currency"]) == ("EUR", "EUR")
        assert sale["business_date"] == "2026-04-29"  # half past five in Tokyo: still the day before

    def test_is_whether_the_campground_is_switched_on(self, seeblick: Tenant, trying: Till) -> None:
        assert trying.get("/ping/").status_code == 200

        Tenant.objects.filter(pk=seeblick.pk).update(is_active=False)

        assert body_of(trying.get("/ping/"))["detail"] == "key_inactive"

    def test_is_whether_the_bridge_is_switched_on(self, seeblick: Tenant, trying: Till) -> None:
        assert trying.get("/ping/").status_code == 200

        BridgeSettings.objects.create(tenant=seeblick, enabled=False)

        assert body_of(trying.post(croissants_and_coffee()))["detail"] == "pos_bridge_disabled"

    def test_are_its_vat_rates(self, seeblick: Tenant, waldrand: Tenant, trying: Till) -> None:
        VatRate.objects.of(waldrand).delete()
        ProductFactory.create(tenant=seeblick, sku="CR", vat_rate=Decimal("2.6"))
        ProductFactory.create(tenant=waldrand, sku="CR", vat_rate=Decimal("8.1"))
        BridgeSettings.objects.create(tenant=seeblick, default_vat_rate=Decimal("8.1"))
        sale = croissants_and_coffee()
        sale["items"][0]["sku"] = "CR"

        items = body_of(trying.post(sale))["items"]

        assert [item["vat_rate"] for item in items] == ["2.60", "8.10"]

    def test_is_its_catalogue(self, seeblick: Tenant, waldrand: Tenant, trying: Till, till: Till) -> None:
        ProductFactory.create(tenant=seeblick, name="Gipfeli")
        ProductFactory.create(tenant=waldrand, name="Brennholz")

        assert [each["name"] for each in body_of(trying.get("/products/"))["results"]] == ["Gipfeli"]
        assert trying.get("/products/")["ETag"] == till.get("/products/")["ETag"]


class TestARehearsal:
    def test_is_no_campground(self, seeblick: Tenant, waldrand: Tenant, stage: Tenant) -> None:
        assert set(Tenant.objects.all()) == {seeblick, waldrand}
        assert [each.pk for each in Tenant.rehearsals.all()] == [-seeblick.pk] == [stage.pk]
        assert stage.is_rehearsal
        assert not seeblick.is_rehearsal

    def test_is_opened_once(self, seeblick: Tenant, stage: Tenant) -> None:
        assert open_rehearsal(seeblick) == open_rehearsal(stage) == rehearsal_of(seeblick) == stage
        assert Tenant.rehearsals.count() == 1

    def test_is_told_from_a_campground_by_the_database(self, seeblick: Tenant) -> None:
        for pk, slug in ((-7, "lakeside"), (0, "test:0")):
            with pytest.raises(IntegrityError, match="tenant_rehearses_below_zero"), transaction.atomic():
                Tenant.objects.create(pk=pk, slug=slug, name="Lakeside")

    def test_has_test_keys_alone(self, seeblick: Tenant, trial: Minted, key: Minted) -> None:
        for tenant, start in ((-seeblick.pk, "ck_"), (seeblick.pk, "ckt_"), (seeblick.pk, "ckx_")):
            with pytest.raises(IntegrityError, match="api_key_prefix_shape"), transaction.atomic():
                ApiKey.objects.filter(pk=key.key.pk).update(tenant=tenant, prefix=f"{start}a1b2c3d4")

    def test_gives_its_keys_a_start_of_their_own(self, trial: Minted, key: Minted) -> None:
        assert trial.token.startswith("ckt_")
        assert len(trial.token) == 36
        assert trial.key.prefix == trial.token[:12]
        assert trial.key.is_test
        assert not key.key.is_test


class TestATokenOfATestKey:
    @pytest.mark.parametrize("start", ["ckt_", "ck_"])
    def test_is_refused_at_a_glance_if_it_is_made_up(self, start: str, trying: Till) -> None:
        made_up = make_token(start)[:-2] + "aa"

        assert Till(made_up).get("/ping/").status_code == 401

    def test_does_not_pass_as_the_token_of_a_real_one(self, trial: Minted, key: Minted) -> None:
        assert Till("ck_" + trial.token.removeprefix("ckt_")).get("/ping/").status_code == 401
        assert Till("ckt_" + key.token.removeprefix("ck_")).get("/ping/").status_code == 401

    def test_is_cut_out_of_the_log_but_for_its_prefix(self, trying: Till, trial: Minted) -> None:
        trying.get(f"/transactions/{trial.token}/", x_request_id=trial.token)

        call = InboundCall.objects.get()
        assert call.path.endswith(f"/transactions/{trial.key.prefix}…/")
        assert call.external_ref == f"{trial.key.prefix}…"
        assert call.key_prefix == trial.key.prefix
        assert trial.token not in call.request_id

    def test_is_cut_out_of_what_is_parked(self, trying: Till, trial: Minted) -> None:
        trying.post(croissants_and_coffee())

        trying.post(croissants_and_coffee(total_amount="0.00", items=free(), metadata={"note": trial.token}))

        assert trial.token not in ParkedSale.objects.get().payload
