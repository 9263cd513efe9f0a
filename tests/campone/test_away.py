"""A page whose database does not answer says so, in a sentence; it is nobody's mistake."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from tenants import pages
from tenants.models import Role, Tenant
from tests.house.test_every_page import signed_in


def gone(*_: object) -> None:
    raise OperationalError("server closed the connection unexpectedly")


def broken(*_: object) -> None:
    raise ValueError("a fault of ours")


class TestAPage:
    @pytest.fixture
    def browser(self, seeblick: Tenant, waldrand: Tenant) -> Client:
        browser: Client = signed_in(seeblick, Role.STAFF, raise_request_exception=False)
        return browser

    def test_without_a_database_says_when_to_come_again(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pages, "roles_of", gone)

        answer = browser.get("/")

        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "closed the connection" not in answer.content.decode()

    def test_that_is_at_fault_itself_does_not(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pages, "roles_of", broken)

        answer = browser.get("/")

        assert (answer.status_code, "Retry-After" in answer) == (500, False)
