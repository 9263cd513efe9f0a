"""``run_due``: what is due at every campground; for every minute, from cron, systemd, compose or several of them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from adapters import due as connections
from journal.due import Done, run_due


class Command(BaseCommand):
    help = (
        "Do what is due at every campground: fetch from the tills of vendors, post the journals of finished days, look "
        "up lost answers, try failed ones again. For every minute; nothing is done twice, however often and wherever "
        "it runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say what was done; nothing is said where nothing was due."""
        try:
            for turn in connections.run_due(at=timezone.now()):
                self.stdout.write(connections.sentence_of(turn))
        finally:  # the books are kept whatever becomes of the vendors
            for done in run_due(clock=timezone.now):
                self.stdout.write(sentence_of(done))


def sentence_of(done: Done) -> str:
    """One line about one campground."""
    parts = [f"{done.opened} opened"] if done.opened else []
    parts += [f"{revision.reference} {revision.state} {revision.sap_number}".strip() for revision in done.worked_on]
    parts += [f"trouble: {done.trouble}"] if done.trouble else []
    return f"{done.tenant.slug}: {', '.join(parts)}."
