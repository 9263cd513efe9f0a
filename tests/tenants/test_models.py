from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from tenants.models import RESERVED_SLUGS, Membership, Role, Tenant
from tests.factories import UserFactory, member

pytestmark = pytest.mark.django_db


def wrong_fields(**fields: Any) -> set[str]:
    """The fields at fault in a campground that is Seeblick but for ``fields``."""
    with pytest.raises(ValidationError) as refused:
        Tenant(**{"slug": "seeblick", "name": "Camping Seeblick", **fields}).full_clean()
    return set(refused.value.message_dict)


class TestACampground:
    @pytest.mark.parametrize("slug", ["a", "7", "seeblick", "camping-7", "a--b", "x" * 63])
    def test_may_have_a_host_name_of_that_kind(self, slug: str) -> None:
        Tenant(slug=slug, name="Camping Seeblick").full_clean()

    @pytest.mark.parametrize(
        "slug",
        [
            "",
            "Seeblick",
            "see blick",
            "see_blick",
            "see.blick",
            "-seeblick",
            "seeblick-",
            "-",
            "seeblick\n",
            "zürisee",
            "\N{CYRILLIC SMALL LETTER ES}eeblick",
            "x" * 64,
            *sorted(RESERVED_SLUGS),
        ],
    )
    def test_may_not_have_a_host_name_that_is_none(self, slug: str) -> None:
        assert wrong_fields(slug=slug) == {"slug"}

    def test_has_its_host_name_alone(self, seeblick: Tenant) -> None:
        assert wrong_fields(slug="seeblick") == {"slug"}
        with pytest.raises(IntegrityError), transaction.atomic():
            Tenant.objects.create(slug="seeblick", name="Another Seeblick")

    @pytest.mark.parametrize("zone", ["", "Europe/Bern", "Zurich", "CEST", "../../etc/passwd", "europe/zurich"])
    def test_lies_in_a_zone_that_exists(self, zone: str) -> None:
        assert wrong_fields(zone=zone) == {"zone"}

    @pytest.mark.parametrize("currency", ["", "chf", "CH", "CHFR", "C1F", "CHF\n", "€"])
    def test_counts_in_a_currency_of_three_capitals(self, currency: str) -> None:
        assert wrong_fields(currency=currency) == {"currency"}

    @pytest.mark.parametrize("hour", [-1, 13, 24])
    def test_ends_its_day_by_noon(self, seeblick: Tenant, hour: int) -> None:
        # PostgreSQL's smallint takes -1, so the database itself must refuse it by a constraint.
        assert wrong_fields(slug="other", cutoff_hour=hour) == {"cutoff_hour"}
        with pytest.raises(IntegrityError), transaction.atomic():
            Tenant.objects.update(cutoff_hour=hour)

    def test_cannot_lose_its_host_name(self, seeblick: Tenant) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Tenant.objects.update(slug="")

    def test_cannot_be_deleted_while_people_belong_to_it(self, seeblick: Tenant) -> None:
        Membership.objects.create(tenant=seeblick, user=UserFactory.create())

        with pytest.raises(ProtectedError):
            seeblick.delete()

    def test_knows_its_zone(self, seeblick: Tenant) -> None:
        noon = timezone.now().replace(month=7, day=1, hour=12)

        assert str(seeblick) == "Camping Seeblick"
        assert noon.astimezone(seeblick.zone_info).utcoffset() == timedelta(hours=2)


class TestAMembership:
    def test_is_one_for_each_person_and_campground(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick)
        Membership.objects.create(tenant=waldrand, user=person)

        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.create(tenant=seeblick, user=person, role=Role.TENANT_ADMIN)

    def test_has_a_known_role(self, seeblick: Tenant) -> None:
        member(seeblick)

        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.update(role="owner")

    def test_gives_the_lesser_role_unless_told(self, seeblick: Tenant) -> None:
        assert Membership.objects.create(tenant=seeblick, user=UserFactory.create()).role == Role.STAFF

    def test_ends_with_the_person(self, seeblick: Tenant) -> None:
        member(seeblick).delete()

        assert not Membership.objects.exists()

    def test_names_person_place_and_role(self, seeblick: Tenant) -> None:
        member(seeblick, Role.TENANT_ADMIN, username="anna")

        assert str(Membership.objects.get()) == f"anna, Camping Seeblick: {Role.TENANT_ADMIN.label}"
