"""The campground that a command is asked about."""

from __future__ import annotations

from django.core.management.base import CommandError

from tenants.models import Tenant


def campground_named(slug: str) -> Tenant:
    """The campground with this slug.

    Raises:
        CommandError: there is none.
    """
    found = Tenant.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no campground {slug!r}; create_tenant opens one.")
    return found
