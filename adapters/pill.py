"""The status pill of a connection: one colour, and why, in words.

* grey: switched off
* red: it cannot work until somebody does something: a secret that is refused or cannot be read any more
* yellow: events wait for somebody, the vendor has not been heard yet or stays away, or something ails it for now
* green: otherwise
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adapters.models import Connection
from adapters.words import trouble_text
from pos_bridge.pill import Colour, Pill

SILENT_AFTER = timedelta(days=3)
# Of these, the next try may know better.
PASSING = frozenset({"unreachable", "throttled", "not_understood", "subscription_failing"})


@dataclass(frozen=True, slots=True)
class ConnectionPill:
    """The colour, its word, and the sentences of its reasons."""

    colour: Colour
    sentences: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The colour for whoever does not see it."""
        return Pill(self.colour).word


def pill_of(connection: Connection, *, parked: int, at: datetime) -> ConnectionPill:
    """The pill of a connection for which so many events wait."""
    if not connection.enabled:
        return ConnectionPill("grey", (_("Switched off: nothing is taken and nothing is fetched."),))
    sentences = tuple(_sentences(connection, parked, at))
    if connection.trouble and connection.trouble not in PASSING:
        return ConnectionPill("red", sentences)
    return ConnectionPill("yellow" if sentences else "green", sentences)


def _sentences(connection: Connection, parked: int, at: datetime) -> Iterator[str]:
    if connection.trouble:
        yield trouble_text(connection.trouble)
    if parked:
        text = ngettext("%(count)d sale waits for you.", "%(count)d sales wait for you.", parked)
        yield text % {"count": parked}
    if connection.heard_at is None:
        yield _("The vendor has not been heard yet.")
    elif connection.heard_at < at - SILENT_AFTER:
        yield _("Nothing has come for three days. That is fine if the till was closed.")
