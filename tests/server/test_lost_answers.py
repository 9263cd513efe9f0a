"""Answers lost on purpose: the sale is stored, and the connection breaks."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from pathlib import Path
from random import Random

import pytest

from apikeys.minting import Minted
from kasse.models import Transaction
from pos_bridge.losing_models import Losing, LosingAnswers
from pos_bridge.models import InboundCall
from tenants.models import Tenant
from tests.factories import mint
from tests.house.documents import ROOT, blocks_of
from tests.server.calls import Answer, Conversation, WireTill
from tests.server.process import Server
from tests.till import BASE, croissants_and_coffee
from tests.till_client.sales import croissants
from till_client import Drain, Outbox, TillClient

GUIDE = ROOT / "docs" / "how-to" / "make-a-till.md"
SALE = json.dumps(croissants_and_coffee()).encode()


def lose(till: WireTill, path: str = "/transactions/", body: bytes = SALE) -> Answer:
    """A call that asks for its answer to be lost."""
    return till.call("POST", path, body=body, headers={"Content-Type": "application/json", "X-Lose-Answer": "1"})


def logged() -> list[tuple[int, str, str]]:
    """Status, outcome and code of each call of the log, the oldest first."""
    return list(InboundCall.objects.order_by("at", "pk").values_list("status", "outcome", "error_code"))


class TestALostAnswer:
    def test_breaks_the_connection_after_the_sale_is_stored(self, server: Server, trial: Minted) -> None:
        till = WireTill(server.port, trial.token)

        with pytest.raises(http.client.RemoteDisconnected):
            lose(till)
        retry = till.post(croissants_and_coffee())

        assert Transaction.objects.count() == 1
        assert (retry.status, retry.headers["idempotent-replayed"]) == (200, "true")
        assert logged() == [(201, "created", "answer_lost"), (200, "replayed", "")]

    def test_says_nothing_at_all(self, server: Server, trial: Minted) -> None:
        till = WireTill(server.port, trial.token)
        lines = ("Content-Type: application/json", f"Content-Length: {len(SALE)}", "X-Lose-Answer: 1")

        before = len(server.log)
        for _ in range(20):
            with Conversation(server.port) as line:
                line.send(till.head("POST", "/transactions/", *lines) + SALE)
                heard = line.listen()
            assert (heard, line.closed_by_server) == (b"", True)

        assert "Traceback" not in server.log[before:]

    def test_may_be_that_of_a_retry_too(self, server: Server, trial: Minted) -> None:
        till = WireTill(server.port, trial.token)
        till.post(croissants_and_coffee())

        with pytest.raises(http.client.RemoteDisconnected):
            lose(till)

        assert logged() == [(201, "created", ""), (200, "replayed", "answer_lost")]

    def test_may_be_that_of_a_batch(self, server: Server, trial: Minted) -> None:
        till = WireTill(server.port, trial.token)
        batch = json.dumps({"transactions": [croissants_and_coffee()]}).encode()

        with pytest.raises(http.client.RemoteDisconnected):
            lose(till, "/transactions/batch/", batch)

        assert Transaction.objects.count() == 1
        assert logged()[-1][2] == "answer_lost"

    def test_is_never_a_refusal_nor_what_was_asked_for(self, server: Server, trial: Minted) -> None:
        till = WireTill(server.port, trial.token)
        asking = {"X-Lose-Answer": "1"}

        assert lose(till, body=b"{}").status == 400
        assert till.call("GET", "/ping/", headers=asking).status == 200
        assert till.call("GET", "/transactions/", headers=asking).status == 200

    def test_is_never_one_to_a_real_key(self, server: Server, key: Minted) -> None:
        assert lose(WireTill(server.port, key.token)).status == 201


class TestTheSwitchOfATestKey:
    @pytest.mark.parametrize(
        ("mode", "lost"),
        [
            (Losing.NEVER, [False, False, False, False]),
            (Losing.ONCE, [True, False, False, False]),
            (Losing.THIS, [True, False, True, False]),
        ],
    )
    def test_says_which_answers_are_lost(
        self, server: Server, stage: Tenant, trial: Minted, mode: Losing, lost: list[bool]
    ) -> None:
        LosingAnswers.objects.create(tenant=stage, api_key=trial.key, mode=mode)
        till, other = WireTill(server.port, trial.token), WireTill(server.port, mint(stage).token)

        found = []
        for number in range(4):
            assert other.post(croissants_and_coffee(external_ref=f"other-{number}")).status == 201
            try:
                found.append(till.post(croissants_and_coffee(external_ref=f"T-{number}")).status != 201)
            except http.client.RemoteDisconnected:
                found.append(True)

        assert found == lost
        assert Transaction.objects.count() == 8


class TestAnOutbox:
    def test_comes_through_though_every_second_answer_is_lost(
        self, server: Server, stage: Tenant, trial: Minted, tmp_path: Path
    ) -> None:
        LosingAnswers.objects.create(tenant=stage, api_key=trial.key, mode=Losing.THIS)

        with (
            Outbox(tmp_path / "outbox.sqlite3") as outbox,
            TillClient(f"http://127.0.0.1:{server.port}", trial.token) as client,
        ):
            for number in range(7):
                outbox.put(croissants(number))
            assert Drain(outbox, client, rng=Random(7)).until_settled()

        assert Transaction.objects.count() == 7
        assert InboundCall.objects.filter(error_code="answer_lost").exists()


class TestTheTillMakersGuide:
    def test_shows_commands_that_lose_an_answer_and_find_the_sale_again(
        self, server: Server, trial: Minted, tmp_path: Path
    ) -> None:
        shown = {block.marker: block.text for block in blocks_of(GUIDE.read_text())}
        (tmp_path / "sale.json").write_bytes(SALE)
        url = f"http://127.0.0.1:{server.port}{BASE}/transactions/"
        environment = {**os.environ, "TILL_URL": url, "TILL_TOKEN": trial.token}

        def typed(command: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )

        lost, again = typed(shown["lost"]), typed(shown["again"])

        assert "Empty reply from server" in lost.stderr
        assert lost.stdout == ""
        assert again.stdout.startswith("HTTP/1.1 200")
        assert "idempotent-replayed: true" in again.stdout
        assert Transaction._base_manager.count() == 1
