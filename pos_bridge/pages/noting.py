"""Who has changed what, and when: the same register that the administration keeps."""

from __future__ import annotations

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db.models import Model

from tenants.pages import Here


def note_change(here: Here, row: Model, what: str) -> None:
    """Note that a person has changed a row; ``what`` holds no secret."""
    LogEntry.objects.log_actions(here.user.pk, [row], CHANGE, change_message=what, single_object=True)


def note_addition(here: Here, row: Model) -> None:
    """Note that a person has made a row."""
    LogEntry.objects.log_actions(here.user.pk, [row], ADDITION, change_message="", single_object=True)
