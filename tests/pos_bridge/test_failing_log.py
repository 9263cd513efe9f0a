"""An activity log that cannot be written never fails a sale; its rows go to the operator's log instead."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from kasse.models import Transaction
from pos_bridge import activity, intake
from pos_bridge.activity import ActivityLogMiddleware
from pos_bridge.models import InboundCall, Outcome
from tests.pos_bridge.breaking import AWAY, assert_unavailable, failing
from tests.till import Till, croissants_and_coffee


class TestTheActivityLog:
    def test_never_fails_a_sale(
        self, till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(activity, "_write_row", failing(OperationalError("no space left on device")))

        answer = till.post(croissants_and_coffee())

        assert answer.status_code == 201
        assert Transaction.objects.count() == 1
        assert '"outcome": "created"' in caplog.text

    @pytest.mark.parametrize("error", [*AWAY, ValueError()], ids=lambda error: type(error).__name__)
    def test_never_changes_an_answer(self, till: Till, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(activity, "_write_row", failing(error))

        assert till.get("/ping/").status_code == 200
        assert Till(None).get("/ping/").status_code == 401

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
    def test_takes_its_row_along_when_a_sale_is_rolled_back(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        """The row of the sale was written, then the transaction failed: neither is there, a failed call is."""
        write = activity.log_with_sale

        def write_and_fail(*args: Any, **kwargs: Any) -> bool:
            assert write(*args, **kwargs)
            assert InboundCall.objects.filter(outcome=Outcome.CREATED).count() == 1
            raise OperationalError("the plug was pulled")

        monkeypatch.setattr(intake, "log_with_sale", write_and_fail)

        answer = till.post(croissants_and_coffee())

        assert_unavailable(answer)
        assert Transaction.objects.count() == 0
        row = InboundCall.objects.get()
        assert (row.outcome, row.status, row.external_ref) == (Outcome.FAILED, 503, "seeblick-2026-04-29-T-1")
        assert not transaction.get_connection().in_atomic_block
