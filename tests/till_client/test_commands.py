"""``python -m till_client``: what it prints, how it ends, and that the token shows nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.house.documents import ROOT
from tests.till_client.fake import TOKEN, FakeBridge
from tests.till_client.sales import croissants, refused
from till_client import Outbox, sale_from
from till_client.__main__ import main


class Desk:
    """Somebody who types commands."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.path = folder / "outbox.sqlite3"
        self.folder = folder
        self.capfd = capfd
        self.printed = ""

    def types(self, *arguments: str) -> int:
        status = main(["--outbox", str(self.path), *arguments])
        self.printed, errors = self.capfd.readouterr()
        assert TOKEN not in self.printed + errors
        return status

    def sells(self, sale: dict[str, Any], *options: str) -> int:
        path = self.folder / "sale.json"
        path.write_bytes(sale_from(sale).body)
        return self.types("post", str(path), *options)

    def read(self) -> Any:
        return json.loads(self.printed)


@pytest.fixture
def desk(
    bridge: FakeBridge, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    monkeypatch.setenv("TILL_URL", bridge.url)
    monkeypatch.setenv("TILL_TOKEN", TOKEN)
    return Desk(tmp_path, capfd)


class TestPost:
    def test_ends_well_when_the_bridge_has_the_sale(self, desk: Desk, bridge: FakeBridge) -> None:
        assert desk.sells(croissants(1)) == 0

        assert desk.read()["state"] == "acknowledged"
        assert set(bridge.stored) == {"kiosk-1"}

    def test_keeps_the_sale_when_the_bridge_does_not(self, desk: Desk, bridge: FakeBridge) -> None:
        bridge.faults = [(503, "60")]

        assert desk.sells(croissants(1)) == 1
        assert desk.read()["state"] == "waiting"

    def test_keeps_the_sale_without_a_token(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TILL_TOKEN")

        assert desk.sells(croissants(1)) == 2
        assert desk.read()["state"] == "waiting"

    def test_corrects_what_was_set_aside(self, desk: Desk, bridge: FakeBridge) -> None:
        assert desk.sells(refused(1)) == 1
        assert desk.read()["reason"].startswith("400 total_mismatch")

        assert desk.sells(croissants(1, external_ref="bad-1"), "--correct") == 0
        assert bridge.total() == Decimal("3.55")

    def test_says_what_is_no_sale(self, desk: Desk) -> None:
        assert desk.sells({"external_ref": "kiosk-1", "total_amount": "1.00"}, "--later") == 0
        assert desk.types("post", str(desk.folder / "nothing.json")) == 2


class TestTheEvening:
    def test_drains_looks_releases_and_compares(self, desk: Desk, bridge: FakeBridge) -> None:
        for number in range(3):
            desk.sells(croissants(number), "--later")
        assert desk.types("status") == 1
        assert desk.read()["sales"]["waiting"] == 3

        assert desk.types("drain") == 0
        assert desk.printed.startswith("3 acknowledged (0 of them again), 0 set aside")
        assert desk.types("status") == 0
        assert desk.types("reconcile", "2026-04-29") == 0
        assert desk.read()["complete"]
        assert desk.types("release", "nobody") == 1

    def test_sends_again_exactly_what_the_bridge_has_lost(self, desk: Desk, bridge: FakeBridge) -> None:
        with Outbox(desk.path) as outbox:
            outbox.put_all(croissants(number) for number in range(40))
        desk.types("drain")
        for lost in ("kiosk-3", "kiosk-17"):
            del bridge.stored[lost]
        bridge.calls.clear()

        assert desk.types("reconcile", "2026-04-29") == 0

        assert desk.read()["sent_again"] == 2
        assert len(bridge.stored) == 40
        assert bridge.calls == ["POST reconciliations/", "POST transactions/batch/", "POST reconciliations/"]

    def test_is_not_complete_while_something_is_left_over(self, desk: Desk, bridge: FakeBridge) -> None:
        desk.sells(croissants(1))
        desk.sells(refused(2))

        assert desk.types("reconcile", "2026-04-29") == 1
        assert desk.read()["set_aside"] == 1

    def test_forgets_what_is_old_and_acknowledged(self, desk: Desk) -> None:
        desk.sells(croissants(1))

        desk.types("drain", "--keep-days", "0.0000000001")

        with Outbox(desk.path) as outbox:
            assert sum(outbox.counts().values()) == 0


class TestADrainForEver:
    def test_sends_what_comes_and_ends_when_asked_to(self, desk: Desk, bridge: FakeBridge) -> None:
        command = [sys.executable, "-m", "till_client", "--outbox", str(desk.path), "drain", "--for-ever"]
        drain = subprocess.Popen(command, cwd=ROOT)
        try:
            with Outbox(desk.path) as outbox:
                outbox.put(croissants(1))
                while not outbox.counts()["acknowledged"]:
                    assert drain.poll() is None
                    time.sleep(0.02)
            drain.terminate()
            assert drain.wait(timeout=20) == 0
        finally:
            drain.kill()
            drain.wait()


class TestTheCommandLine:
    def test_has_no_place_for_a_token(self, desk: Desk) -> None:
        with pytest.raises(SystemExit):
            desk.types("--token", "croissant", "status")

    def test_says_what_is_not_set(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TILL_URL")

        assert desk.types("drain") == 2
