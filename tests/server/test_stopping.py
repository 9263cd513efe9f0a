"""The end of a server: by Ctrl-C, which the whole group hears, and by the word of an init system."""

from __future__ import annotations

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from apikeys.minting import Minted
from kasse.models import Transaction
from tests.server.calls import WireTill
from tests.server.process import running_server
from tests.till import croissants_and_coffee

PATIENCE = 5
ROUNDS = 3


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
class TestAServerWhoseWholeGroupIsToldToStop:
    def test_ends_soon_and_well_each_time(
        self, tmp_path: Path, transactional_db: None, key: Minted, word: signal.Signals
    ) -> None:
        for number in range(ROUNDS):
            with running_server(tmp_path) as server, ThreadPoolExecutor(8) as tills:
                till = WireTill(server.port, key.token)
                sales = [croissants_and_coffee(external_ref=f"T-{number}-{each}") for each in range(16)]
                answers = list(tills.map(till.post, sales))

                os.killpg(server.process.pid, word)

                assert server.process.wait(PATIENCE) == 0, server.log
                assert "Traceback" not in server.log
                assert Counter(answer.status for answer in answers) == {201: len(sales)}
        assert Transaction.objects.count() == ROUNDS * 16
