"""Take the second factor from a person who has lost both the phone and the codes on paper."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.models import User
from tenants.second_factor import has_second_factor, remove


class Command(BaseCommand):
    help = "Take the second factor from a person; their password alone opens again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="as they sign in")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError("Nobody signs in by this name.")
        if not has_second_factor(person):
            raise CommandError("This person has no second factor.")
        remove(person)
        self.stdout.write(f"From now on the password of {person.get_username()} is enough.")
