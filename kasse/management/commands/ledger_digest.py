"""``ledger_digest``: one figure for each campground's whole ledger, to be compared."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kasse.digest import digest_of
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "Tell for each campground how many sales its ledger has, and the SHA-256 over all of them: the same before a "
        "backup and after it was restored, on SQLite and on PostgreSQL. Reads the whole ledger."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="this campground alone")

    def handle(self, *args: Any, tenant: str | None, **options: Any) -> None:
        """Tell it, a line for each."""
        tenants = Tenant.objects.order_by("slug")
        chosen = tenants.filter(slug=tenant) if tenant else tenants
        if tenant and not chosen:
            raise CommandError(f"There is no campground {tenant!r}.")
        for each in chosen:
            digest = digest_of(each)
            self.stdout.write(f"{digest.sha256}  {digest.sales}  {each.slug}")
