"""The start page says how the books stand, so that nobody has to go and look each morning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from journal.models import Revision, State
from kasse.models import PaymentMethod
from tenants.models import Tenant
from tests.factories import member
from tests.journal.books import DAY, NIGHT, StandingClock, books_of, open_revision, post_it
from tests.kasse.selling import sell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_morning_after() -> Iterator[None]:
    with patch("campone.views.timezone.now", return_value=NIGHT + timedelta(hours=6)):
        yield


@pytest.fixture
def staff(seeblick: Tenant) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(member(seeblick))
    return client


def colour(client: Client) -> str:
    found = re.search(r'data-books="(\w+)"', client.get("/").content.decode())
    assert found
    return found[1]


def post(tenant: Tenant, *, method: PaymentMethod = PaymentMethod.CASH) -> Revision:
    clock = StandingClock()
    settings = books_of(tenant)
    sell(tenant, "12.50", method=method)
    return post_it(open_revision(settings, clock), settings, clock)


class TestTheBooksOnTheStartPage:
    def test_are_grey_where_nothing_was_posted(self, staff: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick)
        post(waldrand, method=PaymentMethod.OTHER)

        assert colour(staff) == "grey"

    def test_are_green_where_all_is_in_order(self, staff: Client, seeblick: Tenant) -> None:
        post(seeblick)

        page = staff.get("/").content.decode()
        found = re.search(r'id="last-posted">([^<]+)<', page)
        assert found
        assert f"{DAY:%d.%m.%Y}" in found[1]
        assert colour(staff) == "green"

    def test_turn_yellow_by_an_unmapped_amount(self, staff: Client, seeblick: Tenant) -> None:
        post(seeblick, method=PaymentMethod.OTHER)

        assert colour(staff) == "yellow"

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (State.FAILED, "red"),
            (State.BLOCKED, "yellow"),
            (State.UNKNOWN, "yellow"),
        ],
    )
    def test_say_what_did_not_work_however_old_it_is(
        self, staff: Client, seeblick: Tenant, state: State, expected: str
    ) -> None:
        sell(seeblick)
        settings = books_of(seeblick)
        old = DAY - timedelta(days=200)
        open_revision(settings, StandingClock(), old)
        Revision.objects.update(state=state)

        assert colour(staff) == expected

    def test_cost_the_page_no_more_questions_however_many_journals(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick)
        few = self.questions(staff)
        settings, clock = books_of(seeblick), StandingClock()
        for number in range(12):
            day = DAY - timedelta(days=number + 1)
            sell(seeblick, day=day)
            post_it(open_revision(settings, clock, day), settings, clock)

        assert self.questions(staff) <= few

    def questions(self, client: Client) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/").status_code == 200
        return len(asked)
