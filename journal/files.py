"""A bookkeeping that takes files: nobody is called, a person imports what they download. It never fails."""

from __future__ import annotations

from django.utils.translation import gettext as _

from journal.doors import Booked, Entry, Tested


class Files:
    """No SAP: a journal that is posted here is final, and ready to be downloaded."""

    can_look_up = False

    def find(self, entry: Entry) -> Booked | None:
        return None

    def post(self, entry: Entry) -> Booked:
        return Booked(number=entry.reference, key=entry.reference)

    def find_reversal(self, entry: Entry, booked: Booked) -> str | None:
        return None

    def reverse(self, entry: Entry, booked: Booked) -> str:
        return f"{entry.reference}-S"

    def test(self) -> Tested:
        return Tested(passed=True, sentence=_("No SAP: journals are final when posted, and downloaded as files."))

    def close(self) -> None:
        """Nothing was opened."""
