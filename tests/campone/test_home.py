"""The start page: the whole campground at one glance."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from html import unescape
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campone.glance import glance_at
from kasse.models import Source
from kasse.period_totals import Takings
from pos_bridge.models import BridgeSettings
from tenants.models import Role, Tenant
from tests.factories import member, mint
from tests.kasse.sales import DAY
from tests.kasse.selling import close, evening, sell, tomorrow
from tests.pages import has, signed_in, text_of
from tests.till import Till, croissants_and_coffee

A_WEEK_AGO = DAY - timedelta(days=7)


@pytest.fixture(autouse=True)
def half_past_nine() -> Any:
    """It is the evening of the day."""
    with patch("campone.views.timezone.now", return_value=evening()):
        yield


@pytest.fixture
def staff(seeblick: Tenant, waldrand: Tenant) -> Client:
    return signed_in(member(seeblick))


class TestTheStartPage:
    def test_asks_a_stranger_to_sign_in(self) -> None:
        assert Client().get("/")["Location"] == "/anmelden?next=/"

    def test_shows_todays_takings_by_source(self, staff: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "10.00")
        sell(seeblick, "7.50", source=Source.EXTERNAL_POS)
        sell(seeblick, "-1.00", source=Source.EXTERNAL_POS)
        sell(seeblick, "55.00", day=tomorrow(days=-1))
        sell(waldrand, "99.00")

        answer = staff.get("/")

        assert text_of(answer, "takings") == "16.50"
        assert text_of(answer, "tile-FRONT_DESK").split()[-3:-1] == ["10.00", "1"]
        assert text_of(answer, "tile-EXTERNAL_POS").split()[-3:-1] == ["6.50", "1"]
        assert "99.00" not in answer.content.decode()

    def test_compares_with_the_same_weekday_a_week_ago_up_to_this_time(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00")
        sell(seeblick, "8.00", day=A_WEEK_AGO)

        assert text_of(staff.get("/"), "change").startswith("+2.00 (+25.0 %)")
        noon = datetime.combine(DAY, time(10), tzinfo=UTC)
        assert glance_at(seeblick, at=evening()).week_ago == Takings(
            1, glance_at(seeblick, at=evening()).takings.amount - 2
        )
        assert glance_at(seeblick, at=noon).week_ago == Takings()

    def test_leads_from_every_tile_to_the_page_that_explains_it(self, staff: Client, seeblick: Tenant) -> None:
        sale = sell(seeblick)
        page = staff.get("/").content.decode()

        tiles = dict(re.findall(r'<a class="stat" id="(tile-[^"]+)" href="([^"]+)"', page))
        assert len(tiles) == page.count('class="stat"') == 7
        assert tiles["tile-last-sale"] == f"/kasse/transaktionen/{sale}"
        for address in tiles.values():
            assert staff.get(unescape(address)).status_code == 200, address

    def test_shows_the_last_sale_and_the_last_close(self, staff: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(seeblick, "10.00", day=tomorrow(days=-1))
        sell(waldrand, "99.00")
        close(seeblick, tomorrow(days=-1), counted="10.00")

        answer = staff.get("/")

        assert (text_of(answer, "last-sale"), text_of(answer, "last-close")) == ("15:00", "28.04.2026")

    def test_shows_the_pill_with_its_reasons(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick)
        assert 'data-reason="no_writing_key"' in staff.get("/").content.decode()
        mint(seeblick)
        assert 'data-colour="green"' in staff.get("/").content.decode()
        BridgeSettings.objects.create(tenant=seeblick, enabled=False)

        assert 'data-colour="grey"' in staff.get("/").content.decode()

    def test_counts_the_parked_sales(self, staff: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        for tenant in (seeblick, waldrand):
            till = Till(mint(tenant).token)
            till.post(croissants_and_coffee())
            till.post(croissants_and_coffee(payment_method="CARD"))

        assert text_of(staff.get("/"), "parked") == "1"

    def test_of_a_new_campground_leads_to_the_first_till(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(waldrand)
        for role, may_connect in ((Role.TENANT_ADMIN, True), (Role.STAFF, False)):
            client = Client()
            client.force_login(member(seeblick, role))
            answer = client.get("/")
            assert has(answer, "first-step")
            assert has(answer, "connect") == may_connect
        sell(seeblick)

        assert not has(client.get("/"), "first-step")

    def test_renews_its_figures_alone(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "10.00")

        answer = staff.get("/", headers={"HX-Request": "true"})

        assert answer.content.decode().lstrip().startswith('<div id="glance"')
        assert text_of(answer, "takings") == "10.00"

    def test_asks_at_most_eight_questions_however_many_sales(self, staff: Client, seeblick: Tenant) -> None:
        for name in ("Kiosk", "Bistro"):
            till = Till(mint(seeblick, name=name).token)
            till.post(croissants_and_coffee(external_ref=f"{name}-1"))
        for number in range(20):
            sell(seeblick, day=tomorrow(days=-number % 14))
        with CaptureQueriesContext(connection) as asked:
            assert staff.get("/").status_code == 200

        assert len(asked) <= 8
