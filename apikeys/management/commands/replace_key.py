"""``replace_key PREFIX``: a successor for a key; its token alone goes to standard output."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from apikeys.management.commands.mint_key import read_instant
from apikeys.management.commands.revoke_key import find_meant
from apikeys.replacing import KeyEnded, KeyReplaced, replace_key
from tenants.fence import within


class Command(BaseCommand):
    help = (
        "Replace an API key. The new token is printed this once, alone, on standard output; the old one goes on until "
        "24 hours after its first use, and for 7 days at most."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prefix", help="the key's public start: ck_ and eight characters")
        parser.add_argument("--expires", type=read_instant, metavar="INSTANT", help="such as 2027-01-01T00:00:00Z")
        parser.add_argument("--leaked", action="store_true", help="end the old key at once")

    @no_translations
    def handle(self, *args: Any, prefix: str, expires: datetime | None, leaked: bool, **options: Any) -> None:
        """Replace it, or say in one sentence why not."""
        key = find_meant(prefix)
        try:
            with within(key.tenant):
                minted = replace_key(key, at=timezone.now(), expires_at=expires, leaked=leaked)
        except KeyEnded:
            raise CommandError("This key is revoked or has expired, and stays so; mint_key makes a new one.") from None
        except KeyReplaced as replaced:
            raise CommandError(f"This key has been replaced already, by {replaced.by.prefix}.") from None
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self.stdout.write(minted.token)
