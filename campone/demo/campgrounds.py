"""Opening the demo's campgrounds: once, and never over a campground or a person that is not the demo's."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from django.db import transaction

from apikeys.minting import mint_key
from apikeys.models import Scope
from campone.demo.desks import BISTRO, KIOSK, NIGHTS, RECEPTION, SHOP, Article, Desk
from campone.opening import open_campground
from catalogue.importing import import_products
from tenants.fence import within
from tenants.models import Membership, Role, Tenant, User

PRODUCTS = Path(__file__).parent / "products"
BOTH = (Scope.POS_READ, Scope.POS_WRITE)
# By their address the demo knows its own people again; no mail can ever reach it.
DOMAIN = "demo.invalid"
OPERATOR = "admin"


class NotOurs(Exception):
    """A campground or a person of that name is there already, and the demo has not made them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a demo campground is to be; ``keys`` names the key of each desk that is an outside till."""

    slug: str
    name: str
    people: Mapping[str, Role]
    desks: tuple[Desk, ...]
    keys: Mapping[str, str]
    revoked_key: str = ""


SEEBLICK = Plan(
    slug="seeblick",
    name="Camping Seeblick",
    people={"seeblick": Role.TENANT_ADMIN, "seeblick-staff": Role.STAFF},
    desks=(SHOP, BISTRO, RECEPTION),
    keys={"shop": "Shop till", "bistro": "Bistro till"},
    revoked_key="Shop till until last season",
)
WALDRAND = Plan(
    slug="waldrand",
    name="Camping Waldrand",
    people={"waldrand": Role.TENANT_ADMIN},
    desks=(KIOSK,),
    keys={"kiosk": "Kiosk till"},
)
PLANS = (SEEBLICK, WALDRAND)
LOGINS = (*SEEBLICK.people, *WALDRAND.people, OPERATOR)


def open_campgrounds(*, at: datetime) -> dict[str, Tenant]:
    """Both demo campgrounds by slug, opened if they are not there yet.

    Raises:
        NotOurs: a name is taken by somebody else's; nothing was changed.
    """
    with transaction.atomic():
        refuse_to_touch_others()
        for plan in PLANS:
            if not Tenant.objects.filter(slug=plan.slug).exists():
                _open(plan, at)
        if not User.objects.filter(username=OPERATOR).exists():
            _add_person(OPERATOR, is_superuser=True)
    return {plan.slug: Tenant.objects.get(slug=plan.slug) for plan in PLANS}


def refuse_to_touch_others() -> None:
    """Check that every name the demo uses is free or its own."""
    for name in User.objects.filter(username__in=LOGINS).exclude(email__endswith=f"@{DOMAIN}"):
        raise NotOurs(f"There is a person {name.username!r} already whom the demo has not made")
    people = Membership.objects.filter(user__email__endswith=f"@{DOMAIN}")
    known = Tenant.objects.filter(slug__in=[plan.slug for plan in PLANS])
    for other in known.exclude(pk__in=people.values("tenant")):
        raise NotOurs(f"There is a campground {other.slug!r} already which the demo has not opened")


def _open(plan: Plan, at: datetime) -> None:
    tenant = Tenant(slug=plan.slug, name=plan.name)
    open_campground(tenant)
    for username, role in plan.people.items():
        Membership.objects.create(tenant=tenant, user=_add_person(username), role=role)
    with within(tenant):
        import_products(tenant=tenant, lines=_lines_of_products(plan))
        # The tokens are thrown away: these tills have sold already, and nobody is to sell with them.
        for name in plan.keys.values():
            mint_key(tenant=tenant, name=name, scopes=BOTH, at=at)
        if plan.revoked_key:
            mint_key(tenant=tenant, name=plan.revoked_key, scopes=BOTH, at=at).key.revoke(at=at)


def _add_person(username: str, *, is_superuser: bool = False) -> User:
    """Someone who may sign in once ``access`` has set a password."""
    person = User(username=username, email=f"{username}@{DOMAIN}", is_staff=True, is_superuser=is_superuser)
    person.set_unusable_password()
    person.save(force_insert=True)
    return person


def goods_of(plan: Plan) -> Sequence[Article]:
    """What is on the shelves there, as its file says, and what only the front desk sells."""
    rows = csv.DictReader(_lines_of_products(plan))
    shelves = [
        Article(row["sku"], row["name"], row["category"], Decimal(row["unit_price"]), Decimal(row["vat_rate"]))
        for row in rows
        if row["active"] == "1"
    ]
    return (*shelves, *NIGHTS)


def _lines_of_products(plan: Plan) -> list[str]:
    return (PRODUCTS / f"{plan.slug}.csv").read_text(encoding="utf-8").splitlines(keepends=True)
