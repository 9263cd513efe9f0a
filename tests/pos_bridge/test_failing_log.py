"""An activity log that cannot be written never fails a sale; its rows go to the operator's log instead."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from kasse.models import Transaction
from kasse.sqlite import LOCKED
from pos_bridge import activity
from pos_bridge.activity import ActivityLogMiddleware
from pos_bridge.models import InboundCall, Outcome
from tenants.models import Tenant
from tests.factories import mint
from tests.pos_bridge.breaking import (
    AWAY,
    CUT,
    FULL,
    RULE_BROKEN,
    assert_unavailable,
    commits_failing,
    failing,
    statements_failing,
    writes_failing,
)
from tests.till import Till, croissants_and_coffee

ROW_OF_A_CALL = "INSERT INTO pos_bridge_inboundcall "


class TestTheActivityLog:
    def test_never_fails_a_sale(self, till: Till, caplog: pytest.LogCaptureFixture) -> None:
        with statements_failing(OperationalError("no space left on device"), touching=ROW_OF_A_CALL):
            answer = till.post(croissants_and_coffee())

        assert answer.status_code == 201
        assert Transaction.objects.count() == 1
        assert InboundCall.objects.count() == 0
        assert '"outcome": "created"' in caplog.text

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("how", [FULL, RULE_BROKEN])
    def test_that_fails_as_it_is_written_stores_the_sale_without_its_row(
        self, seeblick: Tenant, how: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The row rides in the statement of its sale; the sale is stored by another, once, and counted once."""
        till = Till(mint(seeblick, budget=2).token)
        with writes_failing("pos_bridge_inboundcall", how):
            answer = till.post(croissants_and_coffee())

        assert (answer.status_code, Transaction.objects.count()) == (201, 1)
        assert InboundCall.objects.count() == 0
        assert f'"request_id": "{answer["X-Request-Id"]}"' in caplog.text
        assert '"outcome": "created"' in caplog.text
        assert [till.post(croissants_and_coffee()).status_code for _ in range(2)] == [200, 429]

    def test_is_written_after_all_where_only_the_sales_own_attempt_has_failed(self, till: Till) -> None:
        with statements_failing(OperationalError("no space left on device"), touching=ROW_OF_A_CALL, times=1):
            answer = till.post(croissants_and_coffee())

        row = InboundCall.objects.get()
        assert (answer.status_code, row.status, row.outcome) == (201, 201, Outcome.CREATED)

    @pytest.mark.parametrize("error", [*AWAY, ValueError()], ids=lambda error: type(error).__name__)
    def test_never_changes_an_answer(self, till: Till, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(activity, "write_row", failing(error))

        assert till.get("/ping/").status_code == 200
        assert Till(None).get("/ping/").status_code == 401

    def test_has_its_row_of_a_retry_before_that_is_answered(self, till: Till) -> None:
        """Else a database that goes in between would leave an answer of which no row says that it was given."""
        assert till.post(croissants_and_coffee()).status_code == 201
        with statements_failing(OperationalError(LOCKED), touching=f"^{ROW_OF_A_CALL}", times=1):
            assert_unavailable(till.post(croissants_and_coffee()))
        assert till.post(croissants_and_coffee()).status_code == 200

        rows = InboundCall.objects.order_by("pk").values_list("status", "outcome")
        assert list(rows) == [(201, Outcome.CREATED), (503, Outcome.FAILED), (200, Outcome.REPLAYED)]

    @pytest.mark.django_db(transaction=True)
    def test_whose_table_is_gone_never_fails_a_sale(self, till: Till, caplog: pytest.LogCaptureFixture) -> None:
        with connection.schema_editor() as editor:
            editor.alter_db_table(InboundCall, "pos_bridge_inboundcall", "elsewhere")
        try:
            answers = [till.post(croissants_and_coffee()), till.post(croissants_and_coffee()), till.get("/ping/")]
        finally:
            with connection.schema_editor() as editor:
                editor.alter_db_table(InboundCall, "elsewhere", "pos_bridge_inboundcall")

        assert [answer.status_code for answer in answers] == [201, 200, 200]
        assert Transaction.objects.count() == 1
        assert all(f'"request_id": "{answer["X-Request-Id"]}"' in caplog.text for answer in answers)

    def test_is_the_outermost_of_all(self, settings: Any) -> None:
        assert settings.MIDDLEWARE[0] == f"{ActivityLogMiddleware.__module__}.{ActivityLogMiddleware.__qualname__}"

    @pytest.mark.django_db(transaction=True)
    def test_takes_its_row_along_when_a_sale_is_rolled_back(self, till: Till) -> None:
        """The row of the sale was written, then the commit failed: neither is there, a failed call is.

        On PostgreSQL the connection is cut by what the row itself left to do at the commit.
        """
        assert till.get("/ping/").status_code == 200
        created = "NEW.outcome = 'created'"
        with commits_failing(CUT, table="pos_bridge_inboundcall", when=created, from_then_on=True):
            answer = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert Transaction.objects.count() == 0
        row = InboundCall.objects.get(method="POST")
        assert (row.outcome, row.status, row.external_ref) == (Outcome.FAILED, 503, "seeblick-2026-04-29-T-1")
        assert not transaction.get_connection().in_atomic_block
