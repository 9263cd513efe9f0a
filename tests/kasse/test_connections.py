"""The connection that a thread keeps from call to call."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from kasse.statements import give_connection_back


def forget_payments() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kasse_payment")


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
class TestAConnectionToAFile:
    def test_that_could_not_write_is_not_kept(self) -> None:
        """A file that was opened while nobody could write stays so for whoever has it open."""
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
        with pytest.raises(OperationalError, match="readonly"):
            forget_payments()

        give_connection_back()

        forget_payments()

    def test_is_kept_if_all_went_well(self) -> None:
        forget_payments()
        kept = connection.connection

        give_connection_back()

        assert connection.connection is kept
