"""``create_roles``: the roles of PostgreSQL that serve and read, and the fence that holds them; after every migrate."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from campone.roles import Unfit, make_roles


class Command(BaseCommand):
    help = (
        "Make the role that serves and the role that reads, with their rights, and put up row level security. Run as "
        "the owner of the tables, who may create roles; again after every migrate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--app", default="campone_app", metavar="ROLE", help="the service's role")
        parser.add_argument("--reader", default="campone_reader", metavar="ROLE", help="for reports")

    def handle(self, *args: Any, app: str, reader: str, **options: Any) -> None:
        """Make them; passwords are set by hand."""
        if connection.vendor != "postgresql":
            raise CommandError("Roles are PostgreSQL's; SQLite has none.")
        try:
            make_roles(app=app, reader=reader)
        except Unfit as reason:
            raise CommandError(str(reason)) from None
        except DatabaseError as error:
            said = str(error).strip().partition("\n")[0]
            raise CommandError(f"Not all of it is done; run it again: {said}") from None
        self.stdout.write(f"{app} serves and {reader} reads. New ones need a password: \\password {app} in psql.")
