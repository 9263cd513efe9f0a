"""``demo``: two campgrounds with two weeks of sales, to look round in."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campone.demo.access import describe_access, renew_access
from campone.demo.books import keep_books
from campone.demo.campgrounds import PLANS, SEEBLICK, NotOurs, open_campgrounds
from campone.demo.closes import close_days
from campone.demo.history import fill_days, park_a_conflict
from tenants.fence import within

MOST_DAYS = 366


def read_url(text: str) -> str:
    """The service's root, without the final slash."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        raise ArgumentTypeError(f"not the service's root, such as http://127.0.0.1:8000: {text}")
    return text.rstrip("/")


def read_days(text: str) -> int:
    """How many days, 0 to a year."""
    if not (text.isascii() and text.isdecimal() and int(text) <= MOST_DAYS):
        raise ArgumentTypeError(f"not a number of days, 0 to {MOST_DAYS}: {text}")
    return int(text)


class Command(BaseCommand):
    help = (
        "Open Camping Seeblick and its neighbour Waldrand, with products, people, keys and two weeks of sales."
        " Run again, it adds the days since, and nothing else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", type=read_url, default=settings.PUBLIC_URL, help="where this service is reached")
        parser.add_argument(
            "--print-access",
            action="store_true",
            help="set a new password, mint a new key and a test key, and print them",
        )
        parser.add_argument("--days", type=read_days, default=14, help="days with sales, today among them")
        parser.add_argument("--seed", type=int, default=1, help="another number, other sales on days without any")
        parser.add_argument(
            "--outside-development",
            action="store_true",
            help="run where DEVELOPMENT is not set; the sales it invents can never be deleted",
        )

    def handle(self, *args: Any, url: str, days: int, seed: int, **options: Any) -> None:
        """Open what is missing, fill the days, say what came of it."""
        if not (settings.ENVIRONMENT.development or options["outside_development"]):
            raise CommandError(
                "The demo invents sales and sets passwords: it runs with DEVELOPMENT=1, or with --outside-development."
            )
        at = timezone.now()
        try:
            tenants = open_campgrounds(at=at)
        except NotOurs as taken:
            raise CommandError(f"{taken}; nothing was changed.") from None
        added = 0
        for plan in PLANS:
            with within(tenants[plan.slug]):
                added += fill_days(plan, tenants[plan.slug], days=days, at=at, seed=seed)
        with within(tenants[SEEBLICK.slug]):
            park_a_conflict(SEEBLICK, tenants[SEEBLICK.slug], at=at)
            close_days(SEEBLICK, tenants[SEEBLICK.slug], at=at)
            keep_books(tenants[SEEBLICK.slug], at=at)
        names = " and ".join(tenant.name for tenant in tenants.values())
        self.stdout.write(f"{names} are open; {added} sales added.")
        if options["print_access"]:
            with within(tenants[SEEBLICK.slug]):
                access = renew_access(tenants[SEEBLICK.slug], at=at)
            self.stdout.write("\n" + describe_access(access, url))
