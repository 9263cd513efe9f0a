from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from pytest_django import Settings

from tenants.access import slug_named_by, tenants_of
from tenants.models import RESERVED_SLUGS, Role, Tenant
from tests.factories import ProductFactory, UserFactory, member


class TestTheHostName:
    @pytest.mark.parametrize(
        "host",
        [
            "seeblick.campone.example",
            "seeblick.campone.example:443",
            "seeblick.campone.example:8000",
            "Seeblick.campone.example",
            "SEEBLICK.CAMPONE.EXAMPLE",
            "seeblick.CampOne.Example:80",
            "seeblick.campone.example.",
            "SEEBLICK.CAMPONE.EXAMPLE.:8443",
        ],
    )
    def test_names_a_campground_in_any_spelling(self, host: str) -> None:
        assert slug_named_by(host) == "seeblick"

    @pytest.mark.parametrize(
        "host",
        [
            "",
            "localhost",
            "localhost:8000",
            "testserver",
            "127.0.0.1",
            "127.0.0.1:8000",
            "[::1]",
            "[::1]:8000",
            "[2001:db8::1]:443",
            "campone.example",
            "campone.example.",
            "CAMPONE.EXAMPLE:443",
            "example",
            "shop.seeblick.campone.example",
            "seeblick.campone.example.evil.example",
            "seeblick.campone.example..",
            "see_blick.campone.example",
            "see blick.campone.example",
            "seeblick.notcampone.example",
            "seeblickcampone.example",
            "seeblick.campone-example",
            "seeblick.campone.example/",
            "seeblick.campone.example@evil.example",
            "http://seeblick.campone.example",
            "seeblick.campone.example:port",
        ],
    )
    def test_of_another_shape_names_none(self, host: str) -> None:
        assert slug_named_by(host) is None

    @pytest.mark.parametrize("slug", sorted(RESERVED_SLUGS))
    def test_with_a_reserved_name_is_common_to_all(self, slug: str) -> None:
        assert slug_named_by(f"{slug}.campone.example") is None
        assert slug_named_by(f"{slug.upper()}.campone.example.:443") is None

    def test_need_not_be_one_that_exists(self) -> None:
        assert slug_named_by("nobody.campone.example") == "nobody"

    def test_may_lie_below_a_domain_of_one_label(self, settings: Settings) -> None:
        settings.TENANT_DOMAIN = "localhost"

        assert slug_named_by("seeblick.localhost:8000") == "seeblick"
        assert slug_named_by("localhost:8000") is None
        assert slug_named_by("127.0.0.1:8000") is None


class TestTheCampgroundsOfAPerson:
    def test_are_those_with_a_membership(self, seeblick: Tenant, waldrand: Tenant) -> None:
        assert set(tenants_of(member(seeblick))) == {seeblick}

    def test_can_be_several(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick)
        person.memberships.create(tenant=waldrand, role=Role.TENANT_ADMIN)

        assert set(tenants_of(person)) == {seeblick, waldrand}

    def test_can_be_asked_for_by_role(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick, Role.STAFF)
        person.memberships.create(tenant=waldrand, role=Role.TENANT_ADMIN)

        assert set(tenants_of(person, Role.TENANT_ADMIN)) == {waldrand}
        assert set(tenants_of(person, Role.STAFF)) == {seeblick}
        assert set(tenants_of(person, Role.STAFF, Role.TENANT_ADMIN)) == {seeblick, waldrand}

    def test_are_none_without_a_membership(self, seeblick: Tenant) -> None:
        assert not tenants_of(UserFactory.create()).exists()

    def test_are_none_for_whoever_is_not_signed_in(self, seeblick: Tenant) -> None:
        assert not tenants_of(AnonymousUser()).exists()

    def test_are_none_for_a_person_who_has_left(self, seeblick: Tenant) -> None:
        assert not tenants_of(member(seeblick, is_active=False)).exists()
        assert not tenants_of(UserFactory.create(is_superuser=True, is_active=False)).exists()

    def test_lack_those_that_are_switched_off(self, seeblick: Tenant) -> None:
        person = member(seeblick)
        Tenant.objects.update(is_active=False)

        assert not tenants_of(person).exists()

    def test_are_all_for_an_operator(self, seeblick: Tenant, waldrand: Tenant) -> None:
        operator = UserFactory.create(is_superuser=True)
        Tenant.objects.filter(pk=waldrand.pk).update(is_active=False)

        assert set(tenants_of(operator)) == {seeblick, waldrand}
        assert set(tenants_of(operator, Role.TENANT_ADMIN)) == {seeblick, waldrand}


class TestTheHostOfAPage:
    LOGIN = "/anmelden"

    def status(self, client: Client, host: str, path: str = LOGIN) -> int:
        return client.get(path, headers={"host": host}).status_code

    def test_lets_its_own_people_in(self, client: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        client.force_login(member(seeblick))

        assert self.status(client, "seeblick.campone.example", "/admin/password_change/") == 200
        assert self.status(client, "api.campone.example", "/admin/password_change/") == 200

    def test_is_closed_to_people_of_the_neighbour(self, client: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        client.force_login(member(seeblick))

        assert self.status(client, "waldrand.campone.example") == 404

    def test_shows_its_login_to_whoever_is_not_signed_in(self, client: Client, seeblick: Tenant) -> None:
        assert self.status(client, "seeblick.campone.example") == 200

    def test_of_nobodys_campground_shows_nothing(self, client: Client, seeblick: Tenant) -> None:
        assert self.status(client, "nobody.campone.example") == 404

    def test_of_a_campground_that_is_switched_off_shows_nothing(self, client: Client, seeblick: Tenant) -> None:
        Tenant.objects.update(is_active=False)

        assert self.status(client, "seeblick.campone.example") == 404
        client.force_login(member(seeblick))
        assert self.status(client, "seeblick.campone.example") == 404


class TestRowsOfACampground:
    def test_are_its_own_and_no_others(self, seeblick: Tenant, waldrand: Tenant) -> None:
        mine = ProductFactory.create(tenant=seeblick)
        ProductFactory.create(tenant=waldrand)

        assert list(type(mine).objects.of(seeblick)) == [mine]
