"""A copy of the database and every log, after a day on which secrets were sent wherever there was room for them."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from adapters.connections import address_of, entrust
from apikeys.minting import Minted
from apikeys.tokens import TEST_START, TOKEN, make_token, may_be_ours
from campone.operation.log_lines import TextLine
from tenants.models import Role, Tenant, User
from tenants.second_factor import authenticator_of, begin, secret_of, typed_secret
from tests.adapters.vendors_tills import connection_of
from tests.factories import member
from tests.server.calls import WireTill
from tests.server.process import Server, running_server
from tests.till import BASE, croissants_and_coffee

pytestmark = [pytest.mark.usefixtures("transactional_db"), pytest.mark.timeout(180)]

PASSWORD, SIGNING_KEY = "three-boats-at-the-pier", "zLzClQLQN8yfH8aE"


@pytest.fixture
def server(tmp_path: Path, transactional_db: None) -> Iterator[Server]:
    """One that logs every call."""
    with running_server(tmp_path, LOG_CALLS="1", LOG_LEVEL="INFO") as server:
        yield server


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What pages log here, in this process, as the service writes it."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(TextLine())
    logging.getLogger().addHandler(handler)
    yield said
    logging.getLogger().removeHandler(handler)


def whole_tokens(text: str) -> list[str]:
    """Tokens that our secret has made."""
    return [token for token in TOKEN.findall(text) if may_be_ours(token)]


def everything_stored() -> str:
    """All rows of all tables, those of no model among them."""
    with connection.cursor() as cursor:
        rows: list[str] = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += map(str, cursor.fetchall())
    return "\n".join(rows)


def spill(port: int, token: str) -> list[int]:
    """Send a token wherever a till or a stranger may put it; but not in a sale that is taken: it is kept."""
    till, stranger = WireTill(port, token), WireTill(port, None)
    headers = dict.fromkeys(("X-Request-Id", "User-Agent", "Referer", "Cookie", "X-Forwarded-For"), token)
    answers = [
        till.post(croissants_and_coffee(external_ref=f"T-{token[:6]}")),
        till.post(croissants_and_coffee(external_ref="T-9", metadata={"key": token}, total_amount=token)),
        till.call("GET", f"/transactions/?external_ref={token}", headers=headers),
        till.call("GET", f"/transactions/{token}/"),
        till.call("POST", "/transactions/", body=token.encode(), headers={"Content-Type": "application/json"}),
        stranger.call("GET", f"/{token}/{token}?key={token}", headers={"Authorization": f"Basic {token}"}),
        stranger.call("GET", "/ping/", headers={"Authorization": f"Bearer {token}x", "X-Api-Key": token}),
    ]
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as page:
        page.request("GET", f"/{token}?next={token}", headers={"Host": "nobodys.campone.example", **headers})
        return [*(answer.status for answer in answers), page.getresponse().status]


def sign_in(person: User) -> None:
    """By a wrong password, and by the right one."""
    client = Client(HTTP_HOST="seeblick.campone.example")
    for password in (f"{PASSWORD}x", PASSWORD):
        client.post("/anmelden/", {"username": person.username, "password": password}, secure=True)
    assert client.get("/", secure=True).status_code == 200


def test_no_token_and_no_secret_is_kept(server: Server, said: io.StringIO, key: Minted, seeblick: Tenant) -> None:
    person = member(seeblick, Role.TENANT_ADMIN)
    person.set_password(PASSWORD)
    person.save()
    begin(person)
    device, vendor = authenticator_of(person), connection_of(seeblick, "lightspeed")
    entrust(vendor, signing_key=SIGNING_KEY)
    vendor.save()
    assert device is not None

    sent = (key.token, make_token(TEST_START), make_token())
    statuses = [spill(server.port, token) for token in sent]
    sign_in(person)

    assert statuses[0][0] == 201
    assert max(map(max, statuses)) < 500
    server.ask_to_stop()
    server.wait_until_stopped()  # it writes its lines beside the calls
    kept = {"the database": everything_stored(), "the server's log": server.log, "the pages' log": said.getvalue()}
    address = (address_of(vendor) or "").rpartition("/")[2]
    secrets = (SIGNING_KEY, address, secret_of(device).hex(), typed_secret(device), PASSWORD)
    assert BASE in kept["the server's log"]
    for place, text in kept.items():
        assert whole_tokens(text) == [], place
        assert [secret for secret in (*sent, *secrets) if secret in text] == [], place


def test_a_token_would_be_found(key: Minted) -> None:
    assert whole_tokens(f"({key.token!r}, 1)") == [key.token]
