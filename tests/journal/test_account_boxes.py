"""The boxes on the page of accounts: each belongs to its key, whatever is sold between looking and saving."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from journal.settings_models import AccountMapping
from kasse.models import PaymentMethod
from tenants.models import Role, Tenant
from tests.factories import ProductFactory, member
from tests.journal.books import StandingClock, books_of, open_revision, post_it
from tests.kasse.selling import sell
from tests.pages import signed_in

ACCOUNTS = "/einstellungen/sap/konten"


@pytest.fixture
def admin(seeblick: Tenant) -> Client:
    return signed_in(member(seeblick, Role.TENANT_ADMIN))


def boxes(page: Any) -> dict[str, str]:
    """The names of the account boxes, by key."""
    rows = re.findall(r'<tr data-key="([^"]+)">.*?name="(account-[^"]+)"', page.content.decode(), re.DOTALL)
    return {unescape(key): unescape(name) for key, name in rows}


@pytest.mark.django_db
class TestBoxes:
    def test_keep_their_keys_though_a_category_comes_up_meanwhile(self, admin: Client, seeblick: Tenant) -> None:
        names = boxes(admin.get(ACCOUNTS))
        ProductFactory.create(tenant=seeblick, category="Abenteuer")

        answer = admin.post(ACCOUNTS, {names["tips"]: "2211", names["vouchers"]: "2031", names["rounding"]: "3801"})

        assert answer.status_code == 302
        assert dict(AccountMapping.objects.of(seeblick).values_list("key", "account")) == {
            "tips": "2211",
            "vouchers": "2031",
            "rounding": "3801",
        }

    def test_that_were_not_on_the_page_leave_their_accounts_alone(self, admin: Client, seeblick: Tenant) -> None:
        names = boxes(admin.get(ACCOUNTS))
        AccountMapping.objects.create(tenant=seeblick, key="revenue.abenteuer.8.1", account="3299")

        admin.post(ACCOUNTS, dict.fromkeys(names.values(), "") | {names["tips"]: "2211"})

        assert dict(AccountMapping.objects.of(seeblick).values_list("key", "account")) == {
            "revenue.abenteuer.8.1": "3299",
            "tips": "2211",
        }

    def test_take_the_longest_category_that_can_be_sold(
        self, admin: Client, seeblick: Tenant, clock: StandingClock
    ) -> None:
        settings = books_of(seeblick)
        category = "\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}" * 80
        sell(seeblick, "12.50", category=category, rate=None, method=PaymentMethod.CARD)
        post_it(open_revision(settings, clock), settings, clock)
        names = boxes(admin.get(ACCOUNTS))
        (key,) = [each for each in names if each.endswith(".unknown") and "*" not in each]

        assert admin.post(ACCOUNTS, {names[key]: "3201"}).status_code == 302
        assert AccountMapping.objects.of(seeblick).get().key == key
