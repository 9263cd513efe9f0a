"""Strangers: they hold nobody up, and what they or careless tills send by mistake stays nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from apikeys.minting import Minted
from apikeys.tokens import make_token, prefix_of
from pos_bridge.models import InboundCall
from tenants.models import Tenant
from tests.server.calls import Conversation, WireTill
from tests.server.fixtures import server, server_of_this_run
from tests.server.process import PROJECT, Server
from tests.till import Till, croissants_and_coffee

__all__ = ["server", "server_of_this_run"]

# More than the server has threads.
CROWD = 80
HALF = {
    "plain": (b'{"external_ref": ', "Content-Length: 300"),
    "chunked": (b'11\r\n{"external_ref": \r\n', "Transfer-Encoding: chunked"),
}


def made_up_token() -> str:
    """A token of our shape whose check characters do not fit."""
    token = make_token()
    return token[:-2] + ("aa" if token[-2:] != "aa" else "bb")


@pytest.mark.parametrize("coding", HALF)
@pytest.mark.parametrize("token", [None, "nobody", made_up_token])
class TestStrangersWithHalfABody:
    def test_are_answered_without_the_rest_and_hold_no_till_up(
        self, server: Server, key: Minted, waldrand: Tenant, token: object, coding: str
    ) -> None:
        till = WireTill(server.port, key.token)
        assert till.get("/ping/").status == 200
        stranger = WireTill(server.port, str(token() if callable(token) else token) if token else None)
        body, length = HALF[coding]
        with ExitStack() as open_ones:
            talks = [open_ones.enter_context(Conversation(server.port)) for _ in range(CROWD)]
            for talk in talks:
                talk.send(stranger.head("POST", "/transactions/", "Content-Type: application/json", length) + body)
            began = time.monotonic()
            answers = [till.post(croissants_and_coffee(external_ref=f"T-{number}")) for number in range(8)]
            for talk in talks:
                talk.listen(until=b"invalid_key")
            took = time.monotonic() - began

        assert {answer.status for answer in answers} == {201}
        assert [talk.statuses for talk in talks] == [[401]] * CROWD
        assert took < 5


class TestATokenInTheWrongHeader:
    @pytest.mark.parametrize("shape", ["{}", "till-{}", "{}.7"])
    def test_is_neither_stored_nor_echoed(self, key: Minted, till: Till, shape: str) -> None:
        answer = till.get("/ping/", x_request_id=shape.format(key.token))

        [row] = InboundCall.objects.values()
        assert answer.status_code == 200
        assert row["request_id"] == answer["X-Request-Id"]
        assert not [text for text in (*map(str, row.values()), str(answer.headers)) if key.token in text]
        assert prefix_of(key.token) not in answer["X-Request-Id"]

    def test_leaves_an_id_of_the_tills_own_alone(self, till: Till) -> None:
        assert till.get("/ping/", x_request_id="lightspeed-7:2026.04.29")["X-Request-Id"] == "lightspeed-7:2026.04.29"


class TestTheEnvironmentOfAWorker:
    def test_holds_no_secret_once_the_settings_are_read(self) -> None:
        """The server hands a copy of it to each request, and an error report would show it."""
        secrets = {
            "SECRET_KEY": "k7Qz2mX9vB4nL8pR3sT6wY1cF5gH0jD" * 2,
            "SECRET_KEY_FALLBACKS": "D0jH5gF1cY6wT3sR8pL4nB9vX2mzQ7k" * 2,
            "DATABASE_URL": "postgres://till:croissant@db.example/campone",
        }
        program = (
            "import json, os\n"
            "import campone.wsgi\n"
            "from django.conf import settings\n"
            "print(json.dumps([dict(os.environ), settings.SECRET_KEY, settings.DATABASES['default']['PASSWORD']]))"
        )
        ran = subprocess.run(
            [sys.executable, "-c", program],
            cwd=PROJECT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "campone.settings", **secrets},
            capture_output=True,
            text=True,
            check=True,
        )
        environment, secret_key, password = json.loads(ran.stdout)

        assert secrets.keys().isdisjoint(environment)
        assert not [value for value in environment.values() for secret in secrets.values() if secret in value]
        assert (secret_key, password) == (secrets["SECRET_KEY"], "croissant")
