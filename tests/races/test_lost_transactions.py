"""Between a till and its 201: connections that die, locks that others hold, bodies that come slowly."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest
from django.db import transaction

from apikeys.minting import Minted
from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge.models import InboundCall, Outcome
from tenants.models import Tenant
from tests.pos_bridge.breaking import CUT, assert_unavailable, commits_failing, run, writes_failing
from tests.server.calls import Conversation, WireTill
from tests.server.process import Server
from tests.till import Till, body_of, croissants_and_coffee


def rows() -> list[int]:
    """How many sales, items and payments are stored."""
    return [model.objects.count() for model in (Transaction, TransactionItem, Payment)]


@pytest.mark.django_db(transaction=True)
class TestASaleWhoseTransactionIsLost:
    """All of it has been written, and at the commit the connection is cut, or the disk fails."""

    def test_is_never_answered_as_stored(self, till: Till) -> None:
        with commits_failing(CUT):
            answers = [till.post(croissants_and_coffee()) for _ in range(2)]

        for answer in answers:
            assert_unavailable(answer)
        assert rows() == [0, 0, 0]
        assert not InboundCall.objects.filter(outcome=Outcome.CREATED).exists()

    def test_is_stored_whole_by_its_retry(self, till: Till) -> None:
        with commits_failing(CUT):
            lost = till.post(croissants_and_coffee())

        retry = till.post(croissants_and_coffee())

        assert [lost.status_code, retry.status_code] == [503, 201]
        assert rows() == [1, 2, 1]
        assert InboundCall.objects.filter(status=201).count() == 1
        assert body_of(till.read_back("seeblick-2026-04-29-T-1"))["id"] == body_of(retry)["id"]

    def test_takes_no_sale_along_that_was_stored_before(
        self, till: Till, neighbours_till: Till, seeblick: Tenant
    ) -> None:
        assert neighbours_till.post(croissants_and_coffee()).status_code == 201

        with commits_failing(CUT, when=f"NEW.tenant_id = {seeblick.pk}"):
            assert till.post(croissants_and_coffee()).status_code == 503
            retry = neighbours_till.post(croissants_and_coffee())

        assert retry.status_code == 200
        assert rows() == [1, 2, 1]

    @pytest.mark.postgresql
    def test_by_its_row_of_the_log_is_lost_as_a_whole(self, till: Till) -> None:
        with writes_failing("pos_bridge_inboundcall", CUT):
            answer = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert rows() == [0, 0, 0]


@pytest.mark.postgresql
class TestADatabaseThatRefusesToWrite:
    def test_for_a_lock_that_somebody_holds_makes_a_503_in_time(
        self, server: Server, key: Minted, waldrand: Tenant
    ) -> None:
        till = WireTill(server.port, key.token)
        assert till.get("/ping/").status == 200

        with transaction.atomic():
            run("LOCK TABLE kasse_transaction IN SHARE ROW EXCLUSIVE MODE")
            began = time.monotonic()
            answer = till.post(croissants_and_coffee())
            took = time.monotonic() - began
        retry = till.post(croissants_and_coffee())

        assert (answer.status, answer.body["code"], answer.body["retryable"]) == (503, "unavailable", True)
        assert int(answer.headers["retry-after"]) > 0
        assert took < 4
        assert retry.status == 201
        assert rows() == [1, 2, 1]

    def test_to_its_log_alone_makes_a_201(self, server: Server, key: Minted, waldrand: Tenant) -> None:
        till = WireTill(server.port, key.token)
        assert till.get("/ping/").status == 200

        with transaction.atomic():
            run("LOCK TABLE pos_bridge_inboundcall IN SHARE ROW EXCLUSIVE MODE")
            answer = till.post(croissants_and_coffee())

        assert answer.status == 201
        assert rows() == [1, 2, 1]
        assert f'"request_id": "{answer.headers["x-request-id"]}"' in server.log

    @pytest.mark.django_db(transaction=True)
    def test_because_it_is_a_read_only_standby_makes_a_503(self, till: Till) -> None:
        run("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        try:
            answer = till.post(croissants_and_coffee())
        finally:
            run("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")

        assert_unavailable(answer)
        assert till.post(croissants_and_coffee()).status_code == 201


class TestASaleWhoseBodyComesSlowly:
    def test_has_arrived_when_all_of_it_has(self, server: Server, key: Minted, waldrand: Tenant) -> None:
        """Whoever has listed up to the quick one asks from there on, and must find the slow one."""
        till = WireTill(server.port, key.token)
        slow = json.dumps(croissants_and_coffee(external_ref="slow")).encode()
        head = till.head("POST", "/transactions/", "Content-Type: application/json", f"Content-Length: {len(slow)}")
        with Conversation(server.port) as talk:
            talk.send(head + slow[:50])
            time.sleep(0.3)
            quick = till.post(croissants_and_coffee(external_ref="quick"))
            talk.send(slow[50:])
            talk.listen(until=b'"metadata"')

        since = quote(quick.body["received_at"])
        found = till.get(f"/transactions/?received_since={since}").body["results"]

        assert (quick.status, talk.statuses) == (201, [201])
        assert {each["external_ref"] for each in found} == {"quick", "slow"}
