"""Bookkeeping: the daily journal, and the ways into SAP."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JournalConfig(AppConfig):
    name = "journal"
    verbose_name = _("Journal")

    def ready(self) -> None:
        """Tell the cash desk which sales came too late for their day's journal."""
        # Both need the models.
        from journal.late import missed_the_journal
        from kasse.late import ALSO_LATE

        ALSO_LATE.append(missed_the_journal)
