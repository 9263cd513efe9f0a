"""``move_to_postgresql FILE``: from a SQLite file into PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from campone.operation.moving import NotMoved, move


class Command(BaseCommand):
    help = (
        "Move everything out of a SQLite file into the PostgreSQL database of DATABASE_URL, migrated and empty. "
        "All or nothing; the digests of all ledgers are compared. Run as the owner of the tables, with the same "
        "SECRET_KEY: keys, sessions and sealed secrets go on working."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Move it, and tell what there is."""
        try:
            digests = move(file)
        except NotMoved as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            reason = str(error).strip().partition("\n")[0]
            raise CommandError(f"Nothing was moved: {reason}") from None
        for slug, digest in digests.items():
            self.stdout.write(f"{digest.sha256}  {digest.sales}  {slug}")
