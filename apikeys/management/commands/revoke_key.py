"""``revoke_key PREFIX``: end a key for ever."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.tokens import is_well_formed, prefix_of
from tenants.fence import within


def find_meant(prefix: str) -> ApiKey:
    """The key that somebody names by its prefix; whoever pastes the whole token means its key.

    Raises:
        CommandError: there is none.
    """
    meant = prefix_of(prefix) if is_well_formed(prefix) else prefix
    key = ApiKey.objects.across_tenants().filter(prefix=meant).select_related("tenant").first()
    if key is None:
        raise CommandError("There is no key with this prefix; the admin lists them.")
    return key


class Command(BaseCommand):
    help = "Revoke an API key: it gets 401 from its very next call."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prefix", help="the key's public start: ck_ and eight characters")

    def handle(self, *args: Any, prefix: str, **options: Any) -> None:
        """Revoke it; a key that is revoked already stays as it was."""
        key = find_meant(prefix)
        with within(key.tenant):
            key.revoke(at=timezone.now())
        self.stdout.write(f"Revoked: {key}")
