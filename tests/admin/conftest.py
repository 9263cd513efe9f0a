"""Two campgrounds side by side, a row of every register at each, and the people who work there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from apikeys.models import ApiKey
from catalogue.models import Product, VatRate
from journal.models import Attempt, Deed, Journal, Outcome, Revision
from kasse.closing_models import DailyClose
from kasse.models import Transaction
from pos_bridge.models import BridgeSettings, InboundCall, ParkedSale
from tenants.models import Membership, Role, Tenant, User
from tests.factories import ProductFactory, UserFactory, member, mint
from tests.journal.books import NIGHT, StandingClock, books_of, open_revision
from tests.kasse.selling import close
from tests.till import Till, croissants_and_coffee


@dataclass
class Campground:
    """A campground and one row of each register; ``word`` stands in every text of its rows."""

    tenant: Tenant
    word: str
    admin: User
    staff: User
    token: str
    rows: dict[type[Model], Any]


def furnish(tenant: Tenant, word: str) -> Campground:
    """Let a campground mint a key, sell something, have a sale parked, and keep a catalogue."""
    admin = member(tenant, Role.TENANT_ADMIN, username=f"{word}-chefin", email=f"chefin@{word}.example")
    staff = member(tenant, Role.STAFF, username=f"{word}-empfang", email=f"empfang@{word}.example")
    minted = mint(tenant, name=f"{word} Kiosk")
    product = ProductFactory.create(
        tenant=tenant, sku=f"{word}-G11", name=f"Gasflasche {word}", category=f"{word} Shop"
    )
    settings = BridgeSettings.objects.create(tenant=tenant)
    sell_and_park(Till(minted.token), word)
    rows: dict[type[Model], Any] = {
        Tenant: tenant,
        User: staff,
        Membership: Membership.objects.get(user=staff),
        ApiKey: minted.key,
        Product: product,
        VatRate: VatRate.objects.of(tenant).get(rate="8.1"),
        BridgeSettings: settings,
        Transaction: Transaction.objects.of(tenant).get(),
        **journal_rows(tenant, word),
        DailyClose: close(tenant, counted="0.05", variance_reason=f"Fünfer von {word}"),
        ParkedSale: ParkedSale.objects.of(tenant).get(),
        InboundCall: InboundCall.objects.filter(tenant=tenant).earliest("at"),
    }
    return Campground(tenant, word, admin, staff, minted.token, rows)


def journal_rows(tenant: Tenant, word: str) -> dict[type[Model], Any]:
    """The journal of its day, and what was tried with it."""
    revision = open_revision(books_of(tenant), StandingClock())
    attempt = Attempt.objects.create(
        tenant=tenant, revision=revision, at=NIGHT, deed=Deed.POST, outcome=Outcome.REFUSED, sentence=f"{word} refused"
    )
    return {Journal: revision.journal, Revision: revision, Attempt: attempt}


def sell_and_park(till: Till, word: str) -> None:
    """One sale, and another under the same reference."""
    sale = croissants_and_coffee(external_ref=f"{word}-T-1", metadata={"till": f"{word} 2"})
    assert till.post(sale).status_code == 201
    other = [{"description": f"Glacé {word}", "quantity": 1, "unit_price": "4.00", "line_total": "4.00"}]
    assert till.post({**sale, "total_amount": "4.00", "items": other}).status_code == 409


def sign_in(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def here(seeblick: Tenant) -> Campground:
    """Camping Seeblick, furnished."""
    return furnish(seeblick, "seeblick")


@pytest.fixture
def neighbour(waldrand: Tenant) -> Campground:
    """Camping Waldrand, furnished alike."""
    return furnish(waldrand, "waldrand")


@pytest.fixture
def superuser(db: None) -> User:
    """The operator."""
    return UserFactory.create(username="betreiberin", is_superuser=True)


@pytest.fixture
def newcomer(db: None) -> User:
    """Has an account, and works nowhere yet."""
    return UserFactory.create(username="nina")
