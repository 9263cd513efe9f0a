"""Nothing of the neighbour's is in sight, and nothing of it can be reached."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from apikeys.models import ApiKey
from catalogue.models import Product, VatRate
from kasse.models import Transaction
from pos_bridge.models import InboundCall, ParkedSale
from tenants.models import Membership, Role, Tenant, User
from tests.admin.conftest import Campground, sign_in
from tests.admin.crawling import walk
from tests.factories import UserFactory, member

SEARCHED = [Tenant, Membership, ApiKey, Product, Transaction, ParkedSale, InboundCall]


def list_of(model: type[Model]) -> str:
    """The address of a register."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def product(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    """A filled-in form."""
    return {"tenant": tenant.pk, "sku": "B-6", "name": "Brennholz", "unit_price": "9.50", "vat_rate": "8.1", **changes}


class TestTheNeighbour:
    def test_shows_on_no_page_that_links_lead_to(self, here: Campground, neighbour: Campground) -> None:
        for user in (here.admin, here.staff):
            pages = dict(walk(sign_in(user), sorting=False))

            assert len(pages) > 30
            assert not [address for address, page in pages.items() if "waldrand" in page.lower()]

    def test_shows_on_their_own_pages(self, here: Campground, neighbour: Campground) -> None:
        assert any("waldrand-T-1" in page for _, page in walk(sign_in(neighbour.admin), sorting=False))

    @pytest.mark.parametrize("model", SEARCHED, ids=lambda model: model.__name__)
    def test_is_not_found(self, model: type[Model], here: Campground, neighbour: Campground) -> None:
        listed = sign_in(here.admin).get(list_of(model), {"q": "waldrand"})
        for_itself = sign_in(neighbour.admin).get(list_of(model), {"q": "waldrand"})

        assert listed.context["cl"].result_count == 0
        assert for_itself.context["cl"].result_count > 0

    @pytest.mark.parametrize("field", ["tenant", "api_key", "stored"])
    def test_is_not_completed(self, field: str, here: Campground, neighbour: Campground) -> None:
        asked = {"app_label": "pos_bridge", "model_name": "parkedsale", "field_name": field, "term": "waldrand"}

        for_us = sign_in(here.admin).get(reverse("admin:autocomplete"), asked)
        for_them = sign_in(neighbour.admin).get(reverse("admin:autocomplete"), asked)

        assert for_us.json()["results"] == []
        assert for_them.json()["results"] != []

    def test_people_are_not_completed(self, here: Campground, neighbour: Campground) -> None:
        asked = {"app_label": "tenants", "model_name": "membership", "field_name": "user", "term": "e"}

        assert sign_in(here.admin).get(reverse("admin:autocomplete"), asked).status_code == 403

    @pytest.mark.parametrize("model", SEARCHED[1:], ids=lambda model: model.__name__)
    @pytest.mark.parametrize("lookup", ["tenant__id__exact", "tenant", "tenant_id"])
    def test_is_not_listed_when_asked_for_by_number(
        self, model: type[Model], lookup: str, here: Campground, neighbour: Campground
    ) -> None:
        listed = sign_in(here.admin).get(list_of(model), {lookup: neighbour.tenant.pk})

        assert {row.tenant for row in listed.context["cl"].result_list} <= {here.tenant}

    @pytest.mark.parametrize(
        ("model", "lookup"),
        [
            (Membership, "user__password__startswith"),
            (Membership, "user__email__startswith"),
            (Product, "tenant__memberships__user__email__startswith"),
            (Transaction, "api_key__token_hash__startswith"),
            (ApiKey, "token_hash__startswith"),
            (ApiKey, "token_hash"),
        ],
    )
    def test_cannot_be_guessed_letter_by_letter(self, model: type[Model], lookup: str, here: Campground) -> None:
        assert sign_in(here.admin).get(list_of(model), {lookup: "a"}).status_code == 400

    def test_is_answered_for_like_a_row_that_does_not_exist(self, here: Campground, neighbour: Campground) -> None:
        told = []
        for pk in (neighbour.rows[Product].pk, 4711):
            response = sign_in(here.admin).get(reverse("admin:catalogue_product_change", args=[pk]))
            told.append([str(message).replace(str(pk), "…") for message in get_messages(response.wsgi_request)])

        assert told[0] == told[1] != []


class TestAForgedPost:
    def test_makes_no_row_at_the_neighbours(self, here: Campground, neighbour: Campground) -> None:
        browser = sign_in(here.admin)

        browser.post(reverse("admin:catalogue_product_add"), product(neighbour.tenant))
        browser.post(
            reverse("admin:apikeys_apikey_add"),
            {"tenant": neighbour.tenant.pk, "name": "Mine", "scopes": ["pos:read"], "budget": ""},
        )

        assert Product.objects.of(neighbour.tenant).count() == ApiKey.objects.of(neighbour.tenant).count() == 1

    def test_moves_no_row(self, here: Campground, neighbour: Campground, superuser: User) -> None:
        row = here.rows[Product]
        both = member(here.tenant, Role.TENANT_ADMIN)
        Membership.objects.create(tenant=neighbour.tenant, user=both, role=Role.TENANT_ADMIN)
        for user in (here.admin, both, superuser):
            moved = product(neighbour.tenant, name=f"Saved by {user}")
            response = sign_in(user).post(reverse("admin:catalogue_product_change", args=[row.pk]), moved)

            row.refresh_from_db()
            assert response.status_code == 302
            assert row.tenant == here.tenant
            assert row.name == f"Saved by {user}"

    def test_makes_no_superuser(self, here: Campground) -> None:
        browser = sign_in(here.admin)
        address = reverse("admin:tenants_user_change", args=[here.admin.pk])

        response = browser.post(address, {"username": here.admin.username, "is_superuser": "on"})

        assert response.status_code == 403
        assert not User.objects.filter(is_superuser=True).exists()
        assert browser.post(address.replace("change", "password"), {}).status_code == 403

    def test_changes_no_name_that_tills_and_books_hang_on(self, here: Campground) -> None:
        forged = {"name": "Neu", "slug": "neu", "zone": "Europe/Zurich", "cutoff_hour": "4", "currency": "EUR"}

        sign_in(here.admin).post(reverse("admin:tenants_tenant_change", args=[here.tenant.pk]), forged)

        here.tenant.refresh_from_db()
        assert (here.tenant.name, here.tenant.slug, here.tenant.currency) == ("Neu", "seeblick", "CHF")
        assert here.tenant.is_active

    def test_adds_nobody_who_works_elsewhere(
        self, here: Campground, neighbour: Campground, superuser: User, newcomer: User
    ) -> None:
        browser = sign_in(here.admin)
        told = []
        for name in (neighbour.staff.username, superuser.username, "nobody-at-all"):
            form = {"tenant": here.tenant.pk, "user": name, "role": "staff"}
            response = browser.post(reverse("admin:tenants_membership_add"), form)
            told.append(list(response.context["errors"]))

        assert told[0] == told[1] == told[2]
        assert Membership.objects.filter(tenant=here.tenant).count() == 2


class TestSomebodyWithTwoRoles:
    """A tenant_admin at Seeblick who helps out at Waldrand."""

    @pytest.fixture
    def browser(self, here: Campground, neighbour: Campground) -> Client:
        Membership.objects.create(tenant=neighbour.tenant, user=here.admin, role=Role.STAFF)
        return sign_in(here.admin)

    def test_sees_both(self, browser: Client) -> None:
        assert browser.get(list_of(Product)).context["cl"].result_count == 2

    def test_changes_only_where_they_are_admin(self, browser: Client, neighbour: Campground) -> None:
        row = neighbour.rows[Product]
        response = browser.post(
            reverse("admin:catalogue_product_change", args=[row.pk]), product(neighbour.tenant, name="Mine now")
        )

        assert response.status_code == 403

    def test_may_choose_only_where_they_are_admin(self, browser: Client, here: Campground) -> None:
        form = browser.get(reverse("admin:catalogue_product_add")).context["adminform"].form

        assert list(form.fields["tenant"].queryset) == [here.tenant]
        assert form.initial["tenant"] == here.tenant.pk

    def test_revokes_only_where_they_are_admin(self, browser: Client, here: Campground, neighbour: Campground) -> None:
        keys = [here.rows[ApiKey].pk, neighbour.rows[ApiKey].pk]
        asked = {"action": "revoke_keys", "_selected_action": keys, "confirmed": "yes"}

        browser.post(list_of(ApiKey), asked)

        assert [key.pk for key in ApiKey.objects.filter(revoked_at=None)] == [neighbour.rows[ApiKey].pk]

    def test_deletes_only_where_they_are_admin(self, browser: Client, neighbour: Campground) -> None:
        rates = list(VatRate.objects.of(neighbour.tenant).values_list("pk", flat=True))
        asked = {"action": "delete_selected", "_selected_action": rates, "post": "yes"}

        assert browser.post(list_of(VatRate), asked).status_code == 403
        assert VatRate.objects.of(neighbour.tenant).count() == len(rates)


class TestSomebodyWhoseCampgroundIsSwitchedOff:
    def test_sees_nothing_of_it(self, here: Campground) -> None:
        here.tenant.is_active = False
        here.tenant.save()
        browser = sign_in(here.admin)

        assert browser.get("/admin/").context["app_list"] == []
        for model in admin.site._registry:
            assert browser.get(list_of(model)).status_code == 403


class TestSomebodyWhoIsNoStaff:
    def test_is_asked_to_sign_in(self, here: Campground) -> None:
        User.objects.update(is_staff=False)

        response = sign_in(here.admin).get(list_of(Product))

        assert response.status_code == 302


class TestACampgroundsHost:
    """``<slug>.campone.example``, the address of one campground."""

    @pytest.mark.parametrize("path", ["/admin/", "/anmelden", "/admin/kasse/transaction/"])
    def test_is_closed_to_people_of_another(self, path: str, here: Campground, neighbour: Campground) -> None:
        browser = sign_in(here.admin)

        assert browser.get(path, headers={"host": "waldrand.campone.example"}).status_code == 404
        assert browser.get(path, headers={"host": "seeblick.campone.example"}).status_code in {200, 302}

    def test_is_closed_when_it_is_nobodys(self, here: Campground, superuser: User) -> None:
        host = {"host": "nowhere.campone.example"}

        assert Client().get("/anmelden", headers=host).status_code == 404
        assert sign_in(superuser).get("/admin/", headers=host).status_code == 404

    def test_asks_strangers_to_sign_in(self, here: Campground) -> None:
        assert Client().get("/anmelden", headers={"host": "seeblick.campone.example"}).status_code == 200

    def test_is_open_to_superusers(self, here: Campground, superuser: User) -> None:
        response = sign_in(superuser).get("/admin/", headers={"host": "seeblick.campone.example"})

        assert response.status_code == 200

    def test_is_closed_to_its_own_people_while_switched_off(self, here: Campground) -> None:
        here.tenant.is_active = False
        here.tenant.save()
        host = {"host": "seeblick.campone.example"}

        assert sign_in(here.admin).get("/admin/", headers=host).status_code == 404
        assert Client().get("/anmelden", headers=host).status_code == 404

    def test_is_closed_to_somebody_who_works_nowhere(self, here: Campground) -> None:
        nobody = UserFactory.create()

        assert sign_in(nobody).get("/admin/", headers={"host": "seeblick.campone.example"}).status_code == 404
