"""Every call of the client against the bridge itself: what the fake says, the bridge says too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from django.utils import timezone

from apikeys.minting import Minted
from kasse.models import Transaction
from tenants.models import Tenant
from tests.factories import ProductFactory, mint
from tests.pos_bridge.numbering import sell
from tests.server.process import Server
from tests.till_client.sales import croissants, refused
from till_client import (
    Conflict,
    Drain,
    KeyRefused,
    Outbox,
    Receipt,
    Result,
    SaleRefused,
    TillClient,
    reconcile_day,
    sale_from,
)

DAY = "2026-04-29"


@pytest.fixture
def till(server: Server, full_hashes: None, key: Minted, waldrand: Tenant) -> Iterator[TillClient]:
    with TillClient(f"http://127.0.0.1:{server.port}", key.token) as client:
        yield client


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite3") as outbox:
        yield outbox


class TestTheClient:
    def test_posts_and_reads_back(self, till: TillClient) -> None:
        first, again = till.post(croissants(1)), till.post(croissants(1))

        assert (first.created, again.created) == (True, False)
        assert first.transaction_id == again.transaction_id
        assert first.business_date == DAY
        assert (till.read_back("kiosk-1") or {})["id"] == first.transaction_id
        assert till.read_back("kiosk-2") is None
        assert till.read_back("summary") is None

    def test_is_told_why_a_sale_is_refused(self, till: TillClient) -> None:
        till.post(croissants(1))

        with pytest.raises(SaleRefused) as mismatch:
            till.post(refused(2))
        with pytest.raises(Conflict):
            till.post(croissants(1, occurred_at="2026-04-30T10:14:32+02:00"))
        assert mismatch.value.code == "total_mismatch"

    def test_is_told_that_its_key_is_none(self, server: Server, till: TillClient, waldrand: Tenant) -> None:
        reading = mint(waldrand, name="Waldrand display", scopes=["pos:read"]).token
        for token in ("ck_" + "x" * 32, reading):
            with (
                TillClient(f"http://127.0.0.1:{server.port}", token) as stranger,
                pytest.raises(KeyRefused),
            ):
                stranger.post(croissants(1))

    def test_posts_a_batch_in_which_each_stands_for_itself(self, till: TillClient) -> None:
        till.post(croissants(1))
        odd = sale_from(b'{"external_ref": "kiosk-9", "external_ref": "kiosk-9"}')

        results = till.post_batch([croissants(1), refused(2), croissants(3), odd, croissants(1) | {"x": "y"}])

        assert [each.result for each in results.values()] == [
            Result.REPLAYED,
            Result.INVALID,
            Result.CREATED,
            Result.INVALID,
        ]
        assert results["bad-2"].reason.startswith("400 total_mismatch")

    def test_fetches_products_once(self, till: TillClient, seeblick: Tenant) -> None:
        ProductFactory.create_batch(3, tenant=seeblick)

        first, second = till.products(), till.products()

        assert len(first) == 3
        assert first == second

    def test_asks_who_it_is_and_what_the_day_came_to(self, till: TillClient) -> None:
        till.post(croissants(1))

        assert till.ping()["tenant"]["slug"] == "seeblick"
        assert (till.summary(DAY)["count"], till.summary(DAY, mine=False)["total_amount"]) == (1, "3.55")
        assert (
            till.reconcile_totals(DAY, count=1, total_amount="3.55", payments={"CARD": "3.55"})["verdict"] == "complete"
        )
        assert till.reconcile_totals(DAY, count=2, total_amount="9.00", payments={})["verdict"] == "incomplete"

    def test_numbers_its_receipts_and_asks_which_are_missing(self, till: TillClient, key: Minted) -> None:
        till.post(croissants(1, till_id="Kiosk 2", receipt_seq=1041))
        before = timezone.now() - timedelta(days=2)
        sell(key.key, [1038, 1040], device="Kiosk 2", since=before, received_at=before)

        kept = till.read_back("kiosk-1") or {}
        [gap] = till.get("gaps/")["results"]

        assert (kept["till_id"], kept["receipt_seq"]) == ("Kiosk 2", 1041)
        assert (gap["till_id"], gap["first"], gap["last"]) == ("Kiosk 2", 1039, 1039)


class TestTheEvening:
    def test_finds_exactly_what_the_bridge_has_lost_and_sends_it_again(
        self, till: TillClient, box: Outbox, seeblick: Tenant
    ) -> None:
        """As after a backup was put back: the till has receipts for sales that the bridge no longer knows."""
        box.put_all(croissants(number) for number in range(20))
        lost = {"kiosk-3", "kiosk-17"}
        box.acknowledge(Receipt(name, "id", created=True, transaction={"business_date": DAY}) for name in lost)
        drain = Drain(box, till, rng=Random(7))
        assert drain.until_settled()
        assert Transaction.objects.of(seeblick).count() == 18

        evening = reconcile_day(box, till, business_date=DAY, drain=drain)

        assert (evening.sent_again, evening.is_complete) == (2, True)
        assert Transaction.objects.of(seeblick).count() == 20

    def test_is_not_complete_while_a_sale_is_unknown_to_the_till(self, till: TillClient, box: Outbox) -> None:
        till.post(croissants(1))

        evening = reconcile_day(box, till, business_date=DAY, drain=Drain(box, till))

        assert not evening.is_complete
        assert evening.verdict["unknown_to_you"] == [{"external_ref": "kiosk-1", "total_amount": "3.55"}]
