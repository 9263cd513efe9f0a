"""Figures for the operator: counted beside the calls, told to those who may see them."""

from __future__ import annotations

import json
import os
from collections import deque
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from apikeys.minting import Minted
from campone.models import Deed
from campone.operation import probes as probing
from campone.operation.exposition import exposed
from campone.operation.hearing import Heard, Listener
from campone.operation.probes import Probes
from campone.operation.standing import LastLook, Standing, Waiting, look
from campone.operation.tallies import Tallies, WorkersFile, tallies_in
from pos_bridge import answered
from pos_bridge.answered import Told
from tenants.models import Tenant
from tests.operation.asking import ask, nobody_else
from tests.till import Till, croissants_and_coffee

NOW = datetime.fromisoformat("2026-07-15T10:00:00Z")
TOKEN = "figures-for-the-operator"
BEARER = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> deque[Told]:
    """Somebody listens."""
    monkeypatch.setattr(answered, "LISTENING", None)
    return answered.listen()


@pytest.fixture
def probes(settings: Settings, tmp_path: Path, told: deque[Told], monkeypatch: pytest.MonkeyPatch) -> Probes:
    """A worker whose figures are asked for with a token; the test's own connection stays with the test."""
    monkeypatch.setattr(probing, "give_connection_back", lambda: None)
    settings.METRICS_TOKEN, settings.METRICS_FOLDER = TOKEN, tmp_path
    return Probes(others=nobody_else, listener=Listener([WorkersFile(tmp_path).hear], told))


