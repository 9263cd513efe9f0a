"""The pages of connections: who may look, who may change, and that nothing on them can be broken."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from adapters.connections import address_of, entrust, secrets_of
from adapters.forms import ConnectionForm
from adapters.models import Connection, Standing, VendorEvent
from adapters.pulling import remember
from adapters.vendors import VENDORS
from kasse.models import Transaction
from tenants.models import Role, Tenant
from tests.adapters.vendors_tills import LightspeedTill, connection_of, fondue
from tests.factories import NOON, member

BASE = "/einstellungen/integrationen/adapter"
PAGES = ["", "/neu/lightspeed", "/{pk}", "/{pk}/aendern", "/{pk}/ereignisse/{event}"]
DEEDS = [
    "/{pk}/holen",
    "/{pk}/schalter",
    "/{pk}/adresse",
    "/{pk}/ereignisse/{event}/nochmals",
    "/{pk}/ereignisse/{event}/beiseite",
]
ADMINS_ALONE = {"/neu/lightspeed", "/{pk}/aendern", *DEEDS}


@pytest.fixture
def event(lightspeed: LightspeedTill) -> VendorEvent:
    """A bill that waits: of another business."""
    lightspeed.charge(fondue(businessExternalReference="seeblick-terrasse", name="<script>alert(1)</script>"))
    return VendorEvent.objects.get()


def signed_in(tenant: Tenant, role: Role = Role.TENANT_ADMIN) -> Client:
    client = Client(headers={"host": "testserver"})
    client.force_login(member(tenant, role, is_staff=False))
    return client


def at(path: str, event: VendorEvent) -> str:
    return BASE + path.format(pk=event.connection_id, event=event.pk)


class TestEveryPage:
    @pytest.mark.parametrize("path", [*PAGES, *DEEDS])
    def test_asks_strangers_to_sign_in(self, event: VendorEvent, path: str) -> None:
        method = Client().post if path in DEEDS else Client().get

        assert "/anmelden" in method(at(path, event))["Location"]

    @pytest.mark.parametrize("path", PAGES)
    def test_is_open_to_whom_it_is_for(self, event: VendorEvent, seeblick: Tenant, path: str) -> None:
        for role in Role:
            wanted = 403 if path in ADMINS_ALONE and role == Role.STAFF else 200
            assert signed_in(seeblick, role).get(at(path, event)).status_code == wanted, role

    @pytest.mark.parametrize("path", DEEDS)
    def test_changes_nothing_for_staff_nor_by_being_looked_at(
        self, event: VendorEvent, seeblick: Tenant, path: str
    ) -> None:
        before = Connection.objects.values().get()
        staff, admin = signed_in(seeblick, Role.STAFF), signed_in(seeblick)

        assert staff.post(at(path, event)).status_code == 403
        assert admin.get(at(path, event)).status_code == 405
        assert Connection.objects.values().get() == before

    @pytest.mark.parametrize("path", [each for each in [*PAGES, *DEEDS] if "{pk}" in each])
    def test_of_the_neighbour_is_not_there(self, event: VendorEvent, waldrand: Tenant, path: str) -> None:
        neighbour = signed_in(waldrand)

        assert neighbour.get(at(path, event)).status_code in {404, 405}
        assert neighbour.post(at(path, event)).status_code in {404, 405}

    def test_shows_nothing_of_the_neighbour(self, event: VendorEvent, waldrand: Tenant) -> None:
        assert b"data-connection" not in signed_in(waldrand).get(BASE).content

    @pytest.mark.parametrize("path", ["", "/{pk}", "/{pk}/ereignisse/{event}"])
    def test_costs_few_queries_however_much_there_is(
        self, event: VendorEvent, lightspeed: LightspeedTill, seeblick: Tenant, path: str
    ) -> None:
        for number in range(12):
            connection_of(seeblick, "lightspeed", name=f"Kiosk {number}")
            lightspeed.charge(fondue(fiscId=f"A1.{number}"))
        client = signed_in(seeblick)
        client.get(at(path, event))

        with CaptureQueriesContext(database) as queries:
            client.get(at(path, event))

        assert len(queries) <= 8

    @pytest.mark.parametrize(
        "path", ["/0", "/999999999999999999", "/neu/toast", "/{pk}/ereignisse/0", "/{pk}?page=x&standing=%00", "/x"]
    )
    def test_of_nothing_is_no_fault_of_ours(self, event: VendorEvent, seeblick: Tenant, path: str) -> None:
        assert signed_in(seeblick).get(at(path, event)).status_code in {200, 404}


class TestConnecting:
    def test_makes_an_address(self, seeblick: Tenant, waldrand: Tenant) -> None:
        answer = signed_in(seeblick).post(
            f"{BASE}/neu/lightspeed",
            {"name": "Terrasse", "scope": "", "currency": "CHF", "language": "fr", "methods": "Bon = voucher"},
        )

        made = Connection.objects.get()
        assert answer["Location"] == f"{BASE}/{made.pk}"
        assert (made.till.name, made.till.is_active_at(NOON)) == ("Lightspeed Restaurant · Terrasse", False)
        assert (made.tenant, made.name, made.language, made.methods) == (seeblick, "Terrasse", "fr", {"bon": "VOUCHER"})
        assert (address_of(made) or "").startswith("https://api.campone.example/api/v1/adapters/lightspeed/")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("name", "Restaurant"),
            ("name", "x" * 81),
            ("currency", "Franken"),
            ("language", "rm"),
            ("default_vat_rate", "viel"),
            ("default_vat_rate", "101"),
            ("methods", "Bon"),
            ("methods", "Bon = MUSCHELN"),
            ("methods", "\n".join(f"wort{n} = CASH" for n in range(101))),
            ("scope", "x" * 121),
        ],
    )
    def test_tells_what_is_wrong(self, restaurant: Connection, seeblick: Tenant, field: str, value: str) -> None:
        entered = {"name": "Terrasse", "currency": "CHF", "language": "de", field: value}

        answer = signed_in(seeblick).post(f"{BASE}/neu/lightspeed", entered)

        assert answer.status_code == 200
        assert f'id="id_{field}_error"'.encode() in answer.content
        assert Connection.objects.get() == restaurant

    @pytest.mark.parametrize("code", VENDORS)
    def test_offers_every_vendor(self, seeblick: Tenant, code: str) -> None:
        client = signed_in(seeblick)

        assert f'data-vendor="{code}"'.encode() in client.get(BASE).content
        assert client.get(f"{BASE}/neu/{code}").status_code == 200


class TestSecondThoughts:
    def test_the_same_form_twice_at_the_same_moment_makes_one(
        self, restaurant: Connection, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ConnectionForm, "clean_name", lambda form: form.cleaned_data["name"])
        told = {"name": "Restaurant", "currency": "CHF", "language": "de"}

        answer = signed_in(seeblick).post(f"{BASE}/neu/lightspeed", told)

        assert (answer.status_code, set(answer.context["form"].errors)) == (200, {"name"})
        assert Connection.objects.count() == 1

    def test_another_key_asks_anew_whose_till_it_is(self, seeblick: Tenant) -> None:
        kiosk = connection_of(seeblick, "zettle", name="Kiosk", scope="of-the-former-owner")
        entrust(kiosk, api_key="old", client_id="7", contact_email="kiosk@seeblick.example")
        kiosk.save()

        signed_in(seeblick).post(f"{BASE}/{kiosk.pk}/aendern", {"name": "Kiosk", "api_key": "eyJ-new"})

        kiosk.refresh_from_db()
        assert (kiosk.scope, secrets_of(kiosk)["api_key"]) == ("", "eyJ-new")


class TestAConnection:
    def test_shows_its_address_to_admins_alone(self, restaurant: Connection, seeblick: Tenant) -> None:
        address = (address_of(restaurant) or "").encode()

        assert address in signed_in(seeblick).get(f"{BASE}/{restaurant.pk}").content
        assert address not in signed_in(seeblick, Role.STAFF).get(f"{BASE}/{restaurant.pk}").content

    def test_changes_its_settings(self, restaurant: Connection, seeblick: Tenant) -> None:
        entered = {"name": "Beiz", "scope": "beiz", "currency": "CHF", "language": "it", "default_vat_rate": "8.1"}

        signed_in(seeblick).post(f"{BASE}/{restaurant.pk}/aendern", {**entered, "methods": "Jeton = TWINT"})

        restaurant.refresh_from_db()
        assert restaurant.till.name == "Lightspeed Restaurant · Beiz"
        assert (restaurant.name, restaurant.scope, restaurant.methods) == ("Beiz", "beiz", {"jeton": "TWINT"})

    def test_is_switched_off_and_on(self, restaurant: Connection, seeblick: Tenant, lightspeed: LightspeedTill) -> None:
        client = signed_in(seeblick)
        client.post(f"{BASE}/{restaurant.pk}/schalter", {"enabled": "vielleicht"})
        assert lightspeed.charge(fondue()).status_code == 200
        for wanted, status in (("off", 403), ("on", 200)):
            client.post(f"{BASE}/{restaurant.pk}/schalter", {"enabled": wanted})

            assert lightspeed.charge(fondue()).status_code == status
            page = client.get(f"{BASE}/{restaurant.pk}").content.decode()
            assert ('data-colour="grey"' in page) == (wanted == "off")

    def test_gets_another_address(self, restaurant: Connection, seeblick: Tenant, lightspeed: LightspeedTill) -> None:
        signed_in(seeblick).post(f"{BASE}/{restaurant.pk}/adresse")

        assert lightspeed.charge(fondue()).status_code == 404

    def test_is_fetched_from_at_the_next_round(self, restaurant: Connection, seeblick: Tenant) -> None:
        """Where the vendor is asked; one that calls us has no such button."""
        boats = connection_of(seeblick, "sumup", name="Bootsverleih", scope="MSEEBLICK")
        remember(boats, next_at="2066-01-01T00:00:00+00:00")
        client = signed_in(seeblick)

        assert b'id="fetch-now"' in client.get(f"{BASE}/{boats.pk}").content
        assert b'id="fetch-now"' not in client.get(f"{BASE}/{restaurant.pk}").content
        assert client.post(f"{BASE}/{boats.pk}/holen").status_code == 302
        assert client.post(f"{BASE}/{restaurant.pk}/holen").status_code == 404
        boats.refresh_from_db()
        assert boats.state == {}

    @pytest.mark.parametrize("code", ["zettle", "sumup"])
    def test_never_shows_a_secret_and_keeps_one_that_is_not_entered_again(self, seeblick: Tenant, code: str) -> None:
        client = signed_in(seeblick)
        entered = {"name": "Kiosk", "scope": "M", "client_id": "7", "api_key": "geheim", "contact_email": "a@b.example"}
        client.post(f"{BASE}/neu/{code}", entered)
        made = Connection.objects.get()

        client.post(f"{BASE}/{made.pk}/aendern", {"name": "Strandkiosk", "scope": "M", "api_key": ""})

        made.refresh_from_db()
        assert (made.name, secrets_of(made)["api_key"]) == ("Strandkiosk", "geheim")
        for path in (f"{BASE}/{made.pk}", f"{BASE}/{made.pk}/aendern"):
            assert b"geheim" not in client.get(path).content
        refused = client.post(f"{BASE}/neu/{code}", {**entered, "name": ""})
        assert b"geheim" not in refused.content

    def test_is_yellow_while_something_waits(self, event: VendorEvent, seeblick: Tenant) -> None:
        page = signed_in(seeblick).get(at("/{pk}", event)).content.decode()

        assert 'data-colour="yellow"' in page
        assert 'data-standing="parked"' in page

    def test_whose_secrets_cannot_be_opened_says_so(
        self, restaurant: Connection, seeblick: Tenant, settings: Any
    ) -> None:
        client = signed_in(seeblick)
        Connection.objects.update(sealed_address="broken")

        assert b'id="sealed"' in client.get(f"{BASE}/{restaurant.pk}").content
        assert secrets_of(restaurant) == {}


class TestAnEvent:
    def test_shows_what_was_sent_as_text(self, event: VendorEvent, seeblick: Tenant) -> None:
        page = signed_in(seeblick).get(at("/{pk}/ereignisse/{event}", event)).content.decode()

        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
        assert "&quot;taxRate&quot;: 1.081" in page
        assert 'data-reason="other_business"' in page

    def test_is_mapped_again(self, event: VendorEvent, seeblick: Tenant) -> None:
        Connection.objects.update(scope="seeblick-terrasse")

        signed_in(seeblick).post(at("/{pk}/ereignisse/{event}/nochmals", event))

        event.refresh_from_db()
        assert event.standing == Standing.RECORDED
        assert Transaction.objects.get().total_amount == 54

    def test_that_still_cannot_be_mapped_says_why(self, event: VendorEvent, seeblick: Tenant) -> None:
        answer = signed_in(seeblick).post(at("/{pk}/ereignisse/{event}/nochmals", event), follow=True)

        assert b'class="message error"' in answer.content
        assert not Transaction.objects.exists()

    def test_is_set_aside_and_can_come_back(self, event: VendorEvent, seeblick: Tenant) -> None:
        client = signed_in(seeblick)
        client.post(at("/{pk}/ereignisse/{event}/beiseite", event))
        event.refresh_from_db()
        assert event.standing == Standing.SET_ASIDE

        Connection.objects.update(scope="")
        client.post(at("/{pk}/ereignisse/{event}/nochmals", event))

        assert Transaction.objects.count() == 1

    def test_that_is_booked_is_left_alone(self, lightspeed: LightspeedTill, seeblick: Tenant) -> None:
        lightspeed.charge(fondue())
        booked = VendorEvent.objects.get()
        client = signed_in(seeblick)

        client.post(at("/{pk}/ereignisse/{event}/beiseite", booked))
        client.post(at("/{pk}/ereignisse/{event}/nochmals", booked))

        booked.refresh_from_db()
        assert booked.standing == Standing.RECORDED
        assert Transaction.objects.count() == 1


class TestTheCard:
    def test_stands_beside_that_of_the_bridge(self, restaurant: Connection, seeblick: Tenant) -> None:
        page = signed_in(seeblick).get("/einstellungen/integrationen")

        assert b'id="vendor-adapters"' in page.content
        assert f"{BASE}/{restaurant.pk}".encode() in page.content
