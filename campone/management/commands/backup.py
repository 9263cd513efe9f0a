"""``backup DIR``: the whole database in one file, while tills sell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campone.operation.backup import BackupFailed, back_up


class Command(BaseCommand):
    help = (
        "Write the whole database, as it is at this moment, into a new file of a folder; tills sell on. On PostgreSQL "
        "with pg_dump, as the owner of the tables."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        """Write it, and tell where it is."""
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        try:
            path = back_up(folder, at=timezone.now())
        except BackupFailed as error:
            raise CommandError(str(error)) from None
        self.stdout.write(str(path))
