"""The storm in small, as it runs on every change; in full it is ``python -m tests.till_client.storm``."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import pytest

from apikeys.minting import Minted
from kasse.models import Transaction
from tenants.models import Tenant
from tests.factories import mint
from tests.server.process import plain_environment
from tests.server.service import Service, running
from tests.till_client.fake import TOKEN, FakeBridge
from tests.till_client.sales import croissants
from tests.till_client.selling import Hurried
from tests.till_client.spoiling import BRIEF_HARMS, Fate, spoiled_network
from tests.till_client.storm import Plan, Report, storm, week_offline
from till_client import Drain, Outbox, TillClient


@pytest.fixture
def service(transactional_db: None, full_hashes: None, tmp_path: Path) -> Service:
    return Service(plain_environment(), log=tmp_path / "bridge.log", workers=1)


class TestASpoiledNetwork:
    def test_loses_no_sale_and_doubles_none(self, bridge: FakeBridge, tmp_path: Path) -> None:
        """Six calls of ten are spoiled; with this seed every fate is met."""
        with (
            spoiled_network(bridge.server_port, share=0.6, seed=7) as network,
            Outbox(tmp_path / "outbox.sqlite3") as outbox,
            TillClient(f"http://127.0.0.1:{network.port}", TOKEN, timeout=5) as client,
        ):
            drain = Drain(outbox, client, rng=Hurried(7))
            for number in range(120):
                outbox.put(croissants(number))
                if number % 3 == 0:
                    drain.step()
            while (wait := drain.step()) is not None:
                time.sleep(wait)

            assert outbox.counts() == {"waiting": 0, "sending": 0, "acknowledged": 120, "poison": 0}
        assert len(bridge.stored) == 120
        assert {len(bodies) for bodies in bridge.sent.values()} == {1}
        assert set(network.fates) == {Fate.PASSED, *BRIEF_HARMS}


class TestTheStorm:
    def test_in_small_leaves_both_sides_with_the_same_books(
        self, service: Service, seeblick: Tenant, waldrand: Tenant, key: Minted, tmp_path: Path
    ) -> None:
        plan = Plan(sales=240, seed=secrets.randbelow(10**6), till_deaths=4, bridge_deaths=1)
        print(f"seed {plan.seed}")  # noqa: T201  shown when it fails

        with running(service):
            report = storm(plan, service=service, token=key.token, folder=tmp_path)

        assert report.is_exact, report
        assert report.deaths == {"till": 4, "bridge": 1}
        assert Transaction.objects.of(seeblick).count() == 240
        assert not Transaction.objects.of(waldrand).exists()

    def test_of_a_week_offline_fits_into_an_hours_budget(
        self, service: Service, seeblick: Tenant, tmp_path: Path
    ) -> None:
        token = mint(seeblick, name="Kiosk", budget=10).token

        with running(service):
            told = week_offline(service, token=token, folder=tmp_path, sales=900)

        assert "900 acknowledged (0 of them again), 0 set aside, 0 to be sent again, 9 calls; all settled" in told

    def test_fails_when_a_sale_is_missing_doubled_or_different(self) -> None:
        exact = Report(Plan(sales=2, seed=1), sold=2, stored=2, verdicts=["complete"] * 3)
        exact.outbox = {"waiting": 0, "sending": 0, "acknowledged": 2, "poison": 0}
        assert exact.is_exact

        for name, value in {
            "stored": 1,
            "doubled": 1,
            "sum_stored": 5,
            "outbox": {},
            "verdicts": ["incomplete"],
        }.items():
            before = getattr(exact, name)
            setattr(exact, name, value)
            assert not exact.is_exact, name
            setattr(exact, name, before)
