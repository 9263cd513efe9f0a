"""The till maker's guide and the README: their programs run, through answers that are lost and answers that refuse."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.documents import ROOT, blocks_of
from tests.till_client.fake import BASE, TOKEN, FakeBridge
from tests.till_client.sales import croissants, refused
from till_client import sale_from
from till_client.__main__ import parser

GUIDE = ROOT / "docs" / "how-to" / "make-a-till.md"
README = ROOT / "till_client" / "README.md"
PROGRAMS = {block.language: block.text for block in blocks_of(GUIDE.read_text()) if block.marker == "program"}
INTERPRETERS = {"js": ["node"], "php": ["php"], "sh": ["sh"]}
HERE = [language for language, (program,) in INTERPRETERS.items() if shutil.which(program)]


def run(language: str, sale: bytes, bridge: FakeBridge, folder: Path) -> subprocess.CompletedProcess[str]:
    """A program of the guide as somebody would run it who has copied it."""
    program, body = folder / f"send.{language}", folder / "sale.json"
    program.write_text(PROGRAMS[language])
    body.write_bytes(sale)
    environment = {**os.environ, "TILL_URL": f"{bridge.url}{BASE}transactions/", "TILL_TOKEN": TOKEN}
    command = [*INTERPRETERS[language], str(program), str(body)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


class TestAProgramOfTheGuide:
    def test_is_there_for_every_language(self) -> None:
        assert set(PROGRAMS) == {"python", "js", "php", "sh"}

    @pytest.mark.parametrize("language", HERE)
    def test_sends_until_it_has_proof(self, language: str, bridge: FakeBridge, tmp_path: Path) -> None:
        bridge.faults = ["cut", "portal", (503, "1")]

        ended = run(language, sale_from(croissants(1)).body, bridge, tmp_path)

        assert ended.returncode == 0, ended.stderr
        assert set(bridge.stored) == {"kiosk-1"}
        assert len(bridge.calls) == 4
        assert len(bridge.sent["kiosk-1"]) == 1

    @pytest.mark.parametrize("language", HERE)
    def test_does_not_repeat_what_is_refused(self, language: str, bridge: FakeBridge, tmp_path: Path) -> None:
        ended = run(language, sale_from(refused(1)).body, bridge, tmp_path)

        assert ended.returncode == 1
        assert "total_mismatch" in ended.stderr
        assert len(bridge.calls) == 1

    @pytest.mark.parametrize("language", HERE)
    def test_repeats_what_only_a_proxy_refuses(self, language: str, bridge: FakeBridge, tmp_path: Path) -> None:
        bridge.faults = ["proxy"]

        assert run(language, sale_from(croissants(1)).body, bridge, tmp_path).returncode == 0

    @pytest.mark.parametrize("page", [GUIDE, README], ids=["guide", "readme"])
    def test_in_python_sells_for_the_first_time(self, page: Path, bridge: FakeBridge, tmp_path: Path) -> None:
        first = next(block.text for block in blocks_of(page.read_text()) if block.language == "python")
        environment = {**os.environ, "TILL_URL": bridge.url, "TILL_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}

        ended = subprocess.run(
            [sys.executable, "-c", first], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

        assert ended.returncode == 0, ended.stderr
        assert "acknowledged" in ended.stdout
        assert len(bridge.stored) == 1


class TestTheReadme:
    def test_needs_ten_lines_to_the_first_sale(self) -> None:
        first = next(block.text for block in blocks_of(README.read_text()) if block.language == "python")

        assert len(first.splitlines()) <= 10

    @pytest.mark.parametrize("page", [GUIDE, README], ids=["guide", "readme"])
    def test_shows_commands_that_exist(self, page: Path) -> None:
        shown = re.findall(r"^python -m till_client (.+)$", page.read_text(), re.MULTILINE)

        assert shown
        for arguments in shown:
            parser().parse_args(arguments.split())
