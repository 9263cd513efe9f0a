"""``restore FILE``: a backup into an empty database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from campone.operation.backup import BackupFailed, restore


class Command(BaseCommand):
    help = (
        "Put a backup into the database of DATABASE_URL, which must be empty, and tell the digests of its ledgers. "
        "The keys of tills hold, if SECRET_KEY is the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Put it there, and tell what there is."""
        try:
            restore(file)
        except BackupFailed as error:
            raise CommandError(str(error)) from None
        try:
            call_command("ledger_digest", stdout=self.stdout)
        except DatabaseError:
            self.stdout.write("Restored, out of another version: `manage.py migrate`, then `manage.py ledger_digest`.")
