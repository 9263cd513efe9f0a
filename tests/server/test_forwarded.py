"""From where somebody calls, behind a proxy: what only a real server shows is how it joins headers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pos_bridge.models import InboundCall
from tenants.models import Tenant
from tests.factories import mint
from tests.server.calls import Conversation, WireTill
from tests.server.process import Server, running_server

KIOSK, ELSEWHERE = "203.0.113.9", "198.51.100.1"


@pytest.fixture
def behind_a_proxy(tmp_path: Path, transactional_db: None) -> Iterator[Server]:
    with running_server(tmp_path, workers=1, PROXY_COUNT="1") as server:
        yield server


class TestAKeyOfOneNetwork:
    def test_is_let_in_by_the_word_of_the_proxy_alone(
        self, behind_a_proxy: Server, seeblick: Tenant, waldrand: Tenant
    ) -> None:
        till = WireTill(behind_a_proxy.port, mint(seeblick, networks=["203.0.113.0/24"]).token)
        proxied = "X-Forwarded-Proto: https"

        for lines, status in (
            ([f"X-Forwarded-For: {KIOSK}"], 200),
            # A proxy may add its word to the caller's line, or a line of its own.
            ([f"X-Forwarded-For: {KIOSK}, {ELSEWHERE}"], 403),
            ([f"X-Forwarded-For: {KIOSK}", f"X-Forwarded-For: {ELSEWHERE}"], 403),
            ([f"X-Forwarded-For: {ELSEWHERE}", f"X-Forwarded-For: {KIOSK}"], 200),
            ([], 403),
        ):
            with Conversation(till.port) as talk:
                talk.send(till.head("GET", "/ping/", proxied, *lines, "Content-Length: 0"))
                talk.listen(until=b"server_time" if status == 200 else b"address_not_allowed")
            assert (lines, talk.statuses) == (lines, [status])
        assert InboundCall.objects.filter(status=403).count() == 3
