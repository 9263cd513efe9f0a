"""When something breaks: the answer stays JSON, says whether to try again, and nothing is half written."""

from __future__ import annotations

import json
import logging
from typing import cast

import pytest
from django.db import DataError
from django.test import Client
from django.utils import timezone

from apikeys.minting import Minted
from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge import intake
from pos_bridge.models import InboundCall, Outcome, ParkedSale
from pos_bridge.throttling import calls_in_last_hour
from tenants.models import Tenant
from tests.factories import mint
from tests.pos_bridge.breaking import (
    AWAY,
    CUT,
    FULL,
    RULE_BROKEN,
    answers_lost_after_the_commit,
    assert_unavailable,
    commits_failing,
    failing,
    statements_failing,
    writes_failing,
)
from tests.till import HOST, Till, body_of, croissants_and_coffee

SECRET = "croissant-recipe"


@pytest.fixture(params=AWAY, ids=lambda error: type(error).__name__)
def away(request: pytest.FixtureRequest) -> Exception:
    """What is heard of a database that is away."""
    return cast(Exception, request.param)


def stored_rows() -> list[int]:
    """How many sales, lines and payments there are."""
    return [model.objects.count() for model in (Transaction, TransactionItem, Payment)]


class TestADatabaseThatIsAway:
    def test_in_authentication_is_503(self, till: Till, away: Exception) -> None:
        with statements_failing(away, touching="FROM apikeys_apikey"):
            assert_unavailable(till.get("/ping/"))

    def test_in_the_budget_is_503(self, seeblick: Tenant, away: Exception) -> None:
        till = Till(mint(seeblick, budget=10).token)

        with statements_failing(away, touching="INTO pos_bridge_budgettotal"):
            assert_unavailable(till.get("/ping/"))
            assert_unavailable(till.post(croissants_and_coffee()))

        assert Transaction.objects.count() == 0

    def test_on_the_settings_card_is_503(self, till: Till, away: Exception) -> None:
        with statements_failing(away, touching="FROM pos_bridge_bridgesettings"):
            assert_unavailable(till.get("/ping/"))

    def test_in_recording_is_503_and_the_retry_is_new(self, till: Till, away: Exception) -> None:
        with statements_failing(away, touching="INSERT INTO kasse_transaction "):
            assert_unavailable(till.post(croissants_and_coffee()))

        assert till.post(croissants_and_coffee()).status_code == 201

    def test_between_a_sale_and_its_lines_leaves_neither(self, till: Till, away: Exception) -> None:
        with statements_failing(away, touching="INSERT INTO kasse_transactionitem "):
            assert_unavailable(till.post(croissants_and_coffee()))

        assert Transaction.objects.count() == 0

    def test_while_a_conflict_is_parked_is_503_and_parks_nothing(self, till: Till, away: Exception) -> None:
        till.post(croissants_and_coffee())

        with statements_failing(away, touching="pos_bridge_parkedsale"):
            assert_unavailable(till.post(croissants_and_coffee(occurred_at="2026-04-28T08:00:00Z")))

        assert ParkedSale.objects.count() == 0

    @pytest.mark.parametrize("path", ["/transactions/", "/transactions/T-1/", "/products/"])
    def test_in_reading_is_503(self, till: Till, away: Exception, path: str) -> None:
        with statements_failing(away, touching="kasse_transaction|catalogue_product"):
            assert_unavailable(till.get(path))

    def test_altogether_is_503_and_the_row_goes_to_the_operators_log(
        self, till: Till, away: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        with statements_failing(away):
            answer = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert f'"request_id": "{answer["X-Request-Id"]}"' in caplog.text

    def test_when_a_fault_is_to_be_given_back_is_still_503(self, seeblick: Tenant, away: Exception) -> None:
        """The call is counted, its conflict cannot be parked, and the count cannot be taken back."""
        till = Till(mint(seeblick, budget=10).token)
        till.post(croissants_and_coffee())

        with statements_failing(away, touching='pos_bridge_parkedsale|"pos_bridge_budget') as stopped:
            assert_unavailable(till.post(croissants_and_coffee(payment_method="CARD")))

        assert any("pos_bridge_budget" in sql for sql in stopped)


@pytest.mark.django_db(transaction=True)
class TestAWriteThatFails:
    """The database itself fails, in the middle of what stores a sale."""

    @pytest.mark.parametrize("table", ["kasse_transaction", "kasse_transactionitem", "kasse_payment"])
    @pytest.mark.parametrize(("how", "status"), [(FULL, 503), (RULE_BROKEN, 500), (CUT, 503)])
    def test_leaves_nothing_and_the_retry_is_new(self, till: Till, table: str, how: str, status: int) -> None:
        with writes_failing(table, how):
            answer = till.post(croissants_and_coffee())
        left = stored_rows()
        retry = till.post(croissants_and_coffee())

        assert (answer.status_code, left, retry.status_code) == (status, [0, 0, 0], 201)
        assert [row.status for row in InboundCall.objects.order_by("id")] == [status, 201]


@pytest.mark.django_db(transaction=True)
class TestACommitThatFails:
    def test_is_503_and_leaves_nothing_of_the_sale(self, till: Till) -> None:
        self.warm(till)
        with commits_failing():
            answer = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert stored_rows() == [0, 0, 0]
        row = InboundCall.objects.get(method="POST")
        assert (row.status, row.outcome, row.external_ref) == (503, Outcome.FAILED, "seeblick-2026-04-29-T-1")

    def test_of_another_cause_is_500_and_leaves_nothing_of_the_sale(self, till: Till) -> None:
        self.warm(till)
        with commits_failing(RULE_BROKEN):
            answer = till.post(croissants_and_coffee())

        assert answer.status_code == 500
        assert stored_rows() == [0, 0, 0]
        assert InboundCall.objects.get(method="POST").outcome == Outcome.FAILED

    @pytest.mark.postgresql
    def test_because_the_connection_is_cut_is_503_and_the_next_call_finds_another(self, till: Till) -> None:
        self.warm(till)
        with commits_failing(CUT):
            answer = till.post(croissants_and_coffee())
        retry = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert retry.status_code == 201
        assert [row.status for row in InboundCall.objects.filter(method="POST").order_by("id")] == [503, 201]

    def test_is_followed_by_a_retry_that_is_new(self, till: Till) -> None:
        self.warm(till)
        with commits_failing():
            till.post(croissants_and_coffee())

        assert till.post(croissants_and_coffee()).status_code == 201
        assert stored_rows() == [1, 2, 1]

    def test_costs_nothing_of_the_budget(self, seeblick: Tenant) -> None:
        minted = mint(seeblick, budget=10)
        till = Till(minted.token)
        self.warm(till)
        with commits_failing():
            till.post(croissants_and_coffee())

        assert calls_in_last_hour(minted.key, at=timezone.now()) == 1

    def test_whose_answer_was_lost_after_all_is_followed_by_a_replay(self, till: Till) -> None:
        self.warm(till)
        with answers_lost_after_the_commit():
            lost = till.post(croissants_and_coffee())
        retry = till.post(croissants_and_coffee())

        assert_unavailable(lost)
        assert retry.status_code == 200
        assert stored_rows() == [1, 2, 1]

    def warm(self, till: Till) -> None:
        """Let the key be proven and its use noted, so that the sale's is the only transaction left."""
        assert till.get("/ping/").status_code == 200


class TestAFaultOfOurs:
    @pytest.mark.parametrize("error", [RuntimeError(SECRET), DataError(SECRET), KeyError(SECRET)], ids=repr)
    def test_is_500_in_json_with_nothing_of_the_inside(
        self, till: Till, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(intake, "record_transaction", failing(error))

        answer = till.post(croissants_and_coffee())

        body = body_of(answer)
        assert answer.status_code == 500
        assert (body["detail"], body["retryable"]) == ("server_error", True)
        assert body["request_id"] == answer["X-Request-Id"]
        assert SECRET not in answer.content.decode()
        assert "Traceback" not in answer.content.decode()

    def test_is_told_to_the_operator_with_its_request_id(
        self, till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(intake, "record_transaction", failing(RuntimeError(SECRET)))

        answer = till.post(croissants_and_coffee())

        told = [record for record in caplog.records if answer["X-Request-Id"] in record.getMessage()]
        assert len(told) == 1
        assert told[0].exc_info is not None
        assert told[0].levelno == logging.ERROR

    @pytest.mark.django_db(transaction=True)
    def test_after_the_lines_are_written_leaves_nothing(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        """On SQLite the log row follows as a step of its own; on PostgreSQL it is asked for before anything is."""
        monkeypatch.setattr("pos_bridge.riding.row_of", failing(RuntimeError()))

        answer = till.post(croissants_and_coffee())

        assert answer.status_code == 500
        assert stored_rows() == [0, 0, 0]

    def test_outside_the_views_is_json_too(
        self, till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("django.urls.resolvers.URLResolver.resolve", failing(RuntimeError(SECRET)))

        answer = till.read_back("of which nobody has asked before")

        assert answer.status_code == 500
        assert body_of(answer)["code"] == "server_error"
        assert SECRET not in answer.content.decode()
        assert InboundCall.objects.get().outcome == Outcome.FAILED
        told = [record.getMessage() for record in caplog.records]
        assert told == [f"Call {answer['X-Request-Id']}: server_error"]


class TestAHostThatIsNotOurs:
    def test_is_400_in_json(self, key: Minted) -> None:
        answer = Till(key.token, host="evil.example").get("/ping/")

        assert answer.status_code == 400
        assert body_of(answer)["detail"] == "bad_request"
        assert "evil.example" not in answer.content.decode()

    @pytest.mark.parametrize(
        "host", ["api.campone.example@evil.example", "a b", "[::1", "api.campone.example:port", ""]
    )
    def test_in_no_host_s_shape_is_400_in_json(self, key: Minted, host: str) -> None:
        answer = Till(key.token, host=host).get("/ping/")

        assert answer.status_code == 400
        assert body_of(answer)["detail"] == "bad_request"


class TestAPathThatLeadsNowhere:
    def test_below_the_base_path_is_404_in_json(self, till: Till) -> None:
        answer = till.get("/receipts/")

        assert (answer.status_code, body_of(answer)["detail"]) == (404, "not_found")

    @pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v2/public/pos/ping/", "/api/v1/public/posh/"])
    def test_below_api_is_404_in_json(self, db: None, path: str) -> None:
        answer = Client().get(path, headers={"host": HOST})

        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
        assert json.loads(answer.content)["detail"] == "not_found"
        assert answer["X-Request-Id"]

    def test_elsewhere_is_a_page(self, db: None) -> None:
        answer = Client().get("/nothing-here", headers={"host": HOST})

        assert answer.status_code == 404
        assert answer["Content-Type"].startswith("text/html")

    def test_elsewhere_leaves_no_row_in_the_activity_log(self, db: None) -> None:
        for path in ("/nothing-here", "/api/v1/public/posh/", "/api/v1/schema/"):
            Client().get(path, headers={"host": HOST})

        assert InboundCall.objects.count() == 0
