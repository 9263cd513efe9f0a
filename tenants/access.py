"""Who may see and change what: host names to campgrounds, people to theirs."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http.request import split_domain_port

from tenants.models import RESERVED_SLUGS, Membership, Role, Tenant, User


@lru_cache(maxsize=500)
def slug_named_by(host: str) -> str | None:
    """The campground's slug that a ``Host`` header names, or None on a host common to all.

    Port, capitals and a final dot do not matter. The slug need not exist: a host that names nobody's
    campground names another one than the caller's.
    """
    domain, _port = split_domain_port(host)
    slug, dot, rest = domain.partition(".")
    if not dot or rest != settings.TENANT_DOMAIN or slug in RESERVED_SLUGS:
        return None
    return slug


def tenants_of(user: User | AnonymousUser, *roles: Role) -> QuerySet[Tenant]:
    """The campgrounds a person may see, or those where they hold one of ``roles``; a superuser's are all."""
    if not isinstance(user, User) or not user.is_active:
        return Tenant.objects.none()
    if user.is_superuser:
        return Tenant.objects.all()
    memberships = user.memberships.filter(role__in=roles or Role.values)
    return Tenant.objects.filter(pk__in=memberships.values("tenant"), is_active=True)


def roles_of(user: User) -> dict[Tenant, Role]:
    """What a person is at each of their campgrounds; a superuser is an admin everywhere."""
    if not user.is_active:
        return {}
    if user.is_superuser:
        return dict.fromkeys(Tenant.objects.filter(is_active=True), Role.TENANT_ADMIN)
    memberships = Membership.objects.filter(user=user, tenant__is_active=True).select_related("tenant")
    return {membership.tenant: Role(membership.role) for membership in memberships}
