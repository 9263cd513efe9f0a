"""What the registers show of sales, calls and parked sales, and what the forms refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from catalogue.models import Product, VatRate
from kasse.models import PaymentMethod, Source, Transaction
from pos_bridge.models import BridgeSettings, BudgetSlot, InboundCall, ParkedSale
from tenants.models import Membership, Role, Tenant, User
from tenants.trail_models import Trace
from tests.admin.conftest import Campground, sign_in
from tests.factories import ProductFactory, TenantFactory, mint
from tests.kasse.rewriting import triggers_asleep
from tests.till import Till, croissants_and_coffee

SCRIPT = "<script>alert(1)</script>"
HIDDEN = "&lt;script&gt;alert(1)&lt;/script&gt;"


def page(browser: Client, model: str, pk: Any = None, **query: str) -> str:
    """A list, or the page of one row."""
    address = reverse(f"admin:{model}_change", args=[pk]) if pk else reverse(f"admin:{model}_changelist")
    response = browser.get(address, query)
    assert response.status_code == 200
    return str(response.content.decode())


def errors_of(response: Any) -> dict[str, Any]:
    """What a form complains of."""
    return dict(response.context["adminform"].form.errors)


@pytest.fixture
def browser(here: Campground) -> Client:
    return sign_in(here.admin)


class TestTheLedger:
    def test_shows_lines_and_payments(self, browser: Client, here: Campground) -> None:
        sale = croissants_and_coffee(
            external_ref="mixed-1",
            payment_method="MIXED",
            tip_amount="1.50",
            payments=[
                {"method": "CASH", "amount": "10.00"},
                {"method": "TWINT", "amount": "2.50", "tip_amount": "1.50"},
            ],
        )
        Till(here.token).post(sale)

        shown = page(browser, "kasse_transaction", Transaction.objects.get(external_ref="mixed-1").pk)

        for text in (
            "Croissant",
            "3,50",
            "7,00",
            "Kaffee",
            "5,50",
            "12,50\N{NO-BREAK SPACE}CHF",
            str(PaymentMethod.CASH.label),
            "10,00",
            "TWINT",
            "1,50",
        ):
            assert text in shown

    def test_tells_the_time_on_the_campgrounds_wall(self, browser: Client) -> None:
        assert "29.04.2026 10:14:32" in page(browser, "kasse_transaction")

    def test_can_be_narrowed_to_what_came_from_tills(self, browser: Client, here: Campground) -> None:
        with triggers_asleep():
            Transaction._base_manager.update(source=Source.FRONT_DESK, external_ref=None)
        Till(here.token).post(croissants_and_coffee(external_ref="from-a-till"))

        shown = page(browser, "kasse_transaction", source="EXTERNAL_POS")

        assert "from-a-till" in shown
        assert "seeblick-T-1" not in shown

    @pytest.mark.parametrize("model", [Transaction, ParkedSale, InboundCall], ids=lambda model: model.__name__)
    def test_is_for_reading_as_are_log_and_parking_lot(self, model: Any, here: Campground, superuser: User) -> None:
        shown = page(sign_in(superuser), model._meta.label_lower.replace(".", "_"), here.rows[model].pk)

        assert 'type="submit" name="_save"' not in shown
        assert 'name="_save"' not in shown
        assert "deletelink" not in shown

    def test_asks_few_questions_of_the_database(self, here: Campground, django_assert_max_num_queries: Any) -> None:
        for number in range(30):
            Till(here.token).post(croissants_and_coffee(external_ref=f"T-{number}"))
        browser = sign_in(here.admin)

        with django_assert_max_num_queries(14):
            page(browser, "kasse_transaction")


class TestMarkupFromATill:
    """… is text on every page, never markup."""

    @pytest.fixture
    def rows(self, browser: Client, here: Campground) -> list[tuple[str, Any]]:
        till = Till(mint(here.tenant, name=SCRIPT).token)
        line = {
            "description": SCRIPT,
            "sku": SCRIPT,
            "category": SCRIPT,
            "quantity": 1,
            "unit_price": 5,
            "line_total": 5,
        }
        sale = croissants_and_coffee(
            external_ref=SCRIPT, items=[line], total_amount="5.00", refund_of=SCRIPT, metadata={SCRIPT: SCRIPT}
        )
        assert till.post(sale).status_code == 201
        assert till.post({**sale, "payment_method": "CARD"}).status_code == 409
        return [
            ("kasse_transaction", Transaction.objects.get(external_ref=SCRIPT).pk),
            ("pos_bridge_parkedsale", ParkedSale.objects.get(external_ref=SCRIPT).pk),
            ("pos_bridge_inboundcall", InboundCall.objects.filter(external_ref=SCRIPT).latest("at").pk),
        ]

    def test_is_escaped(self, browser: Client, rows: list[tuple[str, Any]]) -> None:
        for model, pk in rows:
            for shown in (page(browser, model), page(browser, model, pk), page(browser, model, q=SCRIPT)):
                assert SCRIPT not in shown
                assert HIDDEN in shown

    def test_is_escaped_where_keys_are_revoked(self, browser: Client, rows: list[tuple[str, Any]]) -> None:
        keys = [row.pk for row in browser.get(reverse("admin:apikeys_apikey_changelist")).context["cl"].result_list]
        asked = {"action": "revoke_keys", "_selected_action": keys}

        shown = browser.post(reverse("admin:apikeys_apikey_changelist"), asked).content.decode()

        assert SCRIPT not in shown
        assert HIDDEN in shown

    def test_is_escaped_beside_a_new_token(self, browser: Client, here: Campground) -> None:
        form = {"tenant": here.tenant.pk, "name": SCRIPT, "scopes": ["pos:read"], "budget": ""}

        shown = browser.post(reverse("admin:apikeys_apikey_add"), form).content.decode()

        assert SCRIPT not in shown
        assert HIDDEN in shown


class TestTheParkingLot:
    def test_compares_what_was_sent_with_the_ledger(self, browser: Client, here: Campground) -> None:
        shown = page(browser, "pos_bridge_parkedsale", here.rows[ParkedSale].pk)

        assert "<td>total_amount</td><td>12.50</td><td>4.00</td>" in shown
        assert "Glacé seeblick" in shown

    def test_can_be_narrowed_to_what_is_open(self, browser: Client, here: Campground) -> None:
        assert "seeblick-T-1" in page(browser, "pos_bridge_parkedsale", decided_at__isempty="1")
        assert "seeblick-T-1" not in page(browser, "pos_bridge_parkedsale", decided_at__isempty="0")


class TestTheActivityLog:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"status": "409"}, {409}),
            ({"status": "500"}, set()),
            ({"status": "nonsense"}, {201, 409}),
            ({"outcome__exact": "created"}, {201}),
            ({"key": "ck_unknown0"}, set()),
            ({"q": "seeblick-T-1"}, {201, 409}),
        ],
    )
    def test_can_be_narrowed(self, query: dict[str, str], found: set[int], browser: Client) -> None:
        listed = browser.get(reverse("admin:pos_bridge_inboundcall_changelist"), query).context["cl"].result_list

        assert {call.status for call in listed} == found

    def test_can_be_narrowed_to_a_key_or_a_request(self, browser: Client, here: Campground) -> None:
        call = here.rows[InboundCall]
        Till(mint(here.tenant, name="Zettle").token).get("/ping/")

        for query in ({"key": call.key_prefix}, {"q": call.request_id}):
            listed = browser.get(reverse("admin:pos_bridge_inboundcall_changelist"), query).context["cl"].result_list
            assert call in listed
            assert "/ping/" not in {row.path[-6:] for row in listed}

    def test_keeps_calls_without_a_key_to_superusers(self, browser: Client, superuser: User) -> None:
        Till(None).get("/ping/")
        call = InboundCall.objects.get(tenant=None)
        address = reverse("admin:pos_bridge_inboundcall_change", args=[call.pk])

        assert browser.get(address).status_code == 302
        assert sign_in(superuser).get(address).status_code == 200

    def test_says_what_was_asked_and_how_often(self, browser: Client, here: Campground) -> None:
        assert "POST /transactions/</td>" in page(browser, "pos_bridge_inboundcall")
        InboundCall.objects.update(calls=4711)

        assert "POST /transactions/ × 4711</td>" in page(browser, "pos_bridge_inboundcall")

    def test_has_no_register_of_budget_counters(self) -> None:
        assert not admin.site.is_registered(BudgetSlot)


class TestCampgrounds:
    FORM = {"name": "Strand", "slug": "strand", "zone": "Europe/Zurich", "cutoff_hour": "4", "is_active": "on"}

    @pytest.mark.parametrize(("currency", "has_rates"), [("CHF", True), ("EUR", False)])
    def test_open_with_the_vat_rates_of_their_country(self, currency: str, has_rates: bool, superuser: User) -> None:
        form = {**self.FORM, "currency": currency}

        sign_in(superuser).post(reverse("admin:tenants_tenant_add"), form)

        assert VatRate.objects.of(Tenant.objects.get(slug="strand")).exists() is has_rates

    @pytest.mark.parametrize("slug", ["admin", "Strand", "-", "seeblick"])
    def test_open_only_under_a_good_name(self, slug: str, seeblick: Tenant, superuser: User) -> None:
        form = {**self.FORM, "currency": "CHF", "slug": slug}

        response = sign_in(superuser).post(reverse("admin:tenants_tenant_add"), form)

        assert "slug" in errors_of(response)

    def test_keep_their_currency_once_something_is_sold(self, here: Campground, superuser: User) -> None:
        fresh = TenantFactory.create(slug="strand")
        for tenant in (here.tenant, fresh):
            form = {**self.FORM, "slug": tenant.slug, "currency": "EUR"}
            sign_in(superuser).post(reverse("admin:tenants_tenant_change", args=[tenant.pk]), form)
            tenant.refresh_from_db()

        assert (here.tenant.currency, fresh.currency) == ("CHF", "EUR")


class TestForms:
    def test_refuse_a_second_product_with_one_number(self, browser: Client, here: Campground) -> None:
        other = ProductFactory.create(tenant=here.tenant, sku="G5")
        form = {"sku": here.rows[Product].sku, "name": "Gas", "unit_price": "20", "vat_rate": "8.1"}

        response = browser.post(reverse("admin:catalogue_product_change", args=[other.pk]), form)

        assert errors_of(response)

    def test_allow_the_neighbours_numbers(self, browser: Client, here: Campground, neighbour: Campground) -> None:
        form = {"sku": "waldrand-G11", "name": "Gas", "unit_price": "20", "vat_rate": "8.1"}

        response = browser.post(reverse("admin:catalogue_product_change", args=[here.rows[Product].pk]), form)

        assert response.status_code == 302

    @pytest.mark.parametrize("wrong", [{"unit_price": "-1"}, {"unit_price": "1.005"}, {"vat_rate": "101"}])
    def test_refuse_impossible_numbers(self, wrong: dict[str, str], browser: Client, here: Campground) -> None:
        form = {"tenant": here.tenant.pk, "sku": "B", "name": "Holz", "unit_price": "9", "vat_rate": "8.1", **wrong}

        assert set(errors_of(browser.post(reverse("admin:catalogue_product_add"), form))) == set(wrong)

    @pytest.mark.parametrize(("rate", "taken"), [("8.1", True), ("", True), ("7.7", False), ("19", False)])
    def test_take_a_default_vat_rate_that_holds(
        self, rate: str, taken: bool, browser: Client, here: Campground
    ) -> None:
        address = reverse("admin:pos_bridge_bridgesettings_change", args=[here.tenant.pk])

        response = browser.post(address, {"enabled": "on", "default_vat_rate": rate})

        assert (response.status_code == 302) is taken
        assert BridgeSettings.objects.filter(default_vat_rate=rate or None).exists() is taken

    def test_switch_the_bridge_off(self, browser: Client, here: Campground) -> None:
        browser.post(reverse("admin:pos_bridge_bridgesettings_change", args=[here.tenant.pk]), {"default_vat_rate": ""})

        assert Till(here.token).get("/ping/").status_code == 403


class TestPeople:
    def test_get_a_role_by_their_user_name(self, browser: Client, here: Campground, newcomer: User) -> None:
        form = {"tenant": here.tenant.pk, "user": "nina", "role": "staff"}

        browser.post(reverse("admin:tenants_membership_add"), form)

        assert Membership.objects.get(user=newcomer).role == Role.STAFF

    def test_work_at_two_campgrounds_if_a_superuser_says_so(
        self, here: Campground, neighbour: Campground, superuser: User
    ) -> None:
        form = {"tenant": here.tenant.pk, "user": neighbour.staff.username, "role": "staff"}

        sign_in(superuser).post(reverse("admin:tenants_membership_add"), form)

        assert neighbour.staff.memberships.count() == 2

    def test_are_created_with_a_role_in_one_step(self, here: Campground, superuser: User) -> None:
        password = "kieselstrand-am-see"
        form = {
            "username": "otto",
            "is_staff": "on",
            "usable_password": "true",
            "password1": password,
            "password2": password,
            "memberships-TOTAL_FORMS": "1",
            "memberships-INITIAL_FORMS": "0",
            "memberships-0-tenant": here.tenant.pk,
            "memberships-0-role": "tenant_admin",
        }

        sign_in(superuser).post(reverse("admin:tenants_user_add"), form)

        browser = Client()
        assert browser.post("/anmelden", {"username": "otto", "password": password}).status_code == 302
        assert "seeblick-G11" in page(browser, "catalogue_product")

    def test_leave_a_trace_when_their_password_or_their_roles_change(
        self, here: Campground, neighbour: Campground, superuser: User
    ) -> None:
        browser, person = sign_in(superuser), here.staff
        password = {"password1": "kieselstrand-am-see", "password2": "kieselstrand-am-see", "usable_password": "true"}
        browser.post(reverse("admin:auth_user_password_change", args=[person.pk]), password)
        role = {
            "username": person.username,
            "is_active": "on",
            "memberships-TOTAL_FORMS": "2",
            "memberships-INITIAL_FORMS": "1",
            "memberships-0-id": Membership.objects.get(user=person).pk,
            "memberships-0-user": person.pk,
            "memberships-0-tenant": here.tenant.pk,
            "memberships-0-role": "staff",
            "memberships-0-DELETE": "on",
            "memberships-1-user": person.pk,
            "memberships-1-tenant": neighbour.tenant.pk,
            "memberships-1-role": "tenant_admin",
        }
        browser.post(reverse("admin:tenants_user_change", args=[person.pk]), role)

        traces = {
            tenant: [row.deed for row in Trace.objects.of(tenant).filter(by=superuser).order_by("pk")]
            for tenant in (here.tenant, neighbour.tenant)
        }
        assert traces == {
            here.tenant: ["admin.changed", "admin.deleted"],
            neighbour.tenant: ["admin.added", "admin.changed"],
        }
        assert "kieselstrand" not in str(Trace.objects.of(here.tenant).values())

    def test_show_nothing_of_their_passwords(self, here: Campground, superuser: User) -> None:
        here.staff.set_password("kieselstrand-am-see")
        here.staff.save()

        shown = page(sign_in(superuser), "tenants_user", here.staff.pk)

        algorithm, salt, digest = here.staff.password.split("$")
        assert "password/" in shown
        for part in (salt, digest[:6], algorithm):
            assert part not in shown

    def test_may_not_have_what_no_role_gives(self, here: Campground, superuser: User) -> None:
        shown = page(sign_in(superuser), "tenants_user", here.staff.pk)

        assert "user_permissions" not in shown
        assert "groups" not in shown
