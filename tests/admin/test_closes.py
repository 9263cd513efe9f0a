"""The register of closes: to look at, for those who work there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from kasse.closing_models import DailyClose
from tests.admin.conftest import Campground, sign_in
from tests.kasse.selling import close, sell, tomorrow


@pytest.fixture
def closed(here: Campground) -> DailyClose:
    """The second one."""
    sell(here.tenant, "1234.50", day=tomorrow())
    return close(here.tenant, tomorrow(), counted="1234.00")


@pytest.fixture
def browser(here: Campground) -> Client:
    return sign_in(here.admin)


class TestTheRegisterOfCloses:
    def test_shows_what_was_counted(self, browser: Client, closed: DailyClose) -> None:
        for address in (
            reverse("admin:kasse_dailyclose_changelist"),
            reverse("admin:kasse_dailyclose_change", args=[closed.pk]),
        ):
            shown = browser.get(address).content.decode()
            assert "1.234,50" in shown.replace("\N{NO-BREAK SPACE}", " ")
            assert "-0,50" in shown

    def test_offers_no_way_to_change_it(self, browser: Client, closed: DailyClose) -> None:
        address = reverse("admin:kasse_dailyclose_change", args=[closed.pk])

        assert "_save" not in browser.get(address).content.decode()
        assert browser.post(address, {"variance_reason": "anders"}).status_code == 403
        assert browser.post(reverse("admin:kasse_dailyclose_delete", args=[closed.pk])).status_code == 403
        assert browser.get(reverse("admin:kasse_dailyclose_add")).status_code == 403
