"""The permission table: every register, every kind of person, every deed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from apikeys.models import ApiKey
from catalogue.models import Product, VatRate
from journal import models as journal
from kasse.closing_models import DailyClose
from kasse.models import Transaction
from pos_bridge.models import BridgeSettings, InboundCall, ParkedSale
from tenants.models import Membership, Tenant, User
from tests.admin.conftest import Campground, sign_in

PEOPLE = ("superuser", "tenant_admin", "staff", "neighbour", "anonymous")
DEEDS = ("list", "detail", "add", "change", "delete")

# "seen" a page; "done" the database has changed; "403"; "login"; "gone" as if there were no such row;
# "refused" the form comes back with an error. The neighbour is a tenant_admin who tries Seeblick's rows.
LOGIN = "login login login login login"
READ_ONLY = {
    "superuser": "seen seen 403 403 403",
    "tenant_admin": "seen seen 403 403 403",
    "staff": "seen seen 403 403 403",
    "neighbour": "seen gone 403 403 403",
    "anonymous": LOGIN,
}
KEPT = {
    "superuser": "seen seen done done 403",
    "tenant_admin": "seen seen done done 403",
    "staff": "seen seen 403 403 403",
    "neighbour": "seen gone refused gone 403",
    "anonymous": LOGIN,
}
DELETABLE = {
    "superuser": "seen seen done done done",
    "tenant_admin": "seen seen done done done",
    "staff": "seen seen 403 403 403",
    "neighbour": "seen gone refused gone gone",
    "anonymous": LOGIN,
}
TABLE: dict[type[Model], dict[str, str]] = {
    Transaction: READ_ONLY,
    DailyClose: READ_ONLY,
    journal.Journal: READ_ONLY,
    journal.Revision: READ_ONLY,
    journal.Attempt: READ_ONLY,
    InboundCall: READ_ONLY,
    ParkedSale: READ_ONLY,
    ApiKey: KEPT,
    Product: KEPT,
    BridgeSettings: KEPT,
    VatRate: DELETABLE,
    Membership: DELETABLE,
    Tenant: {
        **KEPT,
        "tenant_admin": "seen seen 403 done 403",
        "neighbour": "seen gone 403 gone 403",
    },
    User: {
        "superuser": "seen seen done done 403",
        "tenant_admin": "403 403 403 403 403",
        "staff": "403 403 403 403 403",
        "neighbour": "403 403 403 403 403",
        "anonymous": LOGIN,
    },
}
NO_INLINES = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def new_row(model: type[Model], tenant: Tenant) -> dict[str, Any]:
    """What the form of a new row is filled in with."""
    password = "kieselstrand-am-see"
    forms: dict[type[Model], dict[str, Any]] = {
        ApiKey: {"name": "Lightspeed", "scopes": ["pos:read"], "budget": "1000"},
        Product: {"sku": "B-6", "name": "Brennholz", "unit_price": "9.50", "vat_rate": "8.1", "active": "on"},
        VatRate: {"rate": "8.5", "label": "Normalsatz", "valid_from": "2028-01-01"},
        BridgeSettings: {"enabled": "on"},
        Membership: {"user": "nina", "role": "staff"},
        Tenant: {"name": "Strand", "slug": "strand", "zone": "Europe/Zurich", "cutoff_hour": "4", "currency": "CHF"},
        User: {"username": "otto", "usable_password": "true", "password1": password, "password2": password},
    }
    return {"tenant": tenant.pk, **NO_INLINES, **forms.get(model, {"external_ref": "made up"})}


def changed_row(model: type[Model], row: Any) -> tuple[dict[str, Any], str, Any]:
    """What the form of an existing row is filled in with; a field that this changes, and its value then."""
    tenant = {"name": "Seeblick & See", "slug": row.slug, "zone": row.zone} if model is Tenant else {}
    product = {"sku": "B-7", "name": "Brennholz", "unit_price": "9.00", "vat_rate": "8.1"}
    forms: dict[type[Model], tuple[dict[str, Any], str, Any]] = {
        ApiKey: ({"name": "Zettle"}, "name", "Zettle"),
        Product: (product, "sku", "B-7"),
        VatRate: ({"rate": "8.1", "label": "Neu", "valid_from": "2024-01-01"}, "label", "Neu"),
        BridgeSettings: ({"default_vat_rate": "2.6"}, "enabled", False),
        DailyClose: ({"variance_reason": "changed"}, "variance_reason", "changed"),
        journal.Journal: ({"sale_count": "9"}, "sale_count", 9),
        journal.Revision: ({"sentence": "changed"}, "sentence", "changed"),
        journal.Attempt: ({"sentence": "changed"}, "sentence", "changed"),
        Membership: ({"role": "tenant_admin"}, "role", "tenant_admin"),
        Tenant: ({**tenant, "cutoff_hour": "5", "currency": "CHF", "is_active": "on"}, "cutoff_hour", 5),
        User: ({"username": "empfang", "is_active": "on"}, "username", "empfang"),
    }
    data, field, value = forms.get(model, ({"external_ref": "changed"}, "external_ref", "changed"))
    return {**NO_INLINES, **data}, field, value


class Attempt:
    """One person before one register, trying every deed on a row of Seeblick."""

    def __init__(self, client: Client, model: type[Model], row: Any) -> None:
        self.client, self.model, self.row = client, model, row
        self.rows = model._default_manager

    def address(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_{page}", args=args)

    def list(self) -> str:
        return came_of(self.client.get(self.address("changelist")))

    def detail(self) -> str:
        came = came_of(self.client.get(self.address("change", self.row.pk)))
        assert came_of(self.client.get(self.address("history", self.row.pk))) == came
        return came

    def add(self, tenant: Tenant) -> str:
        if self.model is BridgeSettings:  # there is one a campground; make room, and put it back
            self.rows.all().delete()
        before = set(self.rows.values_list("pk", flat=True))
        response = self.client.post(self.address("add"), new_row(self.model, tenant))
        done = bool(set(self.rows.values_list("pk", flat=True)) - before)
        if self.model is BridgeSettings:
            self.rows.get_or_create(tenant=tenant)
        return came_of(response, done=done)

    def change(self) -> str:
        data, field, value = changed_row(self.model, self.row)
        response = self.client.post(self.address("change", self.row.pk), data)
        return came_of(response, done=getattr(self.rows.get(pk=self.row.pk), field) == value)

    def delete(self) -> str:
        response = self.client.post(self.address("delete", self.row.pk), {"post": "yes"})
        return came_of(response, done=not self.rows.filter(pk=self.row.pk).exists())


def came_of(response: Any, *, done: bool = False) -> str:
    """The outcome of a deed in one word."""
    if done:
        assert response.status_code in {200, 302}
        return "done"
    if response.status_code == 302:
        return {"/admin/": "gone", "/admin/login/": "login"}.get(response.headers["Location"].partition("?")[0], "?")
    if response.status_code == 200:
        return "refused" if response.context.get("errors") else "seen"
    return str(response.status_code)


def test_the_table_speaks_of_every_register() -> None:
    assert set(TABLE) == set(admin.site._registry)


@pytest.mark.usefixtures("newcomer")
@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("model", TABLE, ids=lambda model: model.__name__)
def test_a_person_may_do_what_the_table_says(
    model: type[Model], person: str, here: Campground, neighbour: Campground, superuser: User
) -> None:
    users = {"superuser": superuser, "tenant_admin": here.admin, "staff": here.staff, "neighbour": neighbour.admin}
    client = sign_in(users[person]) if person in users else Client()
    attempt = Attempt(client, model, here.rows[model])

    came = [attempt.list(), attempt.detail(), attempt.add(here.tenant), attempt.change(), attempt.delete()]

    assert dict(zip(DEEDS, came, strict=True)) == dict(zip(DEEDS, TABLE[model][person].split(), strict=True))
