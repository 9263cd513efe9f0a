"""``pull_tills``: ask vendors now what their tills have sold; ``run_due`` does it by itself, every few minutes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from adapters.due import run_now, sentence_of
from adapters.vendors import VENDORS


class Command(BaseCommand):
    help = "Ask the vendors of connected tills at once, without waiting for the next turn of run_due."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which ones; all of them if nothing is said."""
        parser.add_argument("--tenant", metavar="SLUG", help="only the connections of this campground")
        parser.add_argument("--vendor", choices=sorted(VENDORS), help="only the connections to this vendor")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say what was done."""
        for done in run_now(at=timezone.now(), tenant=options["tenant"], vendor=options["vendor"]):
            self.stdout.write(sentence_of(done))
