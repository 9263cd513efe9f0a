"""``run_due``: what is due at every campground; for every minute, from cron, systemd, compose or several of them."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campone.deeds import DEEDS, do

LOGGER = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Do what is due at every campground: fetch from the tills of vendors, post the journals of finished days, look "
        "up lost answers, try failed ones again, finish imports, mail about keys that end soon; once a day forget what "
        "is old. For every minute; nothing is done twice, however often and wherever it runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=DEEDS, metavar="DEED", help=f"one of: {', '.join(DEEDS)}")

    def handle(self, *args: Any, only: str | None, **options: Any) -> None:
        """Do it, and say what was done; nothing is said where nothing was due."""
        failed = [name for name in ([only] if only else DEEDS) if not self._does(name)]
        if failed:
            raise CommandError(f"Failed: {', '.join(failed)}; the log says why.")

    def _does(self, name: str) -> bool:
        """Whether a deed comes to its end; the others are done whatever becomes of it."""
        try:
            for line in do(name):
                self.stdout.write(line)
        except Exception:
            LOGGER.exception("What was due failed: %s.", name)
            return False
        return True
