"""When something breaks: the answer stays JSON, says whether to try again, and nothing is half written."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError
from django.test import Client

from apikeys.minting import Minted
from apikeys.models import ApiKey
from catalogue.models import Product
from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge import api, intake
from pos_bridge.models import BridgeSettings, InboundCall, Outcome, ParkedSale
from tenants.models import Tenant
from tests.factories import mint
from tests.pos_bridge.breaking import AWAY, DATABASE, assert_unavailable, failing
from tests.till import HOST, Till, body_of, croissants_and_coffee

SECRET = "croissant-recipe"


@pytest.fixture(params=AWAY, ids=lambda error: type(error).__name__)
def away(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """What a deed does when the database is away."""
    return failing(request.param)


class TestADatabaseThatIsAway:
    def test_in_authentication_is_503(self, till: Till, away: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ApiKey.objects, "select_related", away)

        assert_unavailable(till.get("/ping/"))

    def test_in_the_budget_is_503(self, seeblick: Tenant, away: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        till = Till(mint(seeblick, budget=10).token)
        monkeypatch.setattr("pos_bridge.throttling.calls_in_last_hour", away)

        assert_unavailable(till.get("/ping/"))

    def test_on_the_settings_card_is_503(self, till: Till, away: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(BridgeSettings.objects, "filter", away)

        assert_unavailable(till.get("/ping/"))

    def test_in_recording_is_503_and_the_retry_is_new(
        self, till: Till, away: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(intake, "record_transaction", away)
            assert_unavailable(till.post(croissants_and_coffee()))

        assert till.post(croissants_and_coffee()).status_code == 201

    def test_between_a_sale_and_its_lines_leaves_neither(
        self, till: Till, away: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kasse.recording._write_lines", away)

        assert_unavailable(till.post(croissants_and_coffee()))

        assert Transaction.objects.count() == 0

    def test_while_a_conflict_is_parked_is_503_and_parks_nothing(
        self, till: Till, away: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        till.post(croissants_and_coffee())
        monkeypatch.setattr(intake, "park_conflict", away)

        assert_unavailable(till.post(croissants_and_coffee(occurred_at="2026-04-28T08:00:00Z")))

        assert ParkedSale.objects.count() == 0

    @pytest.mark.parametrize("path", ["/transactions/", "/transactions/T-1/", "/products/"])
    def test_in_reading_is_503(self, till: Till, away: Any, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
        monkeypatch.setattr(api, "external_sales", away)
        monkeypatch.setattr(Product.objects, "of", away)

        assert_unavailable(till.get(path))

    def test_altogether_is_503_and_the_row_goes_to_the_operators_log(
        self, till: Till, away: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(DATABASE, "cursor", away)

        answer = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert f'"request_id": "{answer["X-Request-Id"]}"' in caplog.text

    def test_when_a_fault_is_to_be_given_back_is_still_503(
        self, seeblick: Tenant, away: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        till = Till(mint(seeblick, budget=10).token)
        monkeypatch.setattr(intake, "record_transaction", away)
        monkeypatch.setattr(api, "refund_budget", away)

        assert_unavailable(till.post(croissants_and_coffee()))


@pytest.mark.django_db(transaction=True)
class TestACommitThatFails:
    def test_is_503_and_leaves_nothing_of_the_sale(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        self.warm(till)
        with monkeypatch.context() as broken:
            broken.setattr(DATABASE, "_commit", failing(AWAY[0]))
            answer = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert [model.objects.count() for model in (Transaction, TransactionItem, Payment)] == [0, 0, 0]
        row = InboundCall.objects.get(method="POST")
        assert (row.status, row.outcome, row.external_ref) == (503, Outcome.FAILED, "seeblick-2026-04-29-T-1")

    def test_of_another_cause_is_500_and_leaves_nothing_of_the_sale(
        self, till: Till, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.warm(till)
        with monkeypatch.context() as broken:
            broken.setattr(DATABASE, "_commit", failing(IntegrityError("deferred constraint")))
            answer = till.post(croissants_and_coffee())

        assert answer.status_code == 500
        assert Transaction.objects.count() == 0
        assert InboundCall.objects.get(method="POST").outcome == Outcome.FAILED

    @pytest.mark.postgresql
    def test_because_the_connection_is_cut_is_503_and_the_next_call_finds_another(
        self, till: Till, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.warm(till)
        commit = DATABASE._commit

        def cut_and_commit(self: Any) -> None:
            with self.cursor() as cursor, suppress(OperationalError):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            commit(self)

        with monkeypatch.context() as broken:
            broken.setattr(DATABASE, "_commit", cut_and_commit)
            answer = till.post(croissants_and_coffee())
        retry = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert retry.status_code == 201
        assert [row.status for row in InboundCall.objects.filter(method="POST").order_by("id")] == [503, 201]

    def test_is_followed_by_a_retry_that_is_new(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        self.warm(till)
        with monkeypatch.context() as broken:
            broken.setattr(DATABASE, "_commit", failing(AWAY[0]))
            till.post(croissants_and_coffee())

        assert till.post(croissants_and_coffee()).status_code == 201
        assert Transaction.objects.count() == 1

    def test_whose_answer_was_lost_after_all_is_followed_by_a_replay(
        self, till: Till, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The database has committed, and the connection broke before it could say so."""
        self.warm(till)
        commit = DATABASE._commit

        def commit_and_break(self: Any) -> None:
            commit(self)
            raise AWAY[0]

        with monkeypatch.context() as broken:
            broken.setattr(DATABASE, "_commit", commit_and_break)
            lost = till.post(croissants_and_coffee())
        retry = till.post(croissants_and_coffee())

        assert_unavailable(lost)
        assert retry.status_code == 200
        assert Transaction.objects.count() == 1

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
        monkeypatch.setattr(intake, "log_with_sale", failing(RuntimeError()))

        answer = till.post(croissants_and_coffee())

        assert answer.status_code == 500
        assert [model.objects.count() for model in (Transaction, TransactionItem, Payment)] == [0, 0, 0]

    def test_outside_the_views_is_json_too(
        self, till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", failing(RuntimeError(SECRET)))

        answer = till.get("/ping/")

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
