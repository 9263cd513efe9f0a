"""``take_kept_calls FILE …``: what the operator's log has kept of the activity log, into the activity log."""

from __future__ import annotations

from argparse import FileType
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandParser, no_translations
from django.db import transaction

from pos_bridge.kept_calls import take_kept_calls
from tenants.fence import across_tenants


class Command(BaseCommand):
    help = (
        "Take rows of the activity log into it that the service has written to its own log, because the database was "
        "away or its disk full. A row that is there already is left as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="+", metavar="FILE", type=FileType(errors="replace"), help="the service's own log"
        )

    @no_translations
    def handle(self, *args: Any, files: list[TextIO], **options: Any) -> None:
        """All files, or none."""
        with across_tenants(), transaction.atomic():
            for file in files:
                with file:
                    taken = take_kept_calls(file)
                self.stdout.write(f"{file.name}: {taken.new} taken, {taken.known} known.")
