"""``mint_key``: make a key from the command line; the token alone goes to standard output."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apikeys.minting import mint_key
from apikeys.models import DEFAULT_BUDGET
from apikeys.networks import NotANetwork, network_in
from tenants.fence import within
from tenants.management.campgrounds import campground_named
from tenants.rehearsals import open_rehearsal


def read_instant(text: str) -> datetime:
    """An instant with its offset, such as 2027-01-01T00:00:00Z."""
    instant = parse_datetime(text)
    if instant is None or instant.tzinfo is None:
        raise ArgumentTypeError(f"not an instant with an offset, such as 2027-01-01T00:00:00Z: {text}")
    return instant


def read_budget(text: str) -> int | None:
    """A number of calls per rolling hour, or ``none``."""
    if text == "none":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"not a number of calls, nor none: {text}")
    return int(text)


def read_network(text: str) -> str:
    """A network from which the key may be used, as it is kept."""
    try:
        return str(network_in(text))
    except NotANetwork:
        raise ArgumentTypeError(f"not a network, such as 192.0.2.0/24 or 2001:db8::/48: {text}") from None


class Command(BaseCommand):
    help = "Mint an API key. Its token is printed this once, alone, on standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--name", required=True, help="what it is for, such as 'Lightspeed shop till'")
        parser.add_argument("--scope", required=True, action="append", help="pos:read or pos:write; repeat for both")
        parser.add_argument("--test", action="store_true", help="a test key: what it sends is kept apart, never counts")
        parser.add_argument("--expires", type=read_instant, metavar="INSTANT", help="such as 2027-01-01T00:00:00Z")
        parser.add_argument(
            "--budget", type=read_budget, default=DEFAULT_BUDGET, metavar="N|none", help="calls in a rolling hour"
        )
        parser.add_argument(
            "--network", action="append", default=[], type=read_network, help="such as 192.0.2.0/24; repeat for several"
        )

    @no_translations
    def handle(self, *args: Any, tenant: str, name: str, **options: Any) -> None:
        """Mint it, or say in one sentence why not."""
        found = campground_named(tenant)
        try:
            with within(found):
                minted = mint_key(
                    tenant=open_rehearsal(found) if options["test"] else found,
                    name=name,
                    scopes=options["scope"],
                    at=timezone.now(),
                    expires_at=options["expires"],
                    budget=options["budget"],
                    networks=options["network"],
                )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self.stdout.write(minted.token)