def figures(text: bytes) -> dict[str, dict[tuple[str, ...], float]]:
    """Each figure by the values of its labels, in the order of their names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = tuple(value for _name, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


class TestACall:
    def test_is_told_to_nobody_where_nobody_listens(self, till: Till) -> None:
        till.post(croissants_and_coffee())

        assert answered.LISTENING is None

    def test_is_counted_by_route_outcome_and_code(self, till: Till, probes: Probes) -> None:
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee(external_ref="T-2", total_amount="99.00"))
        till.read_back("T-of-nobody")
        Till("ck_" + "x" * 32).get("/ping/")
        till.call("BREW", "/ping/")

        calls = figures(ask(probes, "/metrics", **BEARER).content)["bridge_calls_total"]

        assert calls == {
            # code, method, outcome, route, status
            ("", "POST", "created", "transactions", "201"): 1,
            ("", "POST", "replayed", "transactions", "200"): 1,
            ("total_mismatch", "POST", "refused", "transactions", "400"): 1,
            ("not_found", "GET", "refused", "transaction", "404"): 1,
            ("invalid_key", "GET", "refused", "ping", "401"): 1,
            ("method_not_allowed", "other", "refused", "ping", "405"): 1,
        }

    def test_stands_in_the_histogram_once(self, till: Till, probes: Probes) -> None:
        till.post(croissants_and_coffee())

        told = figures(ask(probes, "/metrics", **BEARER).content)

        assert told["bridge_call_seconds_count"] == {("POST", "transactions"): 1}
        assert told["bridge_call_seconds_bucket"][("+Inf", "POST", "transactions")] == 1
        assert 0 < told["bridge_call_seconds_sum"][("POST", "transactions")] < 60

    def test_names_neither_campground_nor_reference_nor_path(self, till: Till, key: Minted, probes: Probes) -> None:
        till.post(croissants_and_coffee(external_ref="T-secret"))
        till.read_back("T-secret")

        text = ask(probes, "/metrics", **BEARER).content.decode()

        assert not [word for word in ("seeblick", "T-secret", "/api/", key.token, key.token[:11]) if word in text]


class TestCountsOfWorkers:
    def test_are_summed_and_never_fall(self, tmp_path: Path) -> None:
        for pid, calls in (("11", 3), ("12", 4)):
            tallies = Tallies()
            tallies.calls["ping", "GET", "200", "read", ""] = calls
            tallies.buckets["ping", "GET"][2] = calls
            tallies.seconds["ping", "GET"] = calls
            (tmp_path / f"{pid}.json").write_text(tallies.to_json({"pool_size": 2}))

        both = tallies_in(tmp_path)
        os.utime(tmp_path / "11.json", (0, 0))
        later = tallies_in(tmp_path)

        assert both.calls == later.calls == {("ping", "GET", "200", "read", ""): 7}
        assert both.buckets == later.buckets == {("ping", "GET"): {2: 7}}
        assert (both.workers, both.pool["pool_size"]) == (2, 4)
        assert (later.workers, later.pool["pool_size"]) == (1, 2)

    def test_one_ear_in_trouble_does_not_deafen_the_others(self, till: Till, told: deque[Told]) -> None:
        heard: list[int] = []

        def deaf(calls: list[Heard]) -> None:
            raise OSError

        till.get("/ping/")
        Listener([deaf, lambda calls: heard.append(len(calls))], told).hear()

        assert heard == [1]


class TestWhoMaySeeThem:
    def test_whoever_has_the_token(self, db: None, probes: Probes) -> None:
        answer = ask(probes, "/metrics", **BEARER)

        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain")

    @pytest.mark.parametrize("sent", ["", TOKEN, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é"])
    def test_nobody_else(self, probes: Probes, sent: str) -> None:
        answer = ask(probes, "/metrics", HTTP_AUTHORIZATION=sent)

        assert (answer.status_code, json.loads(answer.content)) == (404, {"detail": "not_found"})

    def test_nobody_without_a_token_of_ours(self, probes: Probes, settings: Settings) -> None:
        settings.METRICS_TOKEN = ""

        assert ask(probes, "/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 404

    @pytest.mark.parametrize(
        "asked",
        [
            # proxies in front, who calls, for whom, and the answer
            (0, "10.1.2.3", "", 200),
            (0, "192.0.2.1", "", 404),
            (0, "192.0.2.1", "10.1.2.3", 404),
            (1, "127.0.0.1", "10.1.2.3", 200),
            (1, "127.0.0.1", "10.1.2.3, 192.0.2.1", 404),
            # Past all proxies, as Prometheus does; past the outer one, with the inner one's address.
            (1, "10.1.2.3", "", 200),
            (2, "10.1.2.3", "192.0.2.1", 404),
            (2, "10.1.2.3", " , ", 404),
            (0, "", "", 404),
        ],
    )
    def test_whoever_calls_from_an_address_that_is_let_in(
        self, db: None, probes: Probes, settings: Settings, asked: tuple[int, str, str, int]
    ) -> None:
        settings.METRICS_ADDRESSES = [ip_network("10.0.0.0/8")]
        settings.PROXY_COUNT, address, forwarded, status = asked

        answer = ask(probes, "/metrics", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=forwarded)

        assert answer.status_code == status


class TestHowCampgroundsStand:
    def test_counts_what_waits_at_each(self, till: Till, seeblick: Tenant, waldrand: Tenant) -> None:
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee(total_amount="13.00", rounding_amount="0.50"))

        standing = look(at=timezone.now())

        assert standing.campgrounds == {"seeblick": Waiting(1, 0, 0), "waldrand": Waiting(0, 0, 0)}

    def test_tells_when_each_deed_was_last_done(self, db: None) -> None:
        Deed.objects.create(name="journals", begun_at=NOW, done_at=NOW)
        Deed.objects.create(name="prune", begun_at=NOW)

        assert look(at=NOW).done == {"journals": NOW}

    def test_holds_for_a_minute(self, seeblick: Tenant) -> None:
        last = LastLook()
        first = last.at(NOW)

        assert last.at(NOW + timedelta(seconds=59)) is first
        assert last.at(NOW + timedelta(seconds=61)) is not first

    def test_names_campgrounds_only_if_that_is_chosen(self) -> None:
        standing = Standing(NOW, {"seeblick": Waiting(2, 1, 0), "waldrand": Waiting(3, 0, 4)}, {"journals": NOW})

        nameless = figures(exposed(Tallies(), standing, name_tenants=False))
        named = figures(exposed(Tallies(), standing, name_tenants=True))

        assert nameless["bridge_parked_sales"] == {(): 5}
        assert named["bridge_parked_sales"] == {("seeblick",): 2, ("waldrand",): 3}
        assert (nameless["bridge_silent_tills"], nameless["bridge_unsent_journals"]) == ({(): 1}, {(): 4})
        assert nameless["bridge_due_last_done_timestamp_seconds"] == {("journals",): NOW.timestamp()}

    def test_is_not_known_while_the_database_is_away(self, probes: Probes, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*args: object, **kwargs: object) -> None:
            raise OperationalError

        monkeypatch.setattr(LastLook, "at", away)

        told = figures(ask(probes, "/metrics", **BEARER).content)

        assert told["bridge_database_up"] == {(): 0}
        assert "bridge_parked_sales" not in told
        assert told["bridge_workers"] == {(): 1}
