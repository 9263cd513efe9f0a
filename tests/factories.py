"""Rows as a campground would have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from factory.declarations import LazyAttribute
from factory.declarations import Sequence as Numbered
from factory.django import DjangoModelFactory
from factory.helpers import post_generation

from apikeys.minting import Minted, mint_key
from apikeys.models import ApiKey, Scope
from catalogue.models import Product
from catalogue.vat import add_swiss_rates
from tenants.models import Membership, Role, Tenant, User

NOON = datetime(2026, 4, 29, 12, 0, tzinfo=timezone.utc)
BOTH = (Scope.POS_READ, Scope.POS_WRITE)


class TenantFactory(DjangoModelFactory[Tenant]):
    """A campground with the Swiss VAT rates."""

    class Meta:
        model = Tenant
        skip_postgeneration_save = True

    slug = Numbered(lambda number: f"camping-{number}")
    name = LazyAttribute(lambda tenant: tenant.slug.title())

    @post_generation
    def rates(tenant: Tenant, create: bool, extracted: Any, **kwargs: Any) -> None:  # noqa: N805 (factory_boy hands over the row)
        if create:
            add_swiss_rates(tenant)


class ProductFactory(DjangoModelFactory[Product]):
    """A croissant, unless said otherwise."""

    class Meta:
        model = Product

    sku = Numbered(lambda number: f"S{number:03}")
    name = "Croissant"
    category = "Shop"
    unit_price = Decimal("3.50")
    vat_rate = Decimal("2.6")


class UserFactory(DjangoModelFactory[User]):
    """A person who may enter the admin."""

    class Meta:
        model = User

    username = Numbered(lambda number: f"person-{number}")
    is_staff = True


def member(tenant: Tenant, role: Role = Role.STAFF, **fields: Any) -> User:
    """A person with a role at a campground."""
    user = UserFactory.create(**fields)
    Membership.objects.create(tenant=tenant, user=user, role=role)
    return user


def mint(tenant: Tenant, *, scopes: Sequence[str] = BOTH, name: str = "Shop till", **fields: Any) -> Minted:
    """A key without budget, minted at a fixed instant; one that has expired has done so since."""
    expires_at = fields.pop("expires_at", None)
    minted = mint_key(tenant=tenant, name=name, scopes=scopes, **{"at": NOON, "budget": None, **fields})
    if expires_at is not None:
        ApiKey.objects.filter(pk=minted.key.pk).update(expires_at=expires_at)
        minted.key.refresh_from_db(fields=["expires_at"])
    return minted
