"""``create_tenant SLUG``: open a campground on this service."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from campone.opening import open_campground
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Open a campground: its host name will be SLUG, followed by the service's domain."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="lower-case letters, digits and inner hyphens")
        parser.add_argument("--name", help="as shown to people; the slug if left out")
        parser.add_argument("--zone", default="Europe/Zurich", help="time zone in which its days begin and end")
        parser.add_argument("--currency", default="CHF", help="ISO 4217 code of all its amounts")
        parser.add_argument(
            "--cutoff-hour", type=int, default=0, help="until this hour a sale counts for the day before"
        )

    @no_translations
    def handle(self, *args: Any, slug: str, name: str | None, **options: Any) -> None:
        """Create it, or say in one sentence why not."""
        tenant = Tenant(
            slug=slug,
            name=name or slug,
            zone=options["zone"],
            currency=options["currency"],
            cutoff_hour=options["cutoff_hour"],
        )
        try:
            open_campground(tenant)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self.stdout.write(f"{tenant.name} is open: {tenant.slug}")
