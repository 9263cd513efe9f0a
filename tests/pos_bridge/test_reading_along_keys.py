"""What is read must not grow with the ledger: lines and payments have one index, which begins with the campground."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kasse.models import Transaction
from tenants.models import Tenant
from tests.factories import UserFactory
from tests.till import HOST, Till, croissants_and_coffee


def conditions_on(table: str, asked: CaptureQueriesContext) -> list[str]:
    """The WHERE of every query of a table."""
    queries = [str(query["sql"]) for query in asked.captured_queries]
    wheres = [re.search(rf'FROM "?{table}"? .*?\bWHERE\b(.*)', sql) for sql in queries]
    return [where[1].replace('"', "") for where in wheres if where]


@pytest.mark.parametrize("table", ["kasse_transactionitem", "kasse_payment"])
class TestLinesAndPayments:
    def test_of_a_list_are_those_of_the_campground(self, till: Till, table: str) -> None:
        till.post(croissants_and_coffee())

        with CaptureQueriesContext(connection) as asked:
            till.get("/transactions/")

        [condition] = conditions_on(table, asked)
        assert "tenant_id =" in condition

    def test_in_the_admin_are_those_of_the_campground(self, till: Till, table: str, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee())
        browser: Any = Client(headers={"host": HOST})
        browser.force_login(UserFactory.create(is_superuser=True))
        page = reverse("admin:kasse_transaction_change", args=[Transaction.objects.get().pk])

        with CaptureQueriesContext(connection) as asked:
            assert browser.get(page).status_code == 200

        [condition] = conditions_on(table, asked)
        assert "tenant_id =" in condition
